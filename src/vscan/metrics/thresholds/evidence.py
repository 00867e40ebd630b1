"""Tests for labels that stand for different numbers of videos: betting on weighted outcomes.

A threshold t misses a precision of r where the mean over all videos of z = flagged · (r - violates)
is 0 or more; a recall of r where that of z = violates · (r - flagged) is. Somebody who bets against
that with a fixed stake multiplies their capital by 1 - stake · weight · z at each label. Under the
hypothesis the capital is expected to stay at 1 or fall, so 1 / capital is a p-value (Markov), and
so it is for the mean of the capital under several stakes (Waudby-Smith and Ramdas, "Estimating
means of bounded random variables by betting", JRSS B 86, 2024; their `hedged` capital with stakes
that are fixed beforehand).

It holds for labels that were drawn one by one with chances that the weights undo, and for samples
of a fixed size from each stratum: with n_h draws of weight N_h / n_h and mean m_h the expected
capital is at most the product of (1 - stake · weight_h · m_h) ** n_h, so exp(-stake · sum of N_h ·
m_h), which is 1 or less. Without replacement the draws are negatively associated, each factor is
monotone in one of them, and the bound stays (Joag-Dev and Proschan, Ann. Stat. 11, 1983). Stakes
that learn on the way would be sharper and would lose this. It is more careful than the exact tail
for equal weights: it asks for about twice as many labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STAKES = np.array([0.005, 0.01, 0.02, 0.04, 0.07, *np.arange(1, 20) / 20])
"""Shares of the largest stake at which no outcome costs more than everything."""

Floats = NDArray[np.float64]


def precision_p(
    scores: Floats, violates: NDArray[np.bool_], weights: Floats, thresholds: Floats, target: float
) -> Floats:
    """(K,) p-values of "precision at that threshold is at most `target`".

    scores, violates, weights: (N,). thresholds: (K,).
    """
    right, wrong = _steps(weights, weights.max(initial=0.0), target)
    return _p(_flagged(scores, np.where(violates, right, wrong), thresholds))


def recall_p(
    scores: Floats, violates: NDArray[np.bool_], weights: Floats, thresholds: Floats, target: float
) -> Floats:
    """(K,) p-values of "recall at that threshold is at most `target`"; arguments as above."""
    found, missed = _steps(weights[violates], weights.max(initial=0.0), target)
    all_missed = missed.sum(axis=1, keepdims=True)
    return _p(all_missed + _flagged(scores[violates], found - missed, thresholds))


def _steps(weights: Floats, most: float, target: float) -> tuple[Floats, Floats]:
    """(S, N) logarithms of what each label multiplies the capital by: where it speaks for the
    threshold, and where it speaks against it.

    most: the largest weight that any label could have had, be it of one that says nothing here: a
    stratum of which no violating video was drawn may still hold some.
    """
    stakes = STAKES[:, None] / target * (weights / most)
    return np.log1p(stakes * (1.0 - target)), np.log1p(-stakes * target)


def _flagged(scores: Floats, steps: Floats, thresholds: Floats) -> Floats:
    """(S, K) sums of the steps (S, N) of all that each threshold flags."""
    order = np.argsort(-scores, kind="stable")
    sums = np.concatenate((np.zeros((len(steps), 1)), np.cumsum(steps[:, order], axis=1)), axis=1)
    count = np.searchsorted(-scores[order], -thresholds, side="right")
    picked: Floats = sums[:, count]
    return picked


def _p(logs: Floats) -> Floats:
    """(K,) 1 over the mean capital, at most 1."""
    top = logs.max(axis=0)
    capital = top + np.log(np.exp(logs - top).mean(axis=0))
    p: Floats = np.exp(np.minimum(0.0, -capital))
    return p
