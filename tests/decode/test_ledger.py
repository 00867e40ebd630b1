"""The account of a reading: what is planned, what counts as read, what is a gap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vscan.decode.ledger import Ledger, wanted_of
from vscan.media import ReadReport
from vscan.sampling import (
    EveryRequest,
    FrameRequest,
    GridRequest,
    KeyframesRequest,
    TimesRequest,
)


def account(
    request: FrameRequest,
    frames: list[float],
    promised: list[float] | None = None,
    *,
    frame_s: float = 0.1,
) -> tuple[list[float], ReadReport]:
    """The frames taken of `frames`, and the report; packets promised the same or more."""
    ledger = Ledger(request, tick_s=1e-3)
    ahead = sorted(promised if promised is not None else frames)
    taken = []
    for time_s in frames:
        while ahead and ahead[0] <= time_s + 0.5:  # packets run ahead of frames
            ledger.promise(ahead.pop(0))
        if ledger.offer(time_s, frame_s):
            taken.append(time_s)
    for time_s in ahead:
        ledger.promise(time_s)
    return taken, ledger.report("test")


def tenths(first: int, last: int) -> list[float]:
    """Frame times of a clip with ten frames a second."""
    return [k / 10 for k in range(first, last)]


@pytest.mark.parametrize(
    ("request_", "frames", "taken", "planned"),
    [
        (GridRequest(1.0), tenths(0, 25), [0.0, 1.0, 2.0], 3),
        (GridRequest(1.0), [0.0, 0.9999996, 2.0], [0.0, 0.9999996, 2.0], 3),
        (GridRequest(1.0), [0.0, 0.98, 1.02], [0.0, 1.02], 2),
        (GridRequest(1.0), [0.0, 2.5, 5.0], [0.0, 2.5, 5.0], 6),
        (GridRequest(0.01), [0.0, 0.1], [0.0, 0.1], 11),
        (TimesRequest((0.15, 0.7, 9.0)), tenths(0, 10), [0.2, 0.7], 2),
        (TimesRequest((0.11, 0.12)), tenths(0, 10), [0.2], 2),
        (EveryRequest(4), tenths(0, 10), [0.0, 0.4, 0.8], 3),
        (KeyframesRequest(), [0.0, 1.2], [0.0, 1.2], 2),
    ],
)
def test_a_whole_video_is_read_in_full(
    request_: FrameRequest, frames: list[float], taken: list[float], planned: int
) -> None:
    """Each request takes the first frame at or after its times, once, and misses nothing."""
    actual, report = account(request_, frames)
    assert taken == actual
    assert (planned, planned, 1.0, ()) == (
        report.planned,
        report.read,
        report.coverage,
        report.gaps_s,
    )


def test_a_hole_is_a_gap_and_not_read() -> None:
    """Grid times whose own frames were promised and lost are missed, though a later frame comes."""
    frames = tenths(0, 35) + tenths(67, 100)
    taken, report = account(GridRequest(1.0), frames, tenths(0, 100))
    assert [0.0, 1.0, 2.0, 3.0, 6.7, 7.0, 8.0, 9.0] == taken
    assert (10, 7) == (report.planned, report.read)
    assert ((4.0, 6.7),) == report.gaps_s


def test_one_lost_frame_is_no_gap() -> None:
    """The next frame shows the same moment, so its neighbour's loss costs no coverage."""
    frames = [time_s for time_s in tenths(0, 30) if time_s != 1.0]
    taken, report = account(GridRequest(1.0), frames, tenths(0, 30))
    assert [0.0, 1.1, 2.0] == taken
    assert (3, 3, ()) == (report.planned, report.read, report.gaps_s)


def test_a_lost_end_is_a_gap() -> None:
    """What the packets promise beyond the last frame counts as planned and missed."""
    _, report = account(GridRequest(1.0), tenths(0, 25), tenths(0, 50))
    assert (5, 3) == (report.planned, report.read)
    assert ((3.0, 5.0),) == report.gaps_s
    assert report.end_s == pytest.approx(5.0)


def test_a_sparse_video_has_no_gaps() -> None:
    """A frame that lasts ten seconds serves ten grid times: nothing was promised in between."""
    taken, report = account(GridRequest(1.0), [0.0, 10.0, 20.0], frame_s=10.0)
    assert [0.0, 10.0, 20.0] == taken
    assert (21, 21, 30.0) == (report.planned, report.read, report.end_s)


def test_lost_frames_count_in_file_order() -> None:
    """Every fourth frame stays every fourth of the file's, whatever was lost before."""
    frames = [t for t in tenths(0, 20) if not 0.55 < t < 0.95]
    taken, report = account(EveryRequest(4), frames, tenths(0, 20))
    assert [0.0, 0.4, 1.2, 1.6] == taken
    assert (5, 4) == (report.planned, report.read)


def test_gaps_are_bounded() -> None:
    """However many gaps a file has, the record keeps a bounded list, joined at its end."""
    frames = [k * 2.0 for k in range(1500)]
    _, report = account(GridRequest(0.1), frames, [k * 0.5 for k in range(6000)], frame_s=0.1)
    assert len(report.gaps_s) <= 1000
    assert report.gaps_s[-1][1] >= frames[-1]


@given(
    st.lists(st.integers(0, 4000), min_size=1, max_size=60, unique=True),
    st.one_of(
        st.sampled_from([0.1, 1 / 3, 1.0, 1001 / 1000]).map(GridRequest),
        st.lists(st.integers(0, 4000), min_size=1, max_size=9, unique=True).map(
            lambda ms: TimesRequest(tuple(sorted(each / 1000 for each in ms)))
        ),
    ),
)
def test_wanted_at_once(milliseconds: list[int], request: FrameRequest) -> None:
    """What is said of all times at once is what a ledger wants when they are offered one by one."""
    times_s = np.array(sorted(milliseconds)) / 1000
    ledger = Ledger(request, tick_s=1e-3)
    offered = [ledger.offer(time_s, 0.001) for time_s in times_s.tolist()]
    wanted = wanted_of(request, times_s, 1e-3)
    assert wanted is not None
    assert wanted.tolist() == offered
