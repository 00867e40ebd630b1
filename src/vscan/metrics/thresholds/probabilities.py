"""Scores into probabilities: Platt's sigmoid where labels are few, isotonic regression where many.

Isotonic regression takes any rising shape and needs data for it: below about a thousand labels it
fits noise, and a sigmoid is nearer to the truth (Niculescu-Mizil and Caruana, "Predicting good
probabilities with supervised learning", ICML 2005, section 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ISOTONIC_LABELS, ISOTONIC_EACH = 1000, 100
"""Labels, and labels of each class, from which isotonic regression is used."""
LEAST_SCORE = 0.5e-4
"""Scores are written with 4 decimals: one of 0 or 1 is taken to lie within half a step of it."""
Method = Literal["platt", "isotonic"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Probabilities:
    """What the scores of one policy mean on videos like those that were labelled."""

    method: Method
    slope: float = 0.0
    """Of Platt's sigmoid 1 / (1 + exp(-(slope · log-odds of the score + intercept)))."""
    intercept: float = 0.0
    at: Floats | None = None
    """(K,) ascending scores of isotonic regression; between two it is a straight line."""
    values: Floats | None = None
    """(K,) probabilities at these scores."""

    def of(self, scores: Floats) -> Floats:
        """(N,) probabilities 0..1 of scores (N,)."""
        if self.at is None or self.values is None:
            return _sigmoid(self.slope * log_odds(scores) + self.intercept)
        return np.interp(scores, self.at, self.values)

    @property
    def even_at(self) -> float | None:
        """The lowest score 0..1, to 4 decimals, from which a violation is as likely as not; None
        where it is at no score."""
        grid = np.arange(10_001) / 10_000
        reached = np.flatnonzero(self.of(grid) >= 0.5)
        return float(grid[reached[0]]) if len(reached) else None


def fit_probabilities(
    scores: Floats, violates: NDArray[np.bool_], weights: Floats
) -> Probabilities:
    """Probabilities from labelled scores (N,), by the method that their number allows.

    Raises ValueError where one class is missing.
    """
    positives = int(violates.sum())
    if not 0 < positives < len(violates):
        raise ValueError("one class is missing")
    enough = min(positives, len(violates) - positives) >= ISOTONIC_EACH
    if enough and len(violates) >= ISOTONIC_LABELS:
        at, values = isotonic(scores, violates.astype(np.float64), weights)
        return Probabilities("isotonic", at=at, values=values)
    slope, intercept = platt(log_odds(scores), violates, weights * (len(weights) / weights.sum()))
    return Probabilities("platt", slope=slope, intercept=intercept)


def log_odds(scores: Floats) -> Floats:
    """Of a prompt score, which is a share of a softmax: the difference of its two masses'
    logarithms, which is what Platt's sigmoid was made for."""
    inside = np.clip(scores, LEAST_SCORE, 1.0 - LEAST_SCORE)
    odds: Floats = np.log(inside) - np.log1p(-inside)
    return odds


def platt(margins: Floats, violates: NDArray[np.bool_], weights: Floats) -> tuple[float, float]:
    """(slope, intercept) of the sigmoid that fits best, by Newton's method with backtracking.

    Lin, Lin and Weng, "A note on Platt's probabilistic outputs for support vector machines",
    Machine Learning 68 (2007), with Platt's smoothed targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2),
    where weights count as that many labels.
    """
    positive, negative = float(weights[violates].sum()), float(weights[~violates].sum())
    targets = np.where(violates, (positive + 1) / (positive + 2), 1 / (negative + 2))
    slope, intercept = 0.0, math.log((positive + 1) / (negative + 1))
    loss = _loss(slope * margins + intercept, targets, weights)
    for _ in range(100):
        p = _sigmoid(slope * margins + intercept)
        spread, miss = weights * p * (1 - p), weights * (p - targets)
        gradient = np.array([miss @ margins, miss.sum()])
        if np.abs(gradient).max() < 1e-9 * max(1.0, float(weights.sum())):
            break
        cross = spread @ margins
        # A hair on the diagonal keeps it invertible where all margins are equal.
        hessian = np.array([[spread @ margins**2, cross], [cross, spread.sum()]])
        step = np.linalg.solve(hessian + 1e-12 * np.eye(2), -gradient)
        length = 1.0
        while length > 1e-10:
            tried = (slope + length * step[0], intercept + length * step[1])
            new = _loss(tried[0] * margins + tried[1], targets, weights)
            if new < loss + 1e-4 * length * float(gradient @ step):
                (slope, intercept), loss = tried, new
                break
            length /= 2
        else:
            break
    return float(slope), float(intercept)


def _loss(logits: Floats, targets: Floats, weights: Floats) -> float:
    """Weighted cross-entropy, without overflow at any logit."""
    return float(weights @ (np.logaddexp(0.0, logits) - targets * logits))


def _sigmoid(logits: Floats) -> Floats:
    p: Floats = np.exp(-np.logaddexp(0.0, -logits))
    return p


def isotonic(scores: Floats, outcomes: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """(scores, values) of the rising step function nearest to the outcomes, in weighted squares.

    Pool adjacent violators (Ayer et al., Ann. Math. Stat. 26, 1955): blocks whose means fall are
    joined until none does. Each block stands with its first and last score.
    """
    at, place = np.unique(scores, return_inverse=True)
    mass = np.bincount(place, weights)
    mean = np.bincount(place, weights * outcomes) / mass
    blocks: list[tuple[float, float, int]] = []
    """(mean, mass, scores in it)"""
    for value, own in zip(mean.tolist(), mass.tolist(), strict=True):
        count = 1
        while blocks and blocks[-1][0] >= value:
            before, held, more = blocks.pop()
            value = (before * held + value * own) / (held + own)
            own, count = own + held, count + more
        blocks.append((value, own, count))
    ends = np.cumsum([count for _, _, count in blocks])
    starts = np.concatenate(([0], ends[:-1]))
    kept = np.stack((starts, ends - 1), axis=1).reshape(-1)
    values = np.repeat([value for value, _, _ in blocks], 2)
    single = np.concatenate(([True], kept[1:] != kept[:-1]))
    return at[kept[single]], values[single]
