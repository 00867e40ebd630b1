"""Frames with their times, and with the part of the original that each of them shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(H, W, 3) of BGR, as OpenCV has it."""

JOIN_S = 1e-6
"""Frames whose original times meet this closely show the original without a cut."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One frame of a video, seconds of presentation time."""

    picture: Picture
    time_s: float
    length_s: float
    """Until the next frame, or the end."""
    shows: tuple[float, float] | None
    """Which span of the original this frame stands for, seconds; None where it shows none."""


@dataclass(frozen=True)
class Box:
    """A span of a query and the span of a reference that it shows, seconds."""

    query_start: float
    query_end: float
    ref_start: float
    ref_end: float


Painter = Callable[[Picture, float], Picture]
"""A picture and its time in seconds to the edited picture."""


def painted(frames: Iterable[Shown], paint: Painter) -> Iterator[Shown]:
    """The frames with their pictures edited and their times left alone."""
    for frame in frames:
        yield replace(frame, picture=paint(frame.picture, frame.time_s))


def retimed(
    frames: Iterable[Shown], *, rate: float | None = None, speed: float = 1.0
) -> Iterator[Shown]:
    """The frames at `speed` times the pace, `rate` a second; each tick holds the frame of its time.

    A rate of None keeps the pace of the frames themselves, so that a faster copy has fewer frames
    and not a higher rate.
    """
    tick = 0
    for frame in frames:
        if rate is None:
            rate = 1.0 / frame.length_s
        step = speed / rate
        while tick * step < frame.time_s + frame.length_s - JOIN_S:
            shows = None
            if frame.shows is not None:
                pace = (frame.shows[1] - frame.shows[0]) / frame.length_s
                begin = frame.shows[0] + max(0.0, tick * step - frame.time_s) * pace
                shows = (begin, begin + step * pace)
            yield Shown(frame.picture, tick / rate, 1.0 / rate, shows)
            tick += 1


class Ledger:
    """What a video shows of the original, taken down frame by frame as it is written."""

    def __init__(self, *, original_end_s: float) -> None:
        self._limit = original_end_s
        self._boxes: list[Box] = []
        self._open = False
        self.end_s = 0.0
        """Where the video ends, seconds."""

    def note(self, frame: Shown) -> None:
        """Take down the next frame."""
        self.end_s = frame.time_s + frame.length_s
        if frame.shows is None:
            self._open = False
            return
        start, end = frame.shows[0], min(frame.shows[1], self._limit)
        if self._open and abs(start - self._boxes[-1].ref_end) <= max(JOIN_S, end - start):
            first = self._boxes.pop()
            self._boxes.append(Box(first.query_start, self.end_s, first.ref_start, end))
        else:
            self._boxes.append(Box(frame.time_s, self.end_s, start, end))
        self._open = True

    @property
    def boxes(self) -> tuple[Box, ...]:
        """One for each stretch that shows the original without a cut."""
        return tuple(self._boxes)
