"""Scores over time into segments: hysteresis and minimum duration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.intervals import Interval

LATE_S, LATE_SHARE = 0.125, 1 / 8
"""What a span may lack, in seconds and as a share: a sample is the first frame at or after a
moment, or one of the next where decoding is fast, and then it stands for less than a step."""


@dataclass(frozen=True)
class ScoredSpan:
    """A span on which a score stayed up: `interval`, and its highest sample."""

    interval: Interval
    peak_s: float
    score: float


def sample_ends(
    times_s: NDArray[np.float64], end_s: float, gaps: Sequence[Interval]
) -> NDArray[np.float64]:
    """(T,) the time up to which each sample stands: the next sample, or the end of the video.

    A gap, in which samples were planned and none could be read, ends it earlier: what was not
    seen is not taken for what was seen before it.
    """
    ends = np.append(times_s[1:], max(end_s, float(times_s[-1])))
    for gap in gaps:
        before = int(np.searchsorted(times_s, gap.start_s + 1e-9)) - 1
        if before >= 0:
            ends[before] = min(ends[before], max(gap.start_s, float(times_s[before])))
    return ends


def find_spans(
    times_s: NDArray[np.float64],
    scores: NDArray[np.float64],
    *,
    end_s: float,
    enter: float,
    leave: float,
    min_duration_s: float = 0.0,
    gaps: Sequence[Interval] = (),
) -> list[ScoredSpan]:
    """Spans that open where the score reaches `enter` and close where it falls below `leave`.

    times_s: (T,) ascending, seconds. scores: (T,) 0..1. end_s: where the video ends. gaps: where
    samples were planned and none could be read; no span reaches across one.
    Two thresholds (a Schmitt trigger) keep a score that trembles around one of them from cutting
    a scene into pieces. Before a span opens, earlier samples at or above `leave` are not taken
    in: a span starts at evidence. Spans shorter than `min_duration_s` by more than LATE_S, or
    LATE_SHARE of it, are dropped.
    """
    if times_s.shape != scores.shape:
        raise ValueError(f"{times_s.shape=} and {scores.shape=} must agree")
    if not leave <= enter:
        raise ValueError(f"a span must close at or below where it opens: {leave=} {enter=}")
    if len(times_s) == 0:
        return []
    ends = sample_ends(times_s, end_s, gaps)
    spans = []
    for first, last in _runs(times_s, ends, scores, enter, leave):
        peak = first + int(np.argmax(scores[first : last + 1]))
        interval = Interval(float(times_s[first]), float(ends[last]))
        if interval.length_s + min(LATE_S, LATE_SHARE * min_duration_s) + 1e-9 >= min_duration_s:
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
