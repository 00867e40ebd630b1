"""docs/policy-changes.md is true: its commands run as they stand, and print what it shows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.conftest import Ran

PAGE = (Path(__file__).parents[1] / "docs" / "policy-changes.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
READS_THE_BROKEN_VIDEO = ("vscan scan ", "vscan rescan ")
"""These end with 3, as the page says: one of the demonstration's videos is broken on purpose."""


NUMBER = re.compile(r"\b0\.\d+\b")


def is_told(line: str, printed: list[str]) -> bool:
    """Whether a line of the page was printed; scores may differ a little, as they do where a model
    computes in another precision on another machine."""

    def is_same(other: str) -> bool:
        if NUMBER.sub("#", line) != NUMBER.sub("#", other):
            return False
        pairs = zip(NUMBER.findall(line), NUMBER.findall(other), strict=True)
        return all(math.isclose(float(a), float(b), abs_tol=0.02) for a, b in pairs)

    return any(map(is_same, printed))


def test_a_line_that_was_not_printed_is_noticed() -> None:
    """Another word, another time or a score that is far off is no line of the page."""
    line = "knife.mp4  review  3.0 s  weapons: 0.9528 >= review 0.689"
    assert is_told(line, ["x", line.replace("0.9528", "0.9601")])
    for other in (line.replace("0.9528", "0.91"), line.replace("3.0", "4.0"), f"{line} "):
        assert not is_told(line, [other])


def test_every_block_is_run_or_held_against_a_run() -> None:
    """There are no blocks of another kind, and no output stands before any command."""
    assert {"sh", "text"} == {kind for kind, _ in BLOCKS}
    assert "sh" == BLOCKS[0][0]
    assert 2 * len(BLOCKS) == len(re.findall(r"^```", PAGE, re.MULTILINE))


@pytest.mark.timeout(1200)
def test_the_week_as_it_is_told(terminal: Callable[[str], Ran], tmp_path: Path) -> None:
    """Each command ends as the page says, and every line that it shows is one that it printed."""
    printed: list[str] = []
    for kind, block in BLOCKS:
        if kind == "text":
            assert [] == [line for line in block.splitlines() if not is_told(line, printed)]
            continue
        for line in block.splitlines():
            ran = terminal(line)
            code = 3 if line.startswith(READS_THE_BROKEN_VIDEO) else 0
            assert (code, line) == (ran.code, line), ran.err
            assert "Traceback" not in ran.err
            printed = ran.out.decode().splitlines()
    flips = [orjson.loads(line) for line in (tmp_path / "flips.jsonl").read_bytes().splitlines()]
    before, after = (
        {record["source"]["uri"]: record["outcome"] for record in map(orjson.loads, lines)}
        for lines in (
            (tmp_path / name).read_bytes().splitlines()
            for name in ("before.jsonl", "verdicts.jsonl")
        )
    )
    assert 9 == len(before) == len(after)
    assert {uri for uri in before if before[uri] != after[uri]} == {flip["uri"] for flip in flips}
    assert all(after[flip["uri"]] == flip["new_outcome"] for flip in flips)
    assert (tmp_path / "change.html").read_text("utf-8").startswith("<!DOCTYPE html>")
