"""What changed between two verdicts of a source, and between two files of verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from vscan.store.comparing import Totals, compare
from vscan.store.differences import Difference, difference, provenance_changes

PROVENANCE = {
    "vscan": "0.1.0", "pack": "p@1#sha256:0", "model": None, "precision": None,
    "sampling": "fps:1", "signals": ["pdq"], "indexes": {"known": "sha256:1"},
}  # fmt: skip


def record(uri: str = "a", *findings: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A verdict, clear unless said otherwise."""
    return {
        "schema": "vscan.verdict/1",
        "id": "v_1",
        "source": {
            "uri": uri, "sha256": "aa", "md5": None, "bytes": 9, "duration_s": 9.0, "width": 16,
            "height": 9, "codec": "h264", "meta": {},
        },
        "outcome": "clear",
        "action": "allow",
        "reasons": [],
        "warnings": [],
        "findings": list(findings),
        "suppressed": [],
        "samples": None,
        "provenance": PROVENANCE,
        **fields,
    }  # fmt: skip


def finding(policy: str, score: float, *spans: tuple[float, float], **more: Any) -> dict[str, Any]:
    """A finding with segments."""
    segments = [{"start_s": s, "end_s": e, "peak_s": s, "score": score} for s, e in spans]
    return {"policy": policy, "score": score, "segments": segments, "evidence": [], **more}


def told(before: dict[str, Any], after: dict[str, Any], **options: Any) -> Difference:
    """The difference, at half a second."""
    return difference(before, after, **{"tolerance_s": 0.5, **options})


def test_nothing_changed() -> None:
    """The same verdict under another id, configuration and note of the list is no difference."""
    other = record(id="v_2", provenance={**PROVENANCE, "pack": "p@2#sha256:3"})
    other["source"] = {**other["source"], "meta": {"views": 9}}
    assert () == told(record(), other).kinds


def test_an_outcome_flips() -> None:
    """Both outcomes are told, the older one first."""
    found = told(record(), record(outcome="violation", action="remove"))
    assert (("outcome", "details"), ("clear", "violation")) == (found.kinds, found.outcome)
    assert ("action",) == found.details


def test_findings_come_and_go() -> None:
    """By policy, each with its score."""
    found = told(record("a", finding("x", 0.9), finding("z", 0.5)),
                 record("a", finding("z", 0.5), finding("y", 0.8)))  # fmt: skip
    assert ({"y": 0.8}, {"x": 0.9}, {}) == (found.gained, found.lost, found.scores)
    assert ("findings gained", "findings lost") == found.kinds


@pytest.mark.parametrize(
    ("tolerance", "changed"), [(0.0, True), (0.0099, True), (0.01, False), (0.2, False)]
)
def test_scores(tolerance: float, changed: bool) -> None:
    """A score that moves by more than the tolerance, to the fourth decimal."""
    found = told(record("a", finding("x", 0.9)), record("a", finding("x", 0.91)),
                 score_tolerance=tolerance)  # fmt: skip
    assert ({"x": (0.9, 0.91)} if changed else {}) == found.scores


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([(1, 4)], [(1, 4)], []),
        ([(1, 4)], [(1.5, 3.5)], []),
        ([(1, 4)], [(1.6, 4)], [((1, 4), (1.6, 4))]),
        ([(1, 4)], [(1, 4.6)], [((1, 4), (1, 4.6))]),
        ([(1, 4)], [(1, 4), (7, 9)], [(None, (7, 9))]),
        ([(1, 4), (7, 9)], [(7, 9)], [((1, 4), None)]),
        ([(1, 4)], [(7, 9)], [((1, 4), None), (None, (7, 9))]),
        ([(7, 9)], [(1, 4)], [(None, (1, 4)), ((7, 9), None)]),
        ([(1, 9)], [(1, 4), (6, 9)], [((1, 9), (1, 4)), (None, (6, 9))]),
        ([(1, 4), (6, 9)], [(1, 9)], [((1, 4), (1, 9)), ((6, 9), None)]),
        ([(3, 3)], [(3.4, 3.4)], []),
    ],
)
def test_segments(
    before: list[tuple[float, float]],
    after: list[tuple[float, float]],
    expected: list[tuple[Any, Any]],
) -> None:
    """Those that moved by more than half a second at an end, that came, and that went."""
    found = told(record("a", finding("x", 0.9, *before)), record("a", finding("x", 0.9, *after)))
    assert expected == [(each.before, each.after) for each in found.segments]
    assert {"x"} >= {each.policy for each in found.segments}


def test_other_content() -> None:
    """The file under the name is another one."""
    other = record()
    other["source"] = {**other["source"], "sha256": "bb"}
    found = told(record(), other)
    assert (("content",), ("aa", "bb")) == (found.kinds, found.content)


def test_what_a_finding_rests_on() -> None:
    """Another exemplar, at the same score and time, is told as well; so is a new warning."""
    found = told(
        record("a", finding("x", 0.9, (1, 4), threshold=0.5)),
        record("a", finding("x", 0.9, (1, 4), threshold=0.6), warnings=["packets_skipped"]),
    )
    assert (("details",), ("warnings", "evidence")) == (found.kinds, found.details)


def test_how_they_were_made() -> None:
    """Pack, model and each index, with both values; a list in words."""
    other = {**PROVENANCE, "pack": "p@2#sha256:3", "signals": ["pdq", "embedding"],
             "indexes": {"mine": "sha256:4"}}  # fmt: skip
    assert {
        "pack": ("p@1#sha256:0", "p@2#sha256:3"),
        "signals": ("pdq", "pdq, embedding"),
        "indexes.known": ("sha256:1", None),
        "indexes.mine": (None, "sha256:4"),
    } == provenance_changes(record(), record(provenance=other))


def write(path: Path, *records: dict[str, Any], tail: bytes = b"") -> Path:
    """A verdict file."""
    path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in records) + tail)
    return path


def test_two_files(tmp_path: Path) -> None:
    """Source by source in the order of their URIs, the last line of each; what one file alone
    knows is told; the totals add up."""
    newer = {**PROVENANCE, "pack": "p@2#sha256:3"}
    before = write(tmp_path / "a", record("d"), record("c"), record("a", outcome="review"),
                   record("a"), tail=b'{"schema":"vscan.verdict/1","id":"v')  # fmt: skip
    after = write(
        tmp_path / "b",
        record("e", provenance=newer),
        record("c", provenance=newer),
        record("a", outcome="violation", provenance=newer),
    )
    totals = Totals()
    found = list(compare(before, after, totals=totals, tolerance_s=0.5))
    assert [("a", "outcome"), ("d", "only in A"), ("e", "only in B")] == [
        (each.uri, each.kinds[0]) for each in found
    ]
    assert (4, 3) == (totals.sources, totals.changed)
    assert {("clear", "violation"): 1} == totals.flips
    assert {("pack", "p@1#sha256:0", "p@2#sha256:3"): 2} == totals.provenance
    assert {"outcome": 1, "only in A": 1, "only in B": 1} == totals.kinds
    assert [before] == totals.torn
