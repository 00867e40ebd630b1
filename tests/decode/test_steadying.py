"""Timestamps that leap: what is damaged is put in place, and what is true is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vscan.decode.steadying import steadied

FRAME, LEAP, CEILING = 10, 100, 10_000_000


def steady(ticks: list[int], *, bridge: int | None = None, kept: tuple[int, ...] = ()) -> list[int]:
    """The ticks as they come out, also where nothing was to be done."""
    given_ticks = np.array(ticks, np.int64)
    found = steadied(given_ticks, leap=LEAP, frame=FRAME, ceiling=CEILING, bridge=bridge, kept=kept)
    ticks_out: list[int] = (given_ticks if found is None else found).tolist()
    return ticks_out


def even(start: int, count: int) -> list[int]:
    """So many ticks, a frame apart."""
    return [start + FRAME * k for k in range(count)]


@pytest.mark.parametrize(
    "ticks",
    [[], [5], even(0, 9), [0, 30, 10, 20, 60, 40, 50], even(0, 5) + even(5000, 5)],
    ids=["none", "one", "even", "reordered", "a pause"],
)
def test_nothing_to_do(ticks: list[int]) -> None:
    """Times in order, reordered as decoders do, or with a pause are those of the file."""
    assert ticks == steady(ticks)


def test_a_damaged_time() -> None:
    """One that leaps back stands where it stands in the file, and nothing after it moves."""
    ticks = even(0, 20)
    damaged = [*ticks[:8], -90_000, *ticks[9:]]
    assert [*ticks[:8], 80, *ticks[9:]] == steady(damaged)


def test_a_damaged_time_far_ahead() -> None:
    """A few beyond the ceiling are damaged; where many are, the file is so long."""
    ticks = even(0, 20)
    assert [*ticks[:8], 80, *ticks[9:]] == steady([*ticks[:8], 20 * CEILING, *ticks[9:]])
    long = even(0, 10) + even(2 * CEILING, 10)
    assert long == steady(long)


def test_a_clock_that_starts_anew() -> None:
    """What follows goes on behind what was before it."""
    assert even(5000, 10) + even(5100, 5) == steady(even(5000, 10) + even(0, 5))


def test_a_bridge() -> None:
    """Where clocks may start anew a leap forward is closed, unless content was lost there."""
    ticks = even(0, 5) + even(90_000, 5)
    assert ticks == steady(ticks)
    assert even(0, 10) == steady(ticks, bridge=1000)
    assert ticks == steady(ticks, bridge=1000, kept=(5,))


@given(
    st.integers(20, 200).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.dictionaries(
                st.integers(1, count - 1), st.integers(-(1 << 40), 1 << 40), max_size=count // 20
            ),
        )
    )
)
def test_sound_times_do_not_move(made: tuple[int, dict[int, int]]) -> None:
    """However a few timestamps are damaged, the others keep their time, as far as a leap can be
    told from frames in another order: a damaged one that is near to its true time cannot."""
    count, damaged = made
    assume(all(abs(value - FRAME * index) > 2 * LEAP for index, value in damaged.items()))
    true = np.array(even(0, count))
    ticks = true.copy()
    for index, value in damaged.items():
        ticks[index] = value
    found = np.array(steady(ticks.tolist()))
    moved = np.abs(found - true) > 2 * LEAP
    assert moved.sum() <= 4 * len(damaged)
