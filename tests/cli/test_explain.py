"""`vscan explain`: one video's evidence, in words and as a timeline."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Library, Vscan

from vscan.cli.explain import BAR, PEAK, REST, evidence_lines, short, timeline


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
    ("changes", "told"),
    [
        (
            {"signal": "keypoints", "distance": None, "inliers": 31, "speed": 1.25,
             "transform": "inverted_mirrored"},
            "inverted_mirrored, at 1.25 times the speed, 31 inliers, score 0.97; covers",
        ),
        ({"signal": "sha256", "distance": None}, "the same file byte for byte, score 0.97; covers"),
        (
            {"signal": "embedding", "distance": None, "similarity": 0.93, "transform": "identity"},
            "      similarity 0.930, score 0.97; covers",
        ),
    ],
    ids=["keypoints", "sha256", "embedding"],
)  # fmt: skip
def test_evidence_of_every_signal(changes: dict[str, Any], told: str) -> None:
    """Each signal says what it measures, and no more."""
    from tests.test_verdicts import MATCH

    found = {key: value for key, value in asdict(replace(MATCH, **changes)).items()
             if value is not None}  # fmt: skip
    first, second = evidence_lines([found])
    assert f"{changes['signal']} match: 3.0s–7.5s is ex_1" in first
    assert told in second


def test_what_a_flood_set_aside(vscan: Vscan, tmp_path: Path) -> None:
    """What was set aside without a benign exemplar is told with its own evidence and reason."""
    from tests.test_verdicts import ASIDE

    (tmp_path / "v.jsonl").write_bytes(ASIDE.to_line())
    page = vscan("explain", tmp_path / "v.jsonl", "a.mp4").out.decode()
    assert "suppressed: hoax, because the exemplar matched too many videos of its run" in page
    assert "keypoints match: 3.0s–7.5s is ex_1 (hoax) of known" in page
    table = vscan("show", tmp_path / "v.jsonl").out.decode()
    assert "suppressed: ex_1 matched too many videos of its run" in table
    assert "suppressed by the benign exemplar ex_1" in table


def test_a_digest_is_cut_and_what_follows_is_kept() -> None:
    """An index of which exemplars have expired is told from the same one before."""
    digest = "sha256:" + "a" * 64
    assert "sha256:aaaaaaaaaaaa less 2 expired" == short(f"{digest} less 2 expired")
    assert "known@1#sha256:aaaaaaaaaaaa" == short(f"known@1#{digest}")


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
