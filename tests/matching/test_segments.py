"""Scores into segments: a table of small cases, each with the spans it must give."""

from __future__ import annotations

import numpy as np
import pytest

from vscan.intervals import Interval
from vscan.matching.segments import find_spans

CASES = [
    # name, times, scores, end, min duration, expected (start, end, peak, score)
    ("nothing reaches", [0, 1, 2], [0.1, 0.2, 0.1], 3, 0, []),
    ("one sample stands until the next", [0, 1, 2], [0.1, 0.9, 0.1], 3, 0, [(1, 2, 1, 0.9)]),
    ("the last one stands until the end", [0, 1, 2], [0.1, 0.2, 0.8], 2.5, 0, [(2, 2.5, 2, 0.8)]),
    ("exactly at the threshold opens", [0, 1], [0.5, 0.1], 2, 0, [(0, 1, 0, 0.5)]),
    ("trembling does not cut", [0, 1, 2, 3], [0.6, 0.45, 0.7, 0.1], 4, 0, [(0, 3, 2, 0.7)]),
    ("below release closes", [0, 1, 2], [0.6, 0.39, 0.6], 3, 0, [(0, 1, 0, 0.6), (2, 3, 2, 0.6)]),
    ("release alone does not open", [0, 1, 2], [0.45, 0.6, 0.1], 3, 0, [(1, 2, 1, 0.6)]),
    ("too short is dropped", [0, 1, 2], [0.1, 0.9, 0.1], 3, 1.5, []),
    ("long enough to the digit stays", [0, 1, 2], [0.1, 0.9, 0.1], 3, 1.0, [(1, 2, 1, 0.9)]),
    ("far samples stand until the next", [0, 1, 2, 10], [0.1, 0.1, 0.9, 0.9], 20, 0,
     [(2, 20, 2, 0.9)]),
    ("one sample alone stands for the video", [0], [0.9], 0.4, 0, [(0, 0.4, 0, 0.9)]),
    ("no samples", [], [], 0, 0, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "scores", "end", "shortest", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_spans(
    times: list[float],
    scores: list[float],
    end: float,
    shortest: float,
    expected: list[tuple[float, float, float, float]],
) -> None:
    """Spans open at 0.5, close below 0.4, and hold the times that the table says."""
    spans = find_spans(
        np.array(times, np.float64),
        np.array(scores, np.float64),
        end_s=end,
        enter=0.5,
        leave=0.4,
        min_duration_s=shortest,
    )
    found = [(s.interval.start_s, s.interval.end_s, s.peak_s, s.score) for s in spans]
    assert expected == [pytest.approx(row) for row in found]


def test_what_could_not_be_read_is_not_filled() -> None:
    """A gap ends the sample before it, and cuts a span in two."""
    spans = find_spans(
        np.array([0.0, 1.0, 8.0, 9.0]),
        np.array([0.9, 0.9, 0.9, 0.1]),
        end_s=10.0,
        enter=0.5,
        leave=0.4,
        gaps=[Interval(2.0, 8.0)],
    )
    assert [(0.0, 2.0), (8.0, 9.0)] == [(s.interval.start_s, s.interval.end_s) for s in spans]


def test_crossed_thresholds_are_refused() -> None:
    """A span cannot close above where it opens."""
    with pytest.raises(ValueError, match="close at or below"):
        find_spans(np.zeros(1), np.zeros(1), end_s=1.0, enter=0.4, leave=0.5)
