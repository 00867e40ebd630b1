"""The container's settings, as far as they can be tested without one: the file, and a run under
them as process 1 on a read-only root."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import typer

from tests.conftest import Library
from vscan.cli.app import app

ROOT = Path(__file__).parents[1]
HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """One instruction of the Dockerfile."""

    stage: str
    word: str
    rest: str


def steps() -> list[Step]:
    """The instructions in order, lines put together; comments left out."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found, stage = [], ""
    for line in kept.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word:
            continue
        if word == "FROM":
            stage = rest.rpartition(" AS ")[2]
        found.append(Step(stage, word, " ".join(rest.split())))
    return found


def bases() -> dict[str, str]:
    """By stage, what it stands on."""
    return {each.stage: each.rest.partition(" ")[0] for each in steps() if each.word == "FROM"}


def lineage(stage: str) -> Iterator[str]:
    """The stage and those it stands on."""
    while stage in bases():
        yield stage
        stage = bases()[stage]


def of(target: str, word: str) -> list[str]:
    """What the instructions of that word say that make the final image of a target."""
    stages = list(lineage(target))
    return [each.rest for each in steps() if each.stage in stages and each.word == word]


def environment(target: str) -> dict[str, str]:
    """The variables of the image."""
    pairs = [pair for rest in of(target, "ENV") for pair in rest.split()]
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed")
def test_the_linter_has_nothing_to_say() -> None:
    """hadolint, with all of its rules and none passed over."""
    done = subprocess.run(
        [HADOLINT or "", "--disable-ignore-pragma", "--failure-threshold", "style", "Dockerfile"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


@pytest.mark.parametrize("target", ["cpu", "gpu"])
def test_the_final_image(target: str) -> None:
    """A user by number, the program itself as the entry point, no health check of a batch job, and
    nothing that builds."""
    assert ["10001:10001"] == of(target, "USER")
    assert [["vscan"]] == [json.loads(each) for each in of(target, "ENTRYPOINT")]
    assert ["NONE"] == of(target, "HEALTHCHECK")
    assert ["SIGTERM"] == of(target, "STOPSIGNAL")
    assert ["/scratch"] == of(target, "VOLUME")
    run = " ".join(of(target, "RUN"))
    assert [] == re.findall(r"apt-get|apk|gcc|build-essential|pip install|uv ", run)
    assert [f"--from=build-{target} /opt/vscan /opt/vscan"] == of(target, "COPY")[1:]
    order = [each.word for each in steps() if each.stage in lineage(target)]
    assert max(k for k, word in enumerate(order) if word == "RUN") < order.index("USER")


def test_bases_and_secrets() -> None:
    """Every stage stands on the one pinned base; nothing is fetched from an address, and no
    variable or argument asks for a secret."""
    assert {"${PYTHON}"} == set(bases().values()) - set(bases())
    (python,) = [each.rest for each in steps() if each.word == "ARG" and "PYTHON=" in each.rest]
    assert re.fullmatch(r"PYTHON=python:3\.11-[a-z-]+bookworm", python)
    assert [] == [each for each in steps() if each.word == "ADD"]
    for each in steps():
        assert "://" not in each.rest
        if each.word in ("ARG", "ENV"):
            assert not SECRET.search(each.rest)


@pytest.mark.parametrize("target", ["cpu", "gpu"])
def test_what_is_installed(target: str) -> None:
    """The extras for object storage, in the versions of the lock file; uv in that version too; what
    the build reads is let through to it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    installs = " ".join(of(f"build-{target}", "RUN"))
    extras = re.findall(r"--extra (\w+)", installs)
    assert ["s3", "gcs", "azure", "http", "ray"] == extras
    assert "${RAY:+--extra ray}" in installs
    assert set(extras) <= set(project["project"]["optional-dependencies"])
    assert "--constraints requirements.lock" in installs
    assert "--build-constraints requirements.lock" in installs
    assert re.search(r"^uv==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    let_in = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = {"pyproject.toml", "requirements.lock", "src", project["project"]["readme"],
              "LICENSE", *wheel["force-include"]}  # fmt: skip
    assert wanted == {line[1:] for line in let_in if line.startswith("!")}
    assert "*" in let_in


def test_the_default_command() -> None:
    """Its command and options are there, and so are those of the page's examples."""
    (command,) = (json.loads(each) for each in of("cpu", "CMD"))
    known = getattr(typer.main.get_command(app), "commands", {})
    options = {each for parameter in known[command[0]].params for each in parameter.opts}
    assert {each for each in command if each.startswith("-")} <= options
    page = (ROOT / "docs" / "jobs.md").read_text("utf-8")
    shown = re.search(r"vscan:cpu (scan .*)\n", page)
    assert shown is not None
    assert [each.replace("--output", "-o") for each in command] == shown[1].split()


@pytest.mark.parametrize("target", ["cpu", "gpu"])
def test_the_variables_are_documented(target: str) -> None:
    """Each that names a folder stands on the page with its value, and leads to where an image with
    a read-only root can be written, or to the weights."""
    page = (ROOT / "docs" / "jobs.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| `(/[\w/]+)` \|", page, re.MULTILINE))
    folders = {name: value for name, value in environment(target).items() if value[0] == "/"}
    assert told == {name: value for name, value in folders.items() if name != "PATH"}
    assert {"scratch", "tmp", "models"} == {value.split("/")[1] for value in told.values()}
    assert "1" == environment(target)["PYTHONDONTWRITEBYTECODE"]


# A run under these settings

INSIDE = """\
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind / /
mount -o remount,bind,ro /
mount --bind "$1" "$1"
mount -t proc proc /proc
shift
exec "$@"
"""
"""What a container runtime does: a root that cannot be written, one folder that can, and a new
process 1."""
PROGRAM = """
import sys, time
from pathlib import Path
try:
    Path("/vscan-was-here").touch()
except OSError as error:
    print(f"root: {error.strerror}", flush=True)
import os
print(f"process {os.getpid()}", flush=True)
import vscan.decode.session
read = vscan.decode.session.VideoSession.read
def slow(self, *arguments):
    print("reading", flush=True)
    time.sleep(1.0)
    yield from read(self, *arguments)
vscan.decode.session.VideoSession.read = slow
from vscan.cli.app import main
try:
    main()
finally:
    stats = [p.read_text() for p in Path("/proc").glob("[0-9]*/stat")]
    print("left", sorted(text.rpartition(")")[2].split()[0] for text in stats), flush=True)
"""


def may_isolate(folder: Path) -> bool:
    """Whether this user may make namespaces and mount in them."""
    if shutil.which("unshare") is None:
        return False
    trial = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", INSIDE, "sh", folder, "true"]
    return subprocess.run(list(map(str, trial)), capture_output=True).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_as_process_1_on_a_read_only_root(library: Library, tmp_path: Path) -> None:
    """With the image's variables alone a scan reads, writes its output and nothing else; as process
    1 it hears SIGTERM, ends gracefully with 143, and leaves no process and no zombie."""
    if not may_isolate(tmp_path):
        pytest.skip("this user may make no namespaces here")
    scratch = tmp_path / "container"
    videos = scratch / "videos"
    shutil.copytree(library.clips, videos)
    shutil.copytree(library.folder / "index", scratch / "index")
    shutil.copy(library.folder / "known.toml", scratch)
    variables = {
        name: re.sub("^/(scratch|tmp|models)", rf"{scratch}/\1", value)
        for name, value in environment("cpu").items()
        if name != "PATH"
    }
    for name in ("scratch", "tmp", "models", "out"):
        (scratch / name).mkdir()
    output = scratch / "out" / "v.jsonl"
    command = [
        "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INSIDE, "sh", scratch,
        sys.executable, "-c", PROGRAM, "scan", videos, "--policy", scratch / "known.toml",
        "--index", scratch / "index", "--workers", "1", "-o", output, "--grace", "60",
        "--log-format", "json", "--metrics-file", scratch / "out" / "vscan.prom",
    ]  # fmt: skip
    path = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        list(map(str, command)), env=path | variables, stdout=pipe, stderr=pipe, text=True
    ) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(3)]
        if said != ["root: Read-only file system\n", "process 1\n", "reading\n"]:
            child.kill()
            pytest.fail(f"{said} {child.communicate()[1]}")
        until = time.monotonic() + 60
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
        while not (inside := children.read_text("utf-8").split()) and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(int(inside[0]), signal.SIGTERM)
        rest, err = child.communicate(timeout=100)
    assert "left ['R']\n" == rest
    events = [orjson.loads(line)["event"] for line in err.splitlines()]
    assert ["stopping", "interrupted", "exit"] == [e for e in events if e != "source_error"][-3:]
    assert 143 == child.returncode
    assert 1 <= len(output.read_bytes().splitlines()) < 3
    assert "vscan_run_exit_code 143.0" in (scratch / "out" / "vscan.prom").read_text("utf-8")
    assert {"v.jsonl", "v.run.json", "vscan.prom"} == {p.name for p in output.parent.iterdir()}
    assert [] == list((scratch / "tmp").iterdir())
