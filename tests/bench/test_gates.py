"""Gates: each is met or missed by its own figure alone, and left open where nothing is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench.copies.boundaries import Spread
from bench.copies.gates import gates, sampling_step_s
from bench.copies.metrics import SegmentScore
from bench.copies.scoring import FalsePair, GroupScore, Scores
from bench.copies.set_files import TIMES
from bench.copies.tables import as_json, score_tables

from vscan.errors import SamplingError

PLAIN_AP, HARD_AP, FALSE, PLAIN_P, PLAIN_R, HARD_P, HARD_R, BOUNDARY = range(8)


def group(name: str, micro_ap: float, precision: float, recall: float) -> GroupScore:
    """Ten pairs, with these figures."""
    return GroupScore(
        name, 10, 10, 10, 10, micro_ap, 1.0, SegmentScore(0.9, precision, recall)
    )  # fmt: skip


def scored(
    plain: tuple[float, float, float] = (0.99, 0.9, 0.9),
    hard: tuple[float, float, float] = (0.95, 0.9, 0.9),
    median: float = 1.0,
) -> Scores:
    """Scores that meet every gate just so, unless told otherwise."""
    boundaries = {name: Spread(0.0, 9.0) for name in TIMES} | {"ref_end": Spread(median, 9.0)}
    return Scores((group("plain", *plain), group("hard", *hard)), (), (), 0.0, 0.0, boundaries)


def missed(scores: Scores, step_s: float | None = 1.0) -> list[int]:
    """Places of the gates that are missed."""
    return [k for k, gate in enumerate(gates(scores, step_s)) if gate.met is False]


def test_every_gate_is_met_at_its_limit() -> None:
    """Figures that are the limits themselves miss nothing."""
    assert [gate.met for gate in gates(scored(), 1.0)] == [True] * 8


@pytest.mark.parametrize(
    ("scores", "gate"),
    [
        (scored(plain=(0.9899, 0.9, 0.9)), PLAIN_AP),
        (scored(hard=(0.9499, 0.9, 0.9)), HARD_AP),
        (scored(plain=(1.0, 0.8999, 1.0)), PLAIN_P),
        (scored(plain=(1.0, 1.0, 0.8999)), PLAIN_R),
        (scored(hard=(1.0, 0.8999, 1.0)), HARD_P),
        (scored(hard=(1.0, 1.0, 0.8999)), HARD_R),
        (scored(median=1.001), BOUNDARY),
    ],
)
def test_each_figure_has_its_own_gate(scores: Scores, gate: int) -> None:
    """A figure just short of its limit misses one gate, and that is its own."""
    assert missed(scores) == [gate]


def test_a_traps_false_pair_misses_its_gate() -> None:
    """One false pair is too many, a trap's as well."""
    wrong = FalsePair("Q1", "R1", 0.5, "trap", "title-card", "", "trap:title-card", True)
    assert missed(replace(scored(), false_pairs=(wrong,))) == [FALSE]


def test_boundaries_are_held_to_the_sampling() -> None:
    """At two frames a second the limit is half a second; keyframes set none."""
    assert missed(scored(median=0.75), sampling_step_s("fps:2")) == [BOUNDARY]
    assert missed(scored(median=0.75), sampling_step_s("fps:1")) == []
    assert sampling_step_s("keyframes") is None
    assert list(gates(scored(), None))[BOUNDARY].met is None
    with pytest.raises(SamplingError):
        sampling_step_s("often")


def test_the_table_says_which_gates_are_missed() -> None:
    """A row for every gate with a cell for each column; what does not apply is neither."""
    timeless = [replace(each, segments=None) for each in scored(hard=(0.5, 0, 0)).groups]
    other = replace(scored(), groups=tuple(timeless), boundaries={})
    lines = list(score_tables({"one": scored(), "two": other}, step_s=1.0))
    cells = {
        line[:32].strip(): line.split()[-2:] for line in lines if ">=" in line or "gates" in line
    }
    assert cells["plain pair micro-AP >= 0.99"] == ["met", "met"]
    assert cells["hard pair micro-AP >= 0.95"] == ["met", "missed"]
    assert cells["hard segment recall >= 0.9"] == ["met", "-"]
    total = next(line for line in lines if line.startswith("gates"))
    assert total.split()[-6:] == ["8", "of", "8", "2", "of", "3"]


def test_json_holds_the_gates() -> None:
    """Whoever reads the JSON need not know the limits."""
    found = as_json(scored(hard=(0.5, 1.0, 1.0)), step_s=1.0)["gates"]
    assert [gate["about"] for gate in found if not gate["met"]] == ["hard pair micro-AP >= 0.95"]
