"""What tests share: the program run in this process, a few small videos, one demonstration."""

from __future__ import annotations

import io
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import settings

from tests.media_factory import scene_frames, write_video
from vscan.demo.run import Shown, run_demo
from vscan.indexing import Label, add_exemplars, new_index
from vscan.settings import ScanSettings
from vscan.sources import find_sources

settings.register_profile("the-same-each-time", derandomize=True)
settings.load_profile("the-same-each-time")

KNOWN_PACK = """\
schema = "vscan.pack/1"
name = "known"
version = "1"

[[policy]]
id = "hoax.known_clip"
title = "Known hoax"
severity = "high"
indexes = ["known"]
match_action = "remove"
"""


@dataclass(frozen=True)
class Ran:
    """How a run of the program ended."""

    code: int
    out: bytes
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON lines on stdout."""
        return [orjson.loads(line) for line in self.out.splitlines()]


Vscan = Callable[..., Ran]
"""`vscan("scan", folder, stdin=b"…")` as a person runs it."""


@dataclass(frozen=True)
class Library:
    """Small videos that need no model: a pack and an index of PDQ hashes judge them."""

    folder: Path

    @property
    def clips(self) -> Path:
        """Three videos, one of them broken, and a text file: copy.mp4 holds the known clip."""
        return self.folder / "clips"

    @property
    def good(self) -> Path:
        """A video in which nothing is found."""
        return self.clips / "plain.mp4"

    @property
    def rules(self) -> tuple[str, ...]:
        """Options of a scan against the known clip."""
        return (
            "--policy", str(self.folder / "known.toml"), "--index", str(self.folder / "index"),
            "--workers", "1",
        )  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Vectors of prompts are kept for the length of the tests, and not where a user's are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VSCAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def vscan(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Vscan:
    """Runs the program in this process: what it wrote, and the exit code."""

    def run(*arguments: str | os.PathLike[str], stdin: bytes = b"") -> Ran:
        from vscan.cli.app import main

        monkeypatch.setattr(sys, "argv", ["vscan", *(os.fspath(each) for each in arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfdbinary.readouterr()
        before = signal.getsignal(signal.SIGTERM)
        try:
            main()
        except SystemExit as left:
            code = left.code
        finally:
            signal.signal(signal.SIGTERM, before)
        out, err = capfdbinary.readouterr()
        assert isinstance(code, int)
        return Ran(code, out, err.decode("utf-8", "backslashreplace"))

    return run


@pytest.fixture
def terminal(vscan: Vscan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Ran]:
    """Runs lines of a page as a person types them, in `tmp_path`: with a shell what needs one, the
    rest in this process, which has the model's libraries loaded already."""
    monkeypatch.chdir(tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8"}

    def run(line: str) -> Ran:
        if line.startswith("vscan ") and not set(line) & set("|$<>;&`*"):
            return vscan(*shlex.split(line)[1:])
        done = subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True
        )
        return Ran(done.returncode, done.stdout, done.stderr.decode("utf-8", "backslashreplace"))

    return run


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The small videos, made once; tests leave them as they are."""
    made = Library(tmp_path_factory.mktemp("library"))
    (made.clips / "deep").mkdir(parents=True)
    known = list(scene_frames(seed=9, count=30, width=160, height=120))
    write_video(made.folder / "known.mp4", known, fps=10)
    write_video(made.good, scene_frames(seed=1, count=40, width=160, height=120), fps=10)
    before, after = (list(scene_frames(seed=s, count=20, width=160, height=120)) for s in (2, 3))
    write_video(made.clips / "deep" / "copy.mp4", [*before, *known, *after], fps=10)
    (made.clips / "broken.mp4").write_bytes(made.good.read_bytes()[:600])
    (made.clips / "notes.txt").write_text("not a video\n", "utf-8")
    (made.folder / "known.toml").write_text(KNOWN_PACK, "utf-8")
    settings = ScanSettings(signals=("pdq",))
    new_index(made.folder / "index", name="known", settings=settings)
    exemplars = find_sources([str(made.folder / "known.mp4")])
    label = Label(policy="hoax.known_clip")
    for added in add_exemplars(made.folder / "index", exemplars, label, settings=settings):
        assert added.status == "added"
    return made


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The demonstration with the built-in model, run once; tests leave its folder as it is."""
    *_, shown = run_demo(tmp_path_factory.mktemp("demo") / "vscan-demo")
    assert isinstance(shown, Shown)
    return shown
