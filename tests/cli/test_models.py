"""`vscan models`: what is listed, what a pull prints, and when it fails with which exit code."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.embeddings.hub_server import HubServer

from vscan.embeddings.registry import DEFAULT_MODEL, MODELS

MODEL = MODELS[DEFAULT_MODEL]
CONTENT = b"weights" * 1000


def _vscan(
    home: Path, *arguments: str, endpoint: str = "http://127.0.0.1:9"
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HF_HOME": str(home), "HF_ENDPOINT": endpoint}
    environment.pop("HF_HUB_CACHE", None)
    program = "from vscan.cli.app import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "models", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_list_shows_licence_size_and_presence(tmp_path: Path) -> None:
    """The table names every model, marks the default and the licences that are not permissive."""
    done = _vscan(tmp_path, "list")
    assert 0 == done.returncode
    lines = done.stdout.splitlines()
    assert len(MODELS) + 1 == len(lines)
    assert any(f"{DEFAULT_MODEL} *" in line and "MIT" in line for line in lines)
    assert any("apple-amlr !" in line for line in lines)


def test_list_as_json_is_one_object_a_line(tmp_path: Path) -> None:
    """Programs get the same models with their facts, and no path where nothing is here."""
    done = _vscan(tmp_path, "list", "--json")
    listed = {each["model"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert list(MODELS) == list(listed)
    assert (True, True) == (listed["builtin"]["present"], listed[DEFAULT_MODEL]["default"])
    assert (False, None) == (listed[DEFAULT_MODEL]["present"], listed[DEFAULT_MODEL]["path"])


def test_list_architectures_names_what_weights_may_be_of(tmp_path: Path) -> None:
    """Every open_clip architecture on a line of its own."""
    done = _vscan(tmp_path, "list", "--architectures")
    assert "ViT-B-32" in done.stdout.splitlines()


def test_pull_then_verify(tmp_path: Path) -> None:
    """A pull prints the path on stdout, progress on stderr; verify then finds it right."""
    with HubServer({f"{MODEL.repo}/{MODEL.file}": CONTENT}) as hub:
        done = _vscan(tmp_path, "pull", MODEL.name, endpoint=hub.url)
    assert 0 == done.returncode, done.stderr
    path = Path(done.stdout.strip())
    assert CONTENT == path.read_bytes()
    assert tmp_path in path.parents
    verified = _vscan(tmp_path, "verify", MODEL.name, "--json")
    digest = hashlib.sha256(CONTENT).hexdigest()
    expected = {
        "model": MODEL.name,
        "state": "ok",
        "path": str(path),
        "sha256": digest,
        "expected": digest,
    }
    assert (0, expected) == (verified.returncode, json.loads(verified.stdout))


def test_verify_finds_a_changed_byte(tmp_path: Path) -> None:
    """Damaged weights stand in the output, and the exit code is 2."""
    with HubServer({f"{MODEL.repo}/{MODEL.file}": CONTENT}) as hub:
        path = Path(_vscan(tmp_path, "pull", MODEL.name, endpoint=hub.url).stdout.strip())
    path.write_bytes(CONTENT[:-1] + b"S")
    done = _vscan(tmp_path, "verify")
    assert 2 == done.returncode
    assert any(MODEL.name in line and "damaged" in line for line in done.stdout.splitlines())
    assert "Traceback" not in done.stderr
    assert str(path) in done.stderr


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("pull", "vit-b32-datacomp"), "did you mean"),
        (("verify", MODEL.name), f"vscan models pull {MODEL.name}"),
        (("pull", MODEL.name), "could not be pulled"),
    ],
    ids=["an unknown name", "weights that are not here", "a hub that cannot be reached"],
)
def test_errors_are_messages_with_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], cause: str
) -> None:
    """Nothing on stdout, a message with its remedy on stderr, never a traceback."""
    done = _vscan(tmp_path, *arguments)
    assert (2, "") == (done.returncode, done.stdout)
    assert cause in done.stderr
    assert "Traceback" not in done.stderr
