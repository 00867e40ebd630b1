"""How well probabilities agree with what was labelled: bins of equal mass, ECE, Brier score."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vscan.metrics.proportions import wilson

BINS = 10
LEAST_IN_BIN = 10
"""Labels of a bin at least, so that fewer bins are made of few labels."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Labelled videos with neighbouring probabilities."""

    probability: float
    """Their mean probability, 0..1."""
    observed: float
    """The share of them that violates, 0..1."""
    low: float | None
    """Of Wilson's 95 % interval of `observed`; null where weights differ, for it then holds not."""
    high: float | None
    labels: int


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """How well probabilities agree with labels that they were not fitted on."""

    labels: int
    bins: tuple[ReliabilityBin, ...]
    """Of about as many labels each, the least probable first."""
    ece: float
    """Expected calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015): the mean distance of
    `probability` and `observed`, by bin. It depends on the bins, and chance alone keeps it above
    0."""
    brier: float
    """Mean squared distance of probability and outcome (Brier 1950): 0 is perfect."""
    brier_raw: float
    """The same where the score itself is taken for a probability, which it is not."""
    brier_constant: float
    """The same where every video gets the share that violates: what knows nothing of the video."""


def reliability(
    probabilities: Floats, scores: Floats, violates: NDArray[np.bool_], weights: Floats
) -> Reliability:
    """Of labelled videos (N,), N at least 1, that the probabilities were not fitted on."""
    outcomes = violates.astype(np.float64)
    share = weights / weights.sum()
    even = bool((weights == weights[0]).all())
    order = np.argsort(probabilities, kind="stable")
    bins, error = [], 0.0
    for part in _parts(probabilities[order]):
        own = order[part]
        mass = float(share[own].sum())
        mean = float(share[own] @ probabilities[own]) / mass
        observed = float(share[own] @ outcomes[own]) / mass
        error += mass * abs(mean - observed)
        interval = wilson(int(violates[own].sum()), len(own)) if even else None
        bins.append(
            ReliabilityBin(
                probability=round(mean, 4),
                observed=round(observed, 4),
                low=None if interval is None else round(interval.low, 4),
                high=None if interval is None else round(interval.high, 4),
                labels=len(own),
            )
        )
    base = float(share @ outcomes)
    return Reliability(
        labels=len(scores),
        bins=tuple(bins),
        ece=round(error, 4),
        brier=round(float(share @ (probabilities - outcomes) ** 2), 4),
        brier_raw=round(float(share @ (scores - outcomes) ** 2), 4),
        brier_constant=round(base * (1 - base), 4),
    )


def _parts(ordered: Floats) -> list[slice]:
    """Bins of ascending probabilities: equal ones are never in two bins."""
    count = max(1, min(BINS, len(ordered) // LEAST_IN_BIN))
    cuts = np.linspace(0, len(ordered), count + 1).round().astype(int)[1:-1]
    moved = np.searchsorted(ordered, ordered[cuts], side="left") if len(cuts) else cuts
    bounds = np.unique(np.concatenate(([0], moved, [len(ordered)])))
    return [slice(int(a), int(b)) for a, b in pairwise(bounds)]
