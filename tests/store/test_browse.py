"""Verdict files looked through: the last line of each source, filters, order, one by its name."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from vscan.errors import OutputError, UsageError
from vscan.store.browse import Filter, find_record, load_records, most_severe_first

EVIDENCE = {"kind": "prompt", "prompt": "x", "time_s": 1.0, "similarity": 0.3, "score": 0.9}


def record(
    uri: str, outcome: str = "clear", action: str = "allow", **findings: tuple[str, float]
) -> dict[str, Any]:
    """A record without samples; findings as policy=(action, score)."""
    return {
        "schema": "vscan.verdict/1",
        "id": f"v_{uri}",
        "source": {
            "uri": uri, "sha256": "aa", "md5": None, "bytes": 9, "duration_s": None, "width": None,
            "height": None, "codec": None, "meta": {},
        },
        "outcome": outcome,
        "action": action,
        "reasons": [],
        "warnings": [],
        "findings": [
            {
                "policy": policy.replace("__", "."), "severity": "high", "action": act,
                "score": score, "threshold": 0.5, "segments": [], "evidence": [EVIDENCE],
            }
            for policy, (act, score) in findings.items()
        ],
        "suppressed": [],
        "samples": None,
        "provenance": {
            "vscan": "0.1.0", "pack": "p@1#sha256:0", "model": None, "precision": None,
            "sampling": "fps:1", "signals": ["pdq"], "indexes": {},
        },
    }  # fmt: skip


RECORDS = [
    record("x/clear.mp4"),
    record("x/beer.mp4", "review", "review", alcohol=("review", 0.7)),
    record("y/gun.mp4", "violation", "remove", weapons__firearms=("remove", 0.95)),
    record("y/both.mp4", "violation", "escalate", fire=("escalate", 0.9), weapons=("review", 0.6)),
    record("y/bad.mp4", "error", "review"),
    record("y/gun2.mp4", "violation", "remove", weapons__firearms=("remove", 0.99)),
]


def names(records: list[dict[str, Any]]) -> list[str]:
    """File names without folder and suffix."""
    return [Path(each["source"]["uri"]).stem for each in records]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), ["clear", "beer", "gun", "both", "bad", "gun2"]),
        (Filter(outcomes=("violation",)), ["gun", "both", "gun2"]),
        (Filter(outcomes=("clear", "error")), ["clear", "bad"]),
        (Filter(policies=("weapons",)), ["gun", "both", "gun2"]),
        (Filter(policies=("weapons.firearms",)), ["gun", "gun2"]),
        (Filter(policies=("weapon",)), []),
        (Filter(policies=("alcohol", "fire")), ["beer", "both"]),
        (Filter(min_action="escalate"), ["gun", "both", "gun2"]),
        (Filter(min_action="remove"), ["gun", "gun2"]),
        (Filter(min_action="review"), ["beer", "gun", "both", "bad", "gun2"]),
        (Filter(min_score=0.9), ["gun", "both", "gun2"]),
        (Filter(min_score=0.65, policies=("weapons",)), ["gun", "gun2"]),
        (Filter(min_action="escalate", policies=("weapons",)), ["gun", "gun2"]),
    ],
)
def test_filters(wanted: Filter, expected: list[str]) -> None:
    """A policy takes in those below it; conditions on findings must hold for one finding."""
    assert expected == names([each for each in RECORDS if wanted.accepts(each)])


def test_findings_are_filtered_as_well() -> None:
    """Of a chosen record only the wanted findings are shown."""
    both = RECORDS[3]
    assert ["weapons"] == [f["policy"] for f in Filter(policies=("weapons",)).findings(both)]
    assert ["fire"] == [f["policy"] for f in Filter(min_action="escalate").findings(both)]
    assert 2 == len(Filter().findings(both))


def test_unknown_words_are_refused() -> None:
    """A filter that can never hold says what there is."""
    with pytest.raises(UsageError, match="outcomes: clear, review, violation, error"):
        Filter(outcomes=("violations",))
    with pytest.raises(UsageError, match="delete"):
        Filter(min_action="delete")


def test_order() -> None:
    """Gravest action first, then the higher score; errors before what is clear."""
    assert ["gun2", "gun", "both", "beer", "bad", "clear"] == names(most_severe_first(RECORDS))


def test_find_by_name_end_or_id() -> None:
    """A video is found by its whole name, by the end of it, and by the verdict's id."""
    for wanted in ("y/gun.mp4", "gun.mp4", "v_y/gun.mp4"):
        assert "y/gun.mp4" == find_record(RECORDS, wanted)["source"]["uri"]


def test_find_tells_the_nearest() -> None:
    """No such video: the nearest is named; several: all are."""
    with pytest.raises(UsageError, match=r"did you mean 'y/gun2?\.mp4'"):
        find_record(RECORDS, "y/gum.mp4")
    with pytest.raises(UsageError, match="among 6$"):
        find_record(RECORDS, "zzzzzzzz")
    twice = [record("a/x.mp4"), record("b/x.mp4")]
    with pytest.raises(UsageError, match=r"several videos: a/x\.mp4, b/x\.mp4"):
        find_record(twice, "x.mp4")


def write(path: Path, records: list[dict[str, Any]], tail: bytes = b"") -> Path:
    """A verdict file."""
    path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in records) + tail)
    return path


def test_load_takes_the_last_line_of_a_source(tmp_path: Path) -> None:
    """While a run is at work an older line may still stand there; a torn tail is passed over."""
    newer = record("x/clear.mp4", "review", "review")
    path = write(tmp_path / "v.jsonl", [*RECORDS[:2], newer], b'{"schema":"vscan.verdict/1","id')
    loaded = load_records(path)
    assert ["beer", "clear"] == names(loaded)
    assert "review" == loaded[1]["outcome"]


def test_load_from_stdin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`-` is standard input."""
    data = write(tmp_path / "v.jsonl", RECORDS).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert RECORDS == load_records(Path("-"))


def test_load_what_is_not_there(tmp_path: Path) -> None:
    """A file that cannot be read, or holds something else, is named."""
    with pytest.raises(OutputError, match="gone.jsonl: cannot be read"):
        load_records(tmp_path / "gone.jsonl")
    (tmp_path / "other.txt").write_text("text\n", "utf-8")
    with pytest.raises(OutputError, match="other.txt: line 1 is not a vscan verdict"):
        load_records(tmp_path / "other.txt")
