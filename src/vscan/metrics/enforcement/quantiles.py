"""Quantiles with intervals that assume nothing of how the values are distributed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_HALF = 0.025
"""Of the 5 % that a 95 % interval may miss, on each side."""


@dataclass(frozen=True)
class Quantile:
    """A sample quantile and its 95 % interval; an end is None where the sample is too small to have
    a value that bounds it."""

    value: float
    low: float | None
    high: float | None


def quantile(ordered: Sequence[float], share: float) -> Quantile:
    """The value below which `share` (0..1, ends excluded) of what was sampled lies.

    ordered: at least one value, ascending. The sample quantile is the order statistic of rank
    ceil(n share) (definition 1 of Hyndman and Fan, Am Stat 50:361, 1996). The interval's ends are
    order statistics too: the number of values below the true quantile is binomial (n, share)
    whatever the distribution, so each end is the nearest one that misses with at most 2.5 %
    (Conover, Practical Nonparametric Statistics, 3rd ed., 1999, section 3.2). Raises ValueError for
    an empty sample or a share outside of 0..1.
    """
    size = len(ordered)
    if not size or not 0.0 < share < 1.0:
        raise ValueError(f"no quantile {share} of {size} values")
    # The quantile lies below the r-th value exactly where fewer than r values lie below it.
    below = [0.0]
    for count in range(size):
        below.append(below[-1] + _chance(count, size, share))
    lows = [rank for rank in range(1, size + 1) if below[rank] <= _HALF]
    highs = [rank for rank in range(1, size + 1) if 1.0 - below[rank] <= _HALF]
    return Quantile(
        ordered[min(size, max(1, math.ceil(size * share - 1e-9))) - 1],
        ordered[lows[-1] - 1] if lows else None,
        ordered[highs[0] - 1] if highs else None,
    )


def _chance(count: int, size: int, share: float) -> float:
    """That exactly `count` of `size` happen, each with the chance `share`."""
    ways = math.lgamma(size + 1) - math.lgamma(count + 1) - math.lgamma(size - count + 1)
    return math.exp(ways + count * math.log(share) + (size - count) * math.log1p(-share))
