"""Intervals of time: union, gaps, overlap and coverage, by cases and by what must always hold."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vscan.intervals import Interval, covered_share, gaps, union

ends = st.integers(0, 60).map(lambda n: n / 4)
intervals = st.tuples(ends, ends).map(lambda pair: Interval(min(pair), max(pair)))
lists = st.lists(intervals, max_size=8)


@pytest.mark.parametrize(
    ("pairs", "join_s", "expected"),
    [
        ([], 0.0, []),
        ([(1, 2)], 0.0, [(1, 2)]),
        ([(3, 4), (1, 2)], 0.0, [(1, 2), (3, 4)]),
        ([(1, 2), (2, 3)], 0.0, [(1, 3)]),
        ([(1, 5), (2, 3)], 0.0, [(1, 5)]),
        ([(1, 2), (2.5, 3)], 0.4, [(1, 2), (2.5, 3)]),
        ([(1, 2), (2.5, 3)], 0.5, [(1, 3)]),
    ],
)
def test_union(
    pairs: list[tuple[float, float]], join_s: float, expected: list[tuple[float, float]]
) -> None:
    """Sorted and disjoint; what touches, or lies within `join_s`, becomes one."""
    joined = union([Interval(*pair) for pair in pairs], join_s=join_s)
    assert [Interval(*pair) for pair in expected] == joined


@pytest.mark.parametrize(
    ("pairs", "expected", "share"),
    [
        ([], [(0, 10)], 0.0),
        ([(0, 10)], [], 1.0),
        ([(-5, 2), (4, 6)], [(2, 4), (6, 10)], 0.4),
        ([(4, 6), (5, 20)], [(0, 4)], 0.6),
        ([(10, 20)], [(0, 10)], 0.0),
    ],
)
def test_gaps_and_coverage(
    pairs: list[tuple[float, float]], expected: list[tuple[float, float]], share: float
) -> None:
    """What of 0..10 is not covered, and the share that is."""
    given_ = [Interval(*pair) for pair in pairs]
    assert [Interval(*pair) for pair in expected] == gaps(given_, Interval(0, 10))
    assert share == pytest.approx(covered_share(given_, Interval(0, 10)))


def test_nothing_to_cover() -> None:
    """An interval without length is covered."""
    assert 1.0 == covered_share([], Interval(3, 3))


@pytest.mark.parametrize("pair", [(2, 1), (math.nan, 1), (0, math.inf)])
def test_what_is_no_interval(pair: tuple[float, float]) -> None:
    """An end before the start, or one that is no finite number, is refused."""
    with pytest.raises(ValueError, match="interval"):
        Interval(*pair)


def test_pair_is_rounded_as_records_are() -> None:
    """Three decimals."""
    assert (0.333, 1.667) == Interval(1 / 3, 5 / 3).pair()


@given(intervals, intervals)
def test_overlap(one: Interval, two: Interval) -> None:
    """Overlap is mutual, and never longer than the shorter of both."""
    assert one.overlap_s(two) == two.overlap_s(one) <= min(one.length_s, two.length_s)


@given(lists, intervals)
def test_covered_and_gaps_are_the_whole(found: list[Interval], within: Interval) -> None:
    """Gaps are in order, within, disjoint from every interval, and fill what is not covered."""
    free = gaps(found, within)
    assert free == sorted(free)
    for gap in free:
        assert within.start_s <= gap.start_s < gap.end_s <= within.end_s
        assert 0.0 == sum(gap.overlap_s(each) for each in found)
    if within.length_s:
        covered = within.length_s - sum(gap.length_s for gap in free)
        assert covered / within.length_s == pytest.approx(covered_share(found, within))


@given(lists)
def test_union_loses_no_time(found: list[Interval]) -> None:
    """Every interval lies within one of the union, whose parts do not meet."""
    joined = union(found)
    assert all(one.end_s < two.start_s for one, two in pairwise(joined))
    assert all(
        any(part.start_s <= each.start_s and each.end_s <= part.end_s for part in joined)
        for each in found
    )
    assert joined == union(joined)
