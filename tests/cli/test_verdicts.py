"""`vscan verdicts merge` and `diff` as a person uses them."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from tests.conftest import Library, Vscan

MILDER = ('"remove"', '"review"')


@pytest.fixture
def strict_and_mild(vscan: Vscan, library: Library, tmp_path: Path) -> tuple[Path, Path]:
    """The library's verdicts under its pack, and under one that asks for less."""
    strict, mild, pack = tmp_path / "strict.jsonl", tmp_path / "mild.jsonl", tmp_path / "mild.toml"
    pack.write_text((library.folder / "known.toml").read_text("utf-8").replace(*MILDER), "utf-8")
    vscan("scan", library.clips, *library.rules, "-o", strict)
    index = ("--index", library.folder / "index", "--workers", "1")
    vscan("scan", library.clips, "--policy", pack, *index, "-o", mild)
    return strict, mild


def test_merge(vscan: Vscan, strict_and_mild: tuple[Path, Path], tmp_path: Path) -> None:
    """Two files of the same sources: the later one's lines, sorted, and a note that says so."""
    strict, mild = strict_and_mild
    out = tmp_path / "out.jsonl"
    ran = vscan("verdicts", "merge", strict, mild, "-o", out)
    assert (0, b"") == (ran.code, ran.out)
    assert "note: files differ about 3 sources, the later file counts" in ran.err
    assert f"3 lines of 2 inputs; verdicts in {out}" in ran.err
    by_uri = sorted(
        mild.read_bytes().splitlines(), key=lambda li: orjson.loads(li)["source"]["uri"]
    )
    assert by_uri == out.read_bytes().splitlines()
    assert "exists already" in vscan("verdicts", "merge", strict, "-o", out).err
    assert 0 == vscan("verdicts", "merge", strict, "-o", out, "--force").code


def test_merge_strictly(vscan: Vscan, strict_and_mild: tuple[Path, Path], tmp_path: Path) -> None:
    """--strict ends with 2 where files differ, and names the sources."""
    ran = vscan("verdicts", "merge", *strict_and_mild, "-o", tmp_path / "out.jsonl", "--strict")
    assert 2 == ran.code
    assert "files differ about" in ran.err
    assert "copy.mp4" in ran.err
    assert not (tmp_path / "out.jsonl").exists()


def test_diff(vscan: Vscan, strict_and_mild: tuple[Path, Path]) -> None:
    """The flip is told first, with what made it: the pack; the rest is counted."""
    ran = vscan("verdicts", "diff", *strict_and_mild)
    told = " ".join(ran.out.decode().split())
    assert 0 == ran.code
    assert "flip violation review 1" in told
    assert "made with another pack known@1#sha256:" in told
    assert "copy.mp4 outcome violation review" in told
    assert "vscan: 1 of 3 videos changed" in ran.err


def test_diff_as_json(vscan: Vscan, strict_and_mild: tuple[Path, Path]) -> None:
    """One object a changed video, then the sums; the exit code says that something changed."""
    ran = vscan("verdicts", "diff", *strict_and_mild, "--json", "--fail-on-change")
    *videos, summary = ran.records
    assert 1 == ran.code
    assert [("video", ["violation", "review"])] == [(v["kind"], v["outcome"]) for v in videos]
    assert ("summary", 3, 1) == tuple(summary[key] for key in ("kind", "sources", "changed"))
    assert [{"before": "violation", "after": "review", "videos": 1}] == summary["flips"]
    assert ["pack"] == [each["name"] for each in summary["provenance"]]
    assert {"vscan.verdict-diff/1"} == {each["schema"] for each in ran.records}


def test_diff_of_the_same(vscan: Vscan, strict_and_mild: tuple[Path, Path]) -> None:
    """Nothing changed: an empty table, and 0 with --fail-on-change."""
    strict, _ = strict_and_mild
    ran = vscan("verdicts", "diff", strict, strict, "--fail-on-change")
    assert (0, b"") == (ran.code, ran.out)
    assert "0 of 3 videos changed" in ran.err


def test_diff_is_cut_short(
    vscan: Vscan, strict_and_mild: tuple[Path, Path], tmp_path: Path
) -> None:
    """--limit keeps what flipped, and says how many it leaves out; sources of one file are told."""
    strict, mild = strict_and_mild
    less = tmp_path / "less.jsonl"
    kept = [line for line in mild.read_bytes().splitlines(True) if b"copy.mp4" in line]
    less.write_bytes(b"".join(kept))
    ran = vscan("verdicts", "diff", strict, less, "--limit", "1")
    told = " ".join(ran.out.decode().split())
    assert "only in A 2" in told
    assert "copy.mp4 outcome violation review" in told
    assert "plain.mp4" not in told
    assert "and 2 more videos (--json shows all)" in told


def test_files_that_are_none(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """What is no verdict file is named, with 2."""
    notes = library.clips / "notes.txt"
    for command in (("diff", notes, notes), ("merge", notes, "-o", tmp_path / "out.jsonl")):
        ran = vscan("verdicts", *command)
        assert (2, b"") == (ran.code, ran.out)
        assert "notes.txt: line 1 is not a vscan verdict" in ran.err
