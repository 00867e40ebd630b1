"""Scores over time into segments: hysteresis and minimum duration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.intervals import Interval


@dataclass(frozen=True)
class ScoredSpan:
    """A span on which a score stayed up: `interval`, and its highest sample."""

    interval: Interval
    peak_s: float
    score: float


def sample_ends(times_s: NDArray[np.float64], end_s: float, hold_s: float) -> NDArray[np.float64]:
    """(T,) the time up to which each sample stands: the next sample, or the end of the video.

    A sample never stands for longer than `hold_s`, so that a stretch which could not be read is
    not taken for what was seen before it.
    """
    following = np.append(times_s[1:], max(end_s, float(times_s[-1])) if len(times_s) else 0.0)
    held: NDArray[np.float64] = np.minimum(following, times_s + hold_s)
    return held


def typical_hold_s(times_s: NDArray[np.float64]) -> float:
    """Seconds for which a sample may stand: one and a half of the median distance of samples."""
    if len(times_s) < 2:
        return float("inf")
    return 1.5 * float(np.median(np.diff(times_s)))


def find_spans(
    times_s: NDArray[np.float64],
    scores: NDArray[np.float64],
    *,
    end_s: float,
    enter: float,
    leave: float,
    min_duration_s: float = 0.0,
) -> list[ScoredSpan]:
    """Spans that open where the score reaches `enter` and close where it falls below `leave`.

    times_s: (T,) ascending, seconds. scores: (T,) 0..1. end_s: where the video ends.
    Two thresholds (a Schmitt trigger) keep a score that trembles around one of them from cutting
    a scene into pieces. Before a span opens, earlier samples at or above `leave` are not taken
    in: a span starts at evidence. Spans shorter than `min_duration_s` are dropped.
    """
    if times_s.shape != scores.shape:
        raise ValueError(f"{times_s.shape=} and {scores.shape=} must agree")
    if not leave <= enter:
        raise ValueError(f"a span must close at or below where it opens: {leave=} {enter=}")
    if len(times_s) == 0:
        return []
    ends = sample_ends(times_s, end_s, typical_hold_s(times_s))
    spans = []
    for first, last in _runs(times_s, ends, scores, enter, leave):
        peak = first + int(np.argmax(scores[first : last + 1]))
        interval = Interval(float(times_s[first]), float(ends[last]))
        if interval.length_s + 1e-9 >= min_duration_s:
            spans.append(ScoredSpan(interval, float(times_s[peak]), float(scores[peak])))
    return spans


def _runs(
    times_s: NDArray[np.float64],
    ends: NDArray[np.float64],
    scores: NDArray[np.float64],
    enter: float,
    leave: float,
) -> Iterator[tuple[int, int]]:
    """(first, last) sample of every run: an unread stretch between two samples ends a run."""
    first: int | None = None
    for i, score in enumerate(scores):
        torn = i > 0 and ends[i - 1] < times_s[i] - 1e-9
        if first is not None and (score < leave or torn):
            yield first, i - 1
            first = None
        if first is None and score >= enter:
            first = i
    if first is not None:
        yield first, len(scores) - 1
