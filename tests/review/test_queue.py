"""The queue: what is asked, in which order, and gold items that stand in it like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.decisions.made import decision, verdict
from tests.review.served import finding
from vscan.decisions.decision import Decision
from vscan.errors import UsageError
from vscan.review.gold import gold_cases, mixed
from vscan.review.picks import load_picks
from vscan.review.queue import QueuedCase, first_looks, picked_looks, second_looks, urgency


def record(name: str, *findings: Any, **changes: Any) -> dict[str, Any]:
    """A verdict's line as plain values; `v_` and the name is its id."""
    made = replace(verdict(f"clips/{name}.mp4"), findings=findings, **changes)
    return dict(orjson.loads(made.to_line()))


def named(cases: list[QueuedCase]) -> list[tuple[str, str | None]]:
    """The cases by what the log tells them apart by."""
    return [each.case for each in cases]


RECORDS = [
    record("clear"),
    record("a", finding("low", "low"), finding("sure", "high", 0.99), outcome="violation"),
    record("b", finding("near", "high", 0.81), finding("worst", "critical"), outcome="violation"),
    record("partial", outcome="review", reasons=("partial_coverage",)),
    record("c", finding("near", "high", 0.81), outcome="violation"),
]
ALL = [
    ("v_b", "worst"), ("v_b", "near"), ("v_c", "near"), ("v_a", "sure"), ("v_a", "low"),
    ("v_partial", None),
]  # fmt: skip


def test_first_looks() -> None:
    """The most severe first, then what lies nearest to its threshold, then by name; a verdict that
    wants review without a finding last; whatever the order of the file."""
    assert ALL == named(first_looks(RECORDS, []))
    assert ALL == named(first_looks(RECORDS[::-1], []))
    assert {"first"} == {each.kind for each in first_looks(RECORDS, [])}


def test_what_is_decided_is_not_asked_again() -> None:
    """A case on which a ruling stands is left out, be it escalated; a gold item is no ruling."""
    done = [
        decision("d_1", verdict="v_b", policy="worst", ruling="escalate"),
        decision("d_2", verdict="v_partial", policy=None),
        decision("d_3", verdict="v_a", policy="low", kind="gold"),
        decision("d_4", verdict="v_a", policy="other"),
    ]
    assert ALL[1:5] == named(first_looks(RECORDS, done))


def test_second_looks() -> None:
    """Cases that another person has looked at first and nobody since, about that decision."""
    done = [
        decision("d_1", verdict="v_a", policy="low"),
        decision("d_2", verdict="v_b", policy="worst"),
        decision("d_3", verdict="v_c", policy="near", reviewer="bo"),
        decision("d_4", verdict="v_b", policy="near"),
        decision("d_5", verdict="v_b", policy="near", kind="second", about="d_4", reviewer="cy"),
        decision("d_6", verdict="v_a", policy="low", ruling="escalate"),
        decision("d_7", verdict="v_elsewhere", policy="low"),
    ]
    found = second_looks(RECORDS, done, "bo")
    assert [("v_b", "worst", "second", "d_2"), ("v_a", "low", "second", "d_6")] == [
        (*each.case, each.kind, each.about) for each in found
    ]


def test_picks(tmp_path: Path) -> None:
    """Picks are asked in their own order, unflagged ones too, each once, undecided ones alone."""
    file = tmp_path / "picks.jsonl"
    lines = [
        {"schema": "vscan.pick/1", "verdict": verdict_id, "policy": policy, "weight": 2}
        for verdict_id, policy in (
            ("v_clear", "sure"), ("v_a", "sure"), ("v_gone", "sure"), ("v_clear", "sure"),
            ("v_b", "worst"),
        )
    ]  # fmt: skip
    file.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    done = [decision("d_1", verdict="v_b", policy="worst")]
    cases, unknown = picked_looks(RECORDS, load_picks(file), done)
    assert ([("v_clear", "sure"), ("v_a", "sure")], 1) == (named(cases), unknown)
    for bad, told in (
        (b"", "holds no picks"),
        (b'{"schema":"vscan.label/1"}', ":1: not a pick"),
        (b'{"schema":"vscan.pick/1","verdict":"v_a","policy":""}', ":1: a pick names a verdict"),
        (b"[", ":1: no JSON"),
    ):
        file.write_bytes(bad)
        with pytest.raises(UsageError, match=told):
            load_picks(file)


@pytest.fixture
def gold(tmp_path: Path) -> list[QueuedCase]:
    """Known answers for twenty flagged videos and for one that nothing flags."""
    file = tmp_path / "gold.csv"
    rows = [f"clips/g{number}.mp4,near,violating" for number in range(20)]
    file.write_text("\n".join(["uri,policy,label", *rows, "clips/clear.mp4,near,benign"]))
    known = [record(f"g{number}", finding("near", score=0.9)) for number in range(20)]
    return gold_cases(file, [*known, *RECORDS])


def mix(gold: list[QueuedCase], done: list[Decision], **changes: Any) -> list[QueuedCase]:
    """The queue of RECORDS, and of ten more, with gold items in it."""
    more = [record(f"m{number}", finding("near", score=0.9)) for number in range(10)]
    for each in more:
        each["outcome"] = "violation"
    usual = {"reviewer": "ana", "seed": "s", "share": 0.2, "ordered": True}
    queue = first_looks([*RECORDS, *more], done)
    cases, drawn = mixed(queue, gold, done, **{**usual, **changes})
    assert drawn == sum(each.kind == "gold" for each in cases)
    return cases


def test_gold_stands_where_any_case_would(gold: list[QueuedCase]) -> None:
    """A fifth of the queue is gold, in the queue's own order, flagged as all of it is; the draw is
    by reviewer and file."""
    assert 21 == len(gold)
    cases = mix(gold, [])
    drawn = [each for each in cases if each.kind == "gold"]
    assert (16 + 4, 4) == (len(cases), len(drawn))
    assert all(each.finding is not None for each in drawn)
    assert cases == sorted(cases, key=urgency)
    assert named(cases) == named(mix(gold, []))
    others = [named(mix(gold, [], reviewer="bo")), named(mix(gold, [], seed="t"))]
    assert named(cases) not in others
    assert [] == [each for each in mix(gold, [], share=0.0) if each.kind == "gold"]


def test_gold_is_asked_once_and_is_no_ordinary_case(gold: list[QueuedCase]) -> None:
    """What a reviewer has seen in any kind is not drawn for them again, and a case with a known
    answer is asked as gold or not at all."""
    done = [
        decision(f"d_{number}", verdict=f"v_g{number}", policy="near", kind="gold")
        for number in range(18)
    ]
    done.append(decision("d_own", verdict="v_g18", policy="near"))
    drawn = [each.case for each in mix(gold, done, share=0.5) if each.kind == "gold"]
    assert [("v_g19", "near")] == drawn
    of_queue = [replace(gold[0], kind="first", about=None)]
    cases, _ = mixed(of_queue, gold[:1], [], reviewer="ana", seed="s", share=0.05, ordered=False)
    assert [] == cases


def test_gold_among_picks(gold: list[QueuedCase]) -> None:
    """Among picks the places of gold items are drawn, and unflagged ones fit where picks are,
    flagged ones where some pick is flagged."""
    queue, _ = picked_looks(RECORDS, [("v_clear", "sure"), ("v_a", "sure"), ("v_a", "low")], [])
    usual: dict[str, Any] = {"reviewer": "ana", "seed": "s", "ordered": False}
    cases, drawn = mixed(queue, gold, [], share=0.9, **usual)
    assert 21 == drawn
    assert any(each.finding is None and each.kind == "gold" for each in cases)
    assert named(queue) == [each.case for each in cases if each.kind == "first"]
    assert "gold" in {each.kind for each in cases[:5]} and "gold" in {e.kind for e in cases[-5:]}
    silent, _ = picked_looks(RECORDS, [("v_clear", "sure")], [])
    cases, drawn = mixed(silent, gold, [], share=0.5, **usual)
    assert (1, None, None) == (drawn, *(each.finding for each in cases))
