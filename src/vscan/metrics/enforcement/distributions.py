"""Whether two samples of scores come from one distribution: Kolmogorov and Smirnov's test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_EXACT = 250_000
"""Product of the sizes up to which p is counted out; above it the limit's error is below 0.001."""


@dataclass(frozen=True)
class Distance:
    """How far two samples lie apart."""

    value: float
    """The largest difference of their cumulative shares, 0..1."""
    p: float
    method: str
    """`exact` or `asymptotic`."""


def kolmogorov_smirnov(one: Sequence[float], other: Sequence[float]) -> Distance:
    """The two-sample test, two-sided, of samples that are not empty.

    Exact p by counting lattice paths (Hodges, Ark Mat 3:469, 1958), for samples without ties; ties
    make it too large, never too small. For large samples the limit of Kolmogorov (Smirnov, Ann Math
    Stat 19:279, 1948). Raises ValueError for an empty sample.
    """
    first, second = np.sort(np.asarray(one)), np.sort(np.asarray(other))
    m, n = len(first), len(second)
    if not m or not n:
        raise ValueError("an empty sample has no distribution")
    values = np.concatenate((first, second))
    apart = np.abs(
        np.searchsorted(first, values, side="right") * n
        - np.searchsorted(second, values, side="right") * m
    )
    # In whole numbers, so that equal distances are equal.
    steps = int(apart.max())
    value = steps / (m * n)
    if m * n <= MOST_EXACT:
        return Distance(value, _exact(m, n, steps), "exact")
    return Distance(value, _limit(value * math.sqrt(m * n / (m + n))), "asymptotic")


def _exact(m: int, n: int, steps: int) -> float:
    """The chance of paths from (0, 0) to (m, n) to come `steps` or more off the diagonal."""
    if not steps:
        return 1.0
    # The chance to come to each point of a row without having been off that far: of the ways to a
    # point, row / (row + column) come from the row before.
    inside = [0.0] * (n + 1)
    for row in range(m + 1):
        for column in range(n + 1):
            if abs(row * n - column * m) >= steps:
                inside[column] = 0.0
            elif row or column:
                left = inside[column - 1] if column else 0.0
                inside[column] = (left * column + inside[column] * row) / (row + column)
            else:
                inside[column] = 1.0
    return min(1.0, max(0.0, 1.0 - inside[n]))


def _limit(scaled: float) -> float:
    """Kolmogorov's distribution, the upper tail."""
    if scaled < 0.2:
        return 1.0
    terms = ((-1) ** (k - 1) * math.exp(-2.0 * (k * scaled) ** 2) for k in range(1, 101))
    return float(min(1.0, max(0.0, 2.0 * sum(terms))))
