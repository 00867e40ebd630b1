"""Intervals of proportions: Wilson's for one, Newcombe's for the difference of two paired ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""The 0.975 quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, of: int) -> Estimate:
    """The proportion `successes` / `of`, 0..1, with Wilson's score interval (JASA 22:209, 1927).

    It keeps within 0..1 and holds for few trials and for proportions near the ends, where the
    textbook's normal interval does not. Raises ValueError for counts that make no proportion.
    """
    if not 0 <= successes <= of or of == 0:
        raise ValueError(f"{successes} of {of} is no proportion")
    share = successes / of
    squared = Z_95 * Z_95
    middle = (2 * successes + squared) / (2 * (of + squared))
    half = Z_95 * math.sqrt(squared + 4 * successes * (1 - share)) / (2 * (of + squared))
    # Rounding must not put the ends a hair beside the proportion that they hold.
    return Estimate(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


@dataclass(frozen=True)
class Paired:
    """How many of the same things are so before and after: a fourfold table."""

    both: int
    before: int
    """Only before."""
    after: int
    """Only after."""
    neither: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.both + self.before + self.after + self.neither


def paired_difference(table: Paired) -> Estimate:
    """Proportion after less proportion before, -1..1, of the same things, with a 95 % interval.

    Method 10 of Newcombe, "Improved confidence intervals for the difference between binomial
    proportions based on paired data", Stat Med 17:2635 (1998): the Wilson intervals of the two
    proportions, put together with the correlation of the pairs, which is corrected for continuity
    where it is positive. Raises ValueError for an empty table.
    """
    both, first, second, neither = table.both, table.after, table.before, table.neither
    after = wilson(both + first, table.total)
    before = wilson(both + second, table.total)
    correlation = _correlation(both, first, second, neither)
    difference = (first - second) / table.total
    below = _joined(after.value - after.low, before.high - before.value, correlation)
    above = _joined(after.high - after.value, before.value - before.low, correlation)
    return Estimate(difference, max(-1.0, difference - below), min(1.0, difference + above))


def _correlation(both: int, first: int, second: int, neither: int) -> float:
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if margins == 0:
        return 0.0
    product = float(both * neither - first * second)
    if product > 0:
        product = max(product - (both + first + second + neither) / 2, 0.0)
    return product / math.sqrt(margins)


def _joined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))


def mcnemar(table: Paired) -> float:
    """Two-sided p of the exact McNemar test, 0..1: how often chance alone turns the pairs that
    changed as unevenly as here or more so (a fair coin for each of them)."""
    changed = table.before + table.after
    tail = ways = 1
    for k in range(1, min(table.before, table.after) + 1):
        ways = ways * (changed - k + 1) // k
        tail += ways
    return min(1.0, float(2 * tail / (1 << changed)))
