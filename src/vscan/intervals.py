"""Time intervals in seconds and what is asked of them: union, gaps, overlap, coverage."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Interval:
    """A closed span of presentation time, in seconds; `start_s <= end_s`, both finite."""

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s)):
            raise ValueError(f"interval must be finite, got {self.start_s}..{self.end_s}")
        if self.end_s < self.start_s:
            raise ValueError(f"interval ends before it starts: {self.start_s}..{self.end_s}")

    @property
    def length_s(self) -> float:
        """Seconds from start to end."""
        return self.end_s - self.start_s

    def overlap_s(self, other: Interval) -> float:
        """Seconds that both intervals hold; 0.0 where they do not meet."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))

    def pair(self) -> tuple[float, float]:
        """(start_s, end_s), rounded to the record's 3 decimals."""
        return (round(self.start_s, 3), round(self.end_s, 3))


def union(intervals: Iterable[Interval], *, join_s: float = 0.0) -> list[Interval]:
    """Sorted, disjoint intervals that cover the same time.

    Neighbours no more than `join_s` seconds apart become one.
    """
    merged: list[Interval] = []
    for interval in sorted(intervals):
        if merged and interval.start_s <= merged[-1].end_s + join_s:
            last = merged[-1]
            merged[-1] = Interval(last.start_s, max(last.end_s, interval.end_s))
        else:
            merged.append(interval)
    return merged


def gaps(intervals: Sequence[Interval], within: Interval) -> list[Interval]:
    """The parts of `within` that no interval covers, in order."""
    found: list[Interval] = []
    at = within.start_s
    for interval in union(intervals):
        if interval.end_s <= at:
            continue
        if interval.start_s >= within.end_s:
            break
        if interval.start_s > at:
            found.append(Interval(at, interval.start_s))
        at = interval.end_s
    if at < within.end_s:
        found.append(Interval(at, within.end_s))
    return found


def covered_share(intervals: Sequence[Interval], within: Interval) -> float:
    """Share 0..1 of `within` that the intervals cover; 1.0 where `within` has no length."""
    if within.length_s <= 0.0:
        return 1.0
    return 1.0 - sum(gap.length_s for gap in gaps(intervals, within)) / within.length_s
