"""Decisions: what one may say, its line, and the page that documents it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.decisions.made import SHA, decision, verdict
from vscan.decisions.deciding import decide
from vscan.decisions.decision import Decision, parse_decision
from vscan.errors import DecisionError


def test_a_line_and_back() -> None:
    """A decision with everything in it comes back from its line; 3 and 3.0 are the same bytes."""
    told = decision(
        kind="second", about="d_0", ruling="overturn", reason="false_positive", policy=None,
        segments=((3, 7.5),), market="DE", seconds_viewed=12, note="ein Spielzeug\n\u202e",
        decided_at="2026-11-02T09:30:00.25Z",
    )  # fmt: skip
    line = told.to_line()
    assert told == parse_decision(line)
    assert line == parse_decision(line).to_line()
    assert [3.0, 7.5] == orjson.loads(line)["segments"][0]
    assert b"[3.0,7.5]" in line
    assert list(orjson.loads(line)) == sorted(orjson.loads(line))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"ruling": "maybe"}, "'maybe' is no ruling"),
        ({"ruling": "overturn"}, "overturn needs a reason"),
        ({"ruling": "overturn", "reason": "boredom"}, "'boredom' is no reason"),
        ({"reason": "technical"}, "upheld has no reason"),
        ({"kind": "third"}, "'third' is no kind"),
        ({"kind": "appeal"}, "appeal names no decision"),
        ({"about": "d_0"}, "first follows no decision"),
        ({"segments": ((7.0, 3.0),)}, "is no segment"),
        ({"segments": ((0.0, float("nan")),)}, "is no segment"),
        ({"seconds_viewed": -1.0}, "seconds_viewed"),
        ({"seconds_viewed": True}, "seconds_viewed"),
        ({"decided_at": "2026-11-02T09:30:00+01:00"}, "no moment in UTC"),
        ({"decided_at": "2026-W45-1T09:30:00Z"}, "no moment in UTC"),
        ({"decided_at": "2026-02-30T09:30:00Z"}, "no moment in UTC"),
        ({"sha256": SHA.upper()}, "sha256"),
        ({"reviewer": " "}, "reviewer is not a text"),
        ({"reviewer": "a\x1b[31m"}, "do not print"),
        ({"note": "\udcff"}, "note is not Unicode"),
        ({"note": "x" * 10_001}, "longer than"),
    ],
)
def test_what_does_not_hold(fields: dict[str, Any], told: str) -> None:
    """Each field is checked, and the message names it."""
    with pytest.raises(DecisionError, match=told):
        decision(**fields)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "vscan.decision/2"}, "its schema is not"),
        ({"colour": "red"}, "'colour' is no field"),
        ({"segments": [3.0, 7.5]}, "segments is not a list"),
        ({"segments": [["a", "b"]]}, "is no segment"),
        ({"seconds_viewed": 10**400}, "no JSON|seconds_viewed"),
        ({"policy": 3}, "policy is not a text"),
    ],
)
def test_lines_that_are_none(change: dict[str, Any], told: str) -> None:
    """A line that is no decision is refused; nothing in it is dropped silently."""
    import json

    line = json.dumps(orjson.loads(decision().to_line()) | change).encode()
    with pytest.raises(DecisionError, match=told):
        parse_decision(line)


def test_lines_with_parts_missing() -> None:
    """What must stand in a line is named where it does not; the rest has defaults."""
    needed = {"id", "verdict", "uri", "sha256", "ruling", "reviewer", "decided_at"}
    record = orjson.loads(decision(policy=None).to_line())
    least = {key: value for key, value in record.items() if key in needed | {"schema"}}
    assert decision(policy=None) == parse_decision(orjson.dumps(least))
    for name in needed:
        less = {key: value for key, value in record.items() if key != name}
        with pytest.raises(DecisionError, match=f"{name} is missing"):
            parse_decision(orjson.dumps(less))


def test_a_ruling_on_a_verdict() -> None:
    """Source, segments and market come from the verdict's line, the time from the clock given."""
    record = orjson.loads(verdict("a.mp4", "weapons", "drugs", meta={"market": "DE"}).to_line())
    at = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    made = decide(record, ruling="uphold", reviewer="ana", at=at, policy="weapons")
    assert ("v_a", "a.mp4", SHA) == (made.verdict, made.uri, made.sha256)
    assert (((3.0, 7.5),), "DE", "2026-11-02T09:30:00Z") == (
        made.segments, made.market, made.decided_at
    )  # fmt: skip
    assert made.id != decide(record, ruling="uphold", reviewer="ana", at=at).id
    with pytest.raises(DecisionError, match="no finding under 'hoax': it has drugs, weapons"):
        decide(record, ruling="uphold", reviewer="ana", at=at, policy="hoax")
    missed = decide(
        record, ruling="overturn", reason="missed_segment", reviewer="ana", at=at, policy="hoax"
    )
    assert () == missed.segments


def test_every_field_is_documented() -> None:
    """docs/review.md has a row for each field."""
    page = (Path(__file__).parents[2] / "docs" / "review.md").read_text("utf-8")
    assert [] == [each.name for each in fields(Decision) if f"| `{each.name}` |" not in page]
