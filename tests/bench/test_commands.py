"""The command line of bench.copies, and the target of the Makefile that uses it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench.copies import __main__ as commands
from bench.copies import planning
from bench.copies.arguments import parser
from bench.copies.hard_edits import EDITS
from bench.copies.set_files import read_set

from tests.media_factory import scene_frames, write_video

ROOT = Path(__file__).parents[2]
NAMES = ("make", "demo-scenes", "run", "score")


def test_help_says_what_each_command_is_for() -> None:
    """The program's help names every command; a command's gives an example that it understands."""
    whole = parser()
    overview = whole.format_help()
    for name in NAMES:
        assert f"\n  {name} " in overview
        text = _help(name)
        examples = [
            line for line in text.replace("\\\n", " ").splitlines()
            if line.strip().startswith("python -m bench.copies")
        ]  # fmt: skip
        assert any(example.split()[3] == name for example in examples)
        for example in examples:
            assert parser().parse_args(example.split()[3:]).command in NAMES


def _help(name: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.copies", name, "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout


def test_make_says_how_far_it_is_and_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines count the videos made, and the last line is a command that can be run."""
    monkeypatch.setattr(planning, "EDITS", {"grey": EDITS["grey"]})
    monkeypatch.setattr(planning, "NEEDLES_EACH", 0)
    monkeypatch.setattr(planning, "DISTRACTORS", {})
    monkeypatch.setattr(planning, "TRAPS", {})
    videos, out = tmp_path / "videos", tmp_path / "a set"
    videos.mkdir()
    for seed, name in enumerate("ab"):
        frames = scene_frames(seed=seed, count=20, width=96, height=64)
        write_video(videos / f"{name}.mp4", frames, fps=10)
    asked = ["bench", "make", "--videos", str(videos), "--out", str(out), "--processes", "1"]
    monkeypatch.setattr(sys, "argv", asked)
    assert commands.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"reading the videos of {videos}"
    assert [line.partition(" made")[0] for line in lines if " made, " in line] == [
        "  1 of 2", "  2 of 2",
    ]  # fmt: skip
    assert len(read_set(out).queries) == 2
    assert lines[-1].startswith(f"next: python -m bench.copies run --set '{out}' --columns all,")


def test_an_error_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sampling that is none ends with a message and a code, not with a traceback."""
    asked = ["bench", "run", "--set", str(tmp_path), "--sampling", "often"]
    monkeypatch.setattr(sys, "argv", asked)
    assert commands.main() != 0
    assert "often" in capsys.readouterr().err


def _made_by_make(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What `make bench-copies` runs: its interpreter only prints its arguments, one line a run."""
    (tmp_path / ".ready").touch()
    stand_in = tmp_path / "python"
    stand_in.write_text("#!/bin/sh\nIFS='|'\necho \"ran:$*\"\n", "utf-8")
    stand_in.chmod(0o755)
    kept = {key: value for key, value in os.environ.items()
            if key not in ("VSCAN_CORPUS", "VPDQ_PYTHON", "MAKEFLAGS", "MAKELEVEL")}  # fmt: skip
    return subprocess.run(
        ["make", "--no-print-directory", "bench-copies", f"BIN={tmp_path}",
         f"STAMP={tmp_path / '.ready'}"],
        cwd=ROOT, env=kept | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_make_bench_copies_runs_what_the_program_takes(tmp_path: Path) -> None:
    """The target makes the set with seed 1 and searches it, with vPDQ's column when asked for."""
    ran = _made_by_make(tmp_path, VSCAN_CORPUS="my videos", VPDQ_PYTHON="an env/python")
    asked = [line[4:].split("|") for line in ran.stdout.splitlines() if line.startswith("ran:")]
    assert ran.returncode == 0, ran.stderr
    assert [words[:2] for words in asked] == [["-m", "bench.copies"]] * 2
    make, run = (parser().parse_args(words[2:]) for words in asked)
    assert (make.command, make.videos, make.seed) == ("make", Path("my videos"), 1)
    assert (ROOT / make.same).is_file()
    assert (run.command, run.set) == ("run", make.out)
    assert run.columns == "all,pdq,keypoints,embedding,vpdq"
    assert run.vpdq_python == Path("an env/python")
    alone = _made_by_make(tmp_path, VSCAN_CORPUS="v").stdout.splitlines()[-1]
    assert alone.endswith("|--columns|all,pdq,keypoints,embedding")
    assert f"/{make.out}/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_make_bench_copies_wants_a_corpus(tmp_path: Path) -> None:
    """Without VSCAN_CORPUS nothing is run, and the message names it."""
    ran = _made_by_make(tmp_path)
    assert ran.returncode != 0
    assert "VSCAN_CORPUS" in ran.stderr and "ran:" not in ran.stdout
