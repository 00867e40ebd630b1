"""Frames read before it is known which of them become samples."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vscan.media import FrameBatch
from vscan.sample_batches import rows_of


class HeldFrames:
    """The frames of one reading, drawn no further than is asked for, and let go again."""

    def __init__(self, batches: Iterator[FrameBatch]) -> None:
        """batches: as a session reads them."""
        self._batches = batches
        self._held: list[FrameBatch] = []

    def __len__(self) -> int:
        """Frames held."""
        return sum(len(batch) for batch in self._held)

    def draw(self, until_s: float = math.inf) -> None:
        """Read on until all frames before that time are held."""
        while not self._held or float(self._held[-1].times_s[-1]) < until_s:
            batch = next(self._batches, None)
            if batch is None:
                return
            if len(batch):
                self._held.append(batch)

    def times_s(self, before_s: float) -> NDArray[np.float64]:
        """Of the frames held that come before that time, ascending."""
        times_s = np.concatenate([np.empty(0), *(batch.times_s for batch in self._held)])
        return times_s[times_s < before_s]

    def taken(self, chosen: list[int]) -> Iterator[FrameBatch]:
        """Frames held, by their places among all of them, ascending."""
        before, places = 0, np.array(chosen, np.int64)
        for batch in self._held:
            own = places[(places >= before) & (places < before + len(batch))] - before
            if len(own):
                yield rows_of(batch, own)
            before += len(batch)

    def let_go(self, before_s: float) -> None:
        """Frames that come before that time are not needed any more."""
        later = [np.flatnonzero(batch.times_s >= before_s) for batch in self._held]
        self._held = [
            batch if len(rows) == len(batch) else rows_of(batch, rows)
            for batch, rows in zip(self._held, later, strict=True)
            if len(rows)
        ]

    def drain(self) -> None:
        """Read on to the end and hold nothing."""
        self._held = []
        for _ in self._batches:
            pass
