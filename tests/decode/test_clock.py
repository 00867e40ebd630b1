"""The clock of a reading: times ascend, and a decoder's slip shifts nothing."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from vscan.decode.clock import Clock
from vscan.decode.ledger import Ledger
from vscan.sampling import GridRequest


def times(pts: list[int | None], *, in_order: bool) -> list[float]:
    """What the clock says of frames with these times, a tenth of a second each."""
    clock = Clock(
        tick_s=0.1, frame_s=0.1, from_first_packet=False, longest_s=1e6, in_order=in_order
    )
    ledger = Ledger(GridRequest(1.0), 0.1)
    told = []
    for each in pts:
        frame = av.VideoFrame(16, 16, "gray")
        frame.pts, frame.time_base = each, Fraction(1, 10)
        told.append(round(clock.time_of(frame, ledger)[0], 6))
    return told


def test_from_the_first_frame() -> None:
    """The first frame is at 0, whatever its number."""
    assert [0.0, 0.1, 0.5] == times([70, 71, 75], in_order=True)


def test_without_a_time() -> None:
    """A frame without a time follows the one before it."""
    assert [0.0, 0.1, 0.2] == times([0, None, 2], in_order=True)


@pytest.mark.parametrize("in_order", [True, False])
def test_a_frame_a_little_late(in_order: bool) -> None:
    """It comes half a frame after the one before, and the next keeps its own time."""
    assert [0.0, 0.3, 0.35, 0.4] == times([0, 3, 2, 4], in_order=in_order)


def test_a_slip_of_the_decoder() -> None:
    """Where the packets are in order, a frame that leaps back moves no other one."""
    assert [0.0, 18.7, 18.75, 18.9] == times([0, 187, 147, 189], in_order=True)


def test_times_that_begin_anew() -> None:
    """Where the packets may say so, what follows goes on from there."""
    assert [0.0, 18.7, 18.8, 18.9] == times([0, 187, 0, 1], in_order=False)
