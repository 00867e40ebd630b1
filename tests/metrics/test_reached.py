"""A video's score is the threshold at which the judge would still recommend the action."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vscan.intervals import Interval
from vscan.judge import prompt_pieces
from vscan.matching.match import Match
from vscan.matching.prompt_scores import PolicyScores
from vscan.metrics.reached import peak, reached
from vscan.policies import Action, Policy, Thresholds

ONCE = [Interval(0.0, 100.0)]


def policy(thresholds: dict[str, float], **keys: Any) -> Policy:
    """A policy with these thresholds."""
    usual = {"id": "a", "title": "A", "severity": "low", "prompts": ("x",)}
    return Policy(**{**usual, **keys}, thresholds=Thresholds(**thresholds))


def scored(values: list[float], step_s: float = 1.0) -> PolicyScores:
    """Samples `step_s` apart."""
    times = np.arange(len(values), dtype=np.float64) * step_s
    return PolicyScores("a", ("x",), times, np.array(values), np.zeros((len(values), 1)))


def of(made: Policy, scores: PolicyScores, action: str = "review", **more: Any) -> float:
    """Its score, on one stream without gaps unless `more` says else."""
    given = {"benign": (), "parts": ONCE, "gaps": ()} | more
    return reached(made, Action.of(action), scores, **given)


@pytest.mark.parametrize("seed", range(30))
def test_it_fires_from_the_score_down_and_not_above(seed: int) -> None:
    """For scores, durations, releases and gaps by chance, the judge's own segments are there at
    every threshold up to the score, and at none above."""
    rng = np.random.default_rng(seed)
    scores = scored(list(rng.beta(0.6, 0.6, 40)), step_s=0.5)
    keys = {
        "min_duration_s": float(rng.choice([0.0, 0.5, 1.0, 2.0, 5.0])),
        "release": float(rng.choice([0.3, 0.8, 1.0])),
    }
    gaps = [Interval(7.2, 7.9)] if seed % 2 else []
    parts = [Interval(0.0, 10.0), Interval(10.0, 20.0)] if seed % 3 else [Interval(0.0, 20.0)]
    found = of(policy({"review": 0.5}, **keys), scores, parts=parts, gaps=gaps)
    for step in {1, round(found * 10_000), round(found * 10_000) + 1, *rng.integers(1, 10_000, 40)}:
        threshold = step / 10_000
        if not 0.0 < threshold <= 1.0:
            continue
        judged, _ = prompt_pieces(policy({"review": threshold}, **keys), scores, (), parts, gaps)
        assert bool(judged) == (threshold <= found), (threshold, found)


def test_a_peak_that_is_too_short_is_not_the_score() -> None:
    """One high sample of a second is no segment of two; what lies below it for long enough is, and
    release keeps a segment open."""
    scores = scored([0.1, 0.95, 0.1, 0.6, 0.6, 0.1])
    assert 0.95 == peak(scores) == of(policy({"review": 0.5}), scores)
    assert 0.6 == of(policy({"review": 0.5}, min_duration_s=2.0), scores)
    falling = scored([0.9, 0.5, 0.1])
    assert 0.625 == of(policy({"review": 0.5}, min_duration_s=2.0), falling)  # 0.8 of it is 0.5
    assert 0.125 == of(policy({"review": 0.5}, min_duration_s=50.0), falling)  # all three
    assert 0.0 == of(policy({"review": 0.5}), scored([]))


def test_a_graver_action_needs_a_segment_of_the_milder_one() -> None:
    """Above the lowest threshold segments stay as they are: the score is the highest within one,
    and nothing where none opens long enough."""
    made = policy({"review": 0.5, "remove": 0.9}, min_duration_s=2.0)
    scores = scored([0.95, 0.1, 0.6, 0.7, 0.6, 0.1])
    assert 0.7 == of(made, scores, "remove")
    assert 0.0 == of(policy({"review": 0.8}, min_duration_s=2.0), scores, "escalate")
    assert 0.6 < of(made, scores, "review")


def test_what_a_benign_exemplar_covers_does_not_count() -> None:
    """Samples within a benign match are set aside, as the judge sets them aside."""
    match = Match(
        index="i", exemplar="e", policy="a", opinion="benign", signal="pdq",
        source_span=Interval(0.0, 2.0), exemplar_span=Interval(0.0, 2.0), peak_s=0.0, score=0.9,
        source_coverage=0.5, exemplar_coverage=0.5, samples=2,
    )  # fmt: skip
    assert 0.3 == of(policy({"review": 0.5}), scored([0.9, 0.9, 0.3]), benign=[match])
