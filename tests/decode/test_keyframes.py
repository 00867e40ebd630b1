"""Of keyframes that lie densely, no more are decoded than are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from tests.media_factory import scene_frames, write_video
from vscan.decode.keyframes import Numbered, keyframes_of
from vscan.decode.workers import ReaderPool
from vscan.media import Measure
from vscan.sampling import KeyframesRequest


@dataclass
class Marked:
    """What is looked at of a packet."""

    pts: int | None
    is_keyframe: bool = True


def taken(times: list[int | None], max_gap: float) -> list[int | None]:
    """Times of the keyframes taken, of packets that are all keyframes."""
    packets = [cast(Numbered, (k, Marked(time))) for k, time in enumerate(times)]
    return [cast(Any, packet).pts for _, packet in keyframes_of(packets, max_gap)]


@given(st.lists(st.integers(0, 400), min_size=1, unique=True), st.integers(1, 120))
def test_the_fewest_that_leave_no_wider_gap(times: list[int], max_gap: int) -> None:
    """First and last stay; a gap between two that were taken is wider than asked for only where
    there was none in between, and none could be left out."""
    times = sorted(times)
    found = cast(list[int], taken(list(times), max_gap))
    assert (times[0], times[-1]) == (found[0], found[-1])
    for start, stop in pairwise(found):
        assert stop - start <= max_gap or not [t for t in times if start < t < stop]
    for before, between, after in zip(found, found[1:], found[2:], strict=False):
        assert after - before > max_gap or after == times[-1], between


def test_all_where_nothing_is_asked_or_told() -> None:
    """Without a gap all are taken; one without a time and the next one are, and those of a clock
    that leaps back begin anew."""
    assert [0, 1, 2] == taken([0, 1, 2], 0)
    assert [0, None, 1, 3] == taken([0, None, 1, 2, 3], 5)
    assert [0, 6, 1, 5] == taken([0, 2, 6, 1, 2, 5], 9)


def test_of_a_real_file(tmp_path: Path) -> None:
    """Of a video of keyframes alone, one every two seconds is decoded, and the last."""
    frames = scene_frames(seed=1, count=65, width=64, height=48)
    path = write_video(tmp_path / "all.mp4", frames, fps=10, options={"g": "1"})
    with ReaderPool(1) as pool, pool.session(path) as video:
        times = [t for batch in video.read(KeyframesRequest(2.0), Measure()) for t in batch.times_s]
        assert [0.0, 2.0, 4.0, 6.0, 6.4] == [round(float(t), 3) for t in times]
        assert video.report.end_s == 6.5
        assert video.report.coverage == 1.0
