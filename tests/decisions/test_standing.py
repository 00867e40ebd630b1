"""Which ruling stands, and which disagreements are open."""

from __future__ import annotations

import pytest

from tests.decisions.made import decision
from vscan.decisions.decision import Decision
from vscan.decisions.standing import disagreements, standing

RULINGS = {"u": "uphold", "o": "overturn", "e": "escalate"}
KINDS = {"1": "first", "2": "second", "j": "adjudication", "a": "appeal", "g": "gold"}


def story(short: str) -> list[Decision]:
    """Decisions on one case from words such as `1u 2o ju`: the kind, then the ruling."""
    told: list[Decision] = []
    for number, word in enumerate(short.split()):
        kind, ruling = word[0], word[1]
        follows = None if kind in "1g" else told[-1].id if kind != "2" else _last_first(told)
        told.append(
            decision(
                f"d_{number}",
                kind=KINDS[kind],
                ruling=RULINGS[ruling],
                about=follows,
                reason="false_positive" if ruling == "o" else None,
            )
        )
    return told


def _last_first(told: list[Decision]) -> str:
    return [each.id for each in told if each.kind == "first"][-1]


@pytest.mark.parametrize(
    ("short", "stands", "is_open"),
    [
        ("", None, False),
        ("1u", 0, False),
        ("1u 1o", 1, False),
        ("1u 2u", 1, False),
        ("1u 2o", 1, True),
        ("1u 2o 1u", 1, True),
        ("1u 2o 2u", 2, False),
        ("1u 2o ju", 2, False),
        ("1u 2o je", 2, True),
        ("1u 2o ju 2o", 2, True),
        ("1u 2o ju ae", 2, False),
        ("1u 2o ju ae ao", 4, False),
        ("1u ao ju", 1, False),
        ("1u 2o au", 2, False),
        ("go 1u", 1, False),
        ("go", None, False),
    ],
)
def test_cases(short: str, stands: int | None, is_open: bool) -> None:
    """Appeal over adjudication over second over first; the later of a kind; no gold items."""
    told = story(short)
    expected = {} if stands is None else {("v_1", "weapons"): told[stands]}
    assert expected == standing(told)
    assert is_open == bool(disagreements(told))


def test_each_policy_is_its_own_case() -> None:
    """Rulings on another policy, verdict or the whole verdict leave each other alone."""
    others = [
        decision("d_1"), decision("d_2", policy="drugs"), decision("d_3", policy=None),
        decision("d_4", verdict="v_2"),
    ]  # fmt: skip
    assert others == list(standing(others).values())


def test_who_disagrees() -> None:
    """A disagreement is told as the first review and the second that is about it."""
    told = story("1o 1u 2o")
    assert [(told[1], told[2])] == disagreements(told)
