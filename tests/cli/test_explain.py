"""`vscan explain`: one video's evidence, in words and as a timeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Library, Vscan

from vscan.cli.explain import BAR, PEAK, REST, timeline


@pytest.fixture
def verdicts(vscan: Vscan, library: Library, tmp_path: Path) -> Path:
    """A violation, a clear video and an error."""
    vscan("scan", library.clips, *library.rules, "-o", tmp_path / "v.jsonl")
    return tmp_path / "v.jsonl"


def test_a_violation(vscan: Vscan, verdicts: Path) -> None:
    """What was looked at, what was found, when on both sides, and by which configuration."""
    ran = vscan("explain", verdicts, "copy.mp4")
    assert (0, "") == (ran.code, ran.err)
    page = ran.out.decode()
    for told in (
        "copy.mp4\n  VIOLATION, recommended action: remove",
        "7.0s, 160x120 h264, sha256 ",
        "looked at 7 of 7 samples (fps:1, ",
        "coverage 100%",
        "hoax.known_clip (high): remove, score ",
        "pdq match: 2.0s–",
        " of known at 0.0s–",
        "pack known@1#sha256:",
        "index known sha256:",
    ):
        assert told in page
    (bar,) = [line for line in page.splitlines() if BAR in line or PEAK in line]
    cells = bar.split()[1]
    # From 2 s to 5 s of 7 s.
    assert 2 / 7 == pytest.approx(min(cells.index(BAR), cells.index(PEAK)) / len(cells), abs=0.08)
    assert 5 / 7 == pytest.approx(max(cells.rindex(BAR), cells.rindex(PEAK)) / len(cells), abs=0.08)


def test_an_error(vscan: Vscan, verdicts: Path) -> None:
    """A video that could not be read: which reason, and no timeline."""
    page = vscan("explain", verdicts, "broken.mp4").out.decode()
    assert "ERROR, recommended action: review" in page
    assert REST * 5 not in page


def test_json(vscan: Vscan, verdicts: Path) -> None:
    """--json prints the whole record."""
    (record,) = vscan("explain", verdicts, "plain.mp4", "--json").records
    assert "clear" == record["outcome"]
    (same,) = vscan("explain", verdicts, record["id"], "--json").records
    assert record == same


def test_a_name_that_is_not_there(vscan: Vscan, verdicts: Path) -> None:
    """An unknown video is told, with 2."""
    ran = vscan("explain", verdicts, "nothing-like-it")
    assert (2, b"") == (ran.code, ran.out)
    assert "no verdict for 'nothing-like-it' among 3" in ran.err


def test_prompt_evidence(vscan: Vscan, tmp_path: Path) -> None:
    """A prompt's evidence names prompt and moment; what was set aside, and why, is told too."""
    from tests.test_verdicts import FULL

    (tmp_path / "v.jsonl").write_bytes(FULL.to_line())
    page = vscan("explain", tmp_path / "v.jsonl", "a.mp4").out.decode()
    for told in (
        "prompt “a knife” at 4.5s: score 0.94, similarity 0.310",
        "not seen: 9.0s–10.0s",
        "mirrored, distance 8 of 256, score 0.97",
        "partial_coverage, packets_skipped",
        "suppressed: fire, because of a match with a benign exemplar",
    ):
        assert told in page


@pytest.mark.parametrize(
    ("start", "end", "peak", "expected"),
    [
        (0.0, 10.0, 0.0, PEAK + BAR * 19),
        (5.0, 10.0, 9.0, REST * 10 + BAR * 8 + PEAK + BAR),
        (9.99, 10.0, 9.99, REST * 19 + PEAK),
        (2.5, 5.0, 2.5, REST * 5 + PEAK + BAR * 4 + REST * 10),
    ],
)
def test_timeline(start: float, end: float, peak: float, expected: str) -> None:
    """Twenty cells of half a second: a segment is drawn where it lies, however short it is."""
    segment = {"start_s": start, "end_s": end, "peak_s": peak, "score": 0.9}
    bar, words = timeline([segment], 10.0, 40)
    assert f"    0 {expected} 10.0s" == bar
    assert "score 0.90, peak at" in words


def test_timeline_of_unknown_length() -> None:
    """Without a length there is no bar, and the segment is still told in words."""
    segment = {"start_s": 1.0, "end_s": 2.0, "peak_s": 1.0, "score": 0.9}
    assert 1 == len(list(timeline([segment], 0.0, 40)))
