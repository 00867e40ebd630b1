"""docs/workflow.md is true: its commands run as they stand, and print about what it shows."""

from __future__ import annotations

import math
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ran, Vscan
from vscan.decisions.chain import verify
from vscan.decisions.log import DecisionLog

PAGE = (Path(__file__).parents[1] / "docs" / "workflow.md").read_text("utf-8")
BLOCKS = re.findall(r"^```([a-z ]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def is_told(line: str, printed: list[str]) -> bool:
    """Whether a line of the page is the beginning of one that was printed; numbers may differ a
    little, for scores do from machine to machine, and a video may cross a threshold."""

    def is_same(other: str) -> bool:
        words, others = (NUMBER.sub("#", " ".join(text.split())) for text in (line, other))
        pairs = zip(NUMBER.findall(line), NUMBER.findall(other), strict=False)
        near = (math.isclose(float(a), float(b), rel_tol=0.2, abs_tol=0.1) for a, b in pairs)
        return others.startswith(words) and all(near)

    return any(map(is_same, printed))


def test_lines_that_were_not_printed_are_noticed() -> None:
    """Another word, or a number that is far off."""
    assert is_told("weapons  40  0.97", ["x", "weapons 44  0.96 (0.8 to 1)"])
    for other in ("drugs  40  0.97", "weapons  60  0.97", "weapons  40  0.6", "weapons 40"):
        assert not is_told("weapons  40  0.97", [other])


@pytest.mark.timeout(600)
def test_one_round(terminal: Callable[[str], Ran], tmp_path: Path) -> None:
    """Each command ends with 0, every line that the page shows is one that it printed, and what
    the round leaves behind holds."""
    assert {"sh", "sh page", "python", "text"} == {kind for kind, _ in BLOCKS}
    assert 2 * len(BLOCKS) == len(re.findall(r"^```", PAGE, re.MULTILINE))
    printed: list[str] = []
    for kind, block in BLOCKS:
        if kind == "text":
            assert [] == [line for line in block.splitlines() if not is_told(line, printed)]
        elif kind == "python":
            subprocess.run([sys.executable, "-c", block], cwd=tmp_path, check=True)
        elif kind == "sh":
            for line in block.splitlines():
                ran = terminal(line)
                assert (0, line) == (ran.code, line), ran.err
                printed = ran.out.decode().splitlines()
    with DecisionLog(tmp_path / "decisions.db") as log:
        assert verify(log, head=(tmp_path / "head.txt").read_text().strip()).problem is None
    for page in ("report", "metrics", "calibration", "change", "next"):
        text = (tmp_path / f"{page}.html").read_text("utf-8")
        assert text.startswith("<!DOCTYPE html>") and "://" not in text.replace("http://www.w3", "")
    assert "[policy.calibration.escalate]" in (tmp_path / "next.toml").read_text("utf-8")
    assert (tmp_path / "pack" / "answers.jsonl").stat().st_mode & 0o777 == 0o600


def test_commands_for_a_person_exist(vscan: Vscan) -> None:
    """What the page leaves to a person at a browser is not run, but its options are real."""
    told = [line for kind, block in BLOCKS if kind == "sh page" for line in block.splitlines()]
    assert told
    for line in told:
        ran = vscan(*shlex.split(line)[1:3], "--help")
        options = re.findall(r"--[a-z-]+", line)
        assert 0 == ran.code and all(option in ran.out.decode() for option in options)
