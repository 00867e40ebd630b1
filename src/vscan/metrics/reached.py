"""The highest threshold at which a video's prompt scores would still recommend an action."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vscan.intervals import Interval
from vscan.judge import prompt_pieces
from vscan.matching.match import Match
from vscan.matching.prompt_scores import PolicyScores
from vscan.policies import Action, Policy, Thresholds
from vscan.policies.drift import opens_at

STEPS = 10_000
"""Thresholds and scores have 4 decimals."""


def reached(
    policy: Policy,
    action: Action,
    scores: PolicyScores,
    *,
    benign: Sequence[Match],
    parts: Sequence[Interval],
    gaps: Sequence[Interval],
) -> float:
    """The video's score for that action, 0..1 with 4 decimals: with a threshold t for it the
    policy's prompts recommend it, or a graver one, where this is t or more, and else do not.

    It is found by the judge's own segments. Where no milder action has a threshold, t is also where
    a segment opens, and `release` times t where it closes: a higher t makes each segment shorter,
    so there is one highest t at which one of `min_duration_s` is left, which halving finds. Where
    a milder one has, segments stay as they are, and it is the highest score within any. 0: none.

    benign: matches of the policy with benign exemplars. parts, gaps: as `judge` takes them.
    """
    if opens_at(policy, str(action)) is not None:
        kept, _ = prompt_pieces(policy, scores, benign, parts, gaps)
        return max((piece.segment.score for piece in kept), default=0.0)

    def fires(step: int) -> bool:
        tried = policy.model_copy(update={"thresholds": Thresholds(review=step / STEPS)})
        return bool(prompt_pieces(tried, scores, benign, parts, gaps)[0])

    highest = round(float(scores.scores.max(initial=0.0)) * STEPS)
    if fires(highest):
        return highest / STEPS
    below, above = 0, highest
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if fires(middle) else (below, middle)
    return below / STEPS if fires(below) else 0.0


def peak(scores: PolicyScores) -> float:
    """The highest score of any sample, as the judge rounds it; 0 where there is no sample."""
    return round(float(np.max(scores.scores, initial=0.0)), 4)
