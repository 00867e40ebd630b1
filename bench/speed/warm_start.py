"""A scan's sources, handed out when its reader processes run: start-up is no part of its speed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from bench.speed.encoding import write_clip
from vscan.sources import Source

PATIENCE_S = 60.0
_PAUSE_S = 0.005
_SEED = 7


class WarmStart:
    """Sources of which the first ones start the readers; the clock starts when these are done.

    A scan draws its sources only as fast as its work ends. So a tiny clip is handed to it for every
    reader, all of which are asked for before the first one has started; then names of files that
    are not there, which cost nothing, until the verdicts of the clips have come; and then what is
    to be measured.
    """

    def __init__(self, paths: Sequence[str], *, readers: int, folder: Path) -> None:
        """folder: where the tiny clips are made."""
        self._paths = paths
        self._folder = folder
        self._waiting = {str(path) for path in tiny_clips(folder, readers)}
        self._measured = set(paths)

    def sources(self, begin: Callable[[], None]) -> Iterator[Source]:
        """All sources; `begin` is called before the first that is measured."""
        for name in sorted(self._waiting):
            yield Source(name, Path(name))
        give_up = time.monotonic() + PATIENCE_S
        for number in itertools.count():
            if not self._waiting or time.monotonic() > give_up:
                break
            time.sleep(_PAUSE_S)
            absent = self._folder / f"absent-{number}.mp4"
            yield Source(str(absent), absent)
        begin()
        for name in self._paths:
            yield Source(name, Path(name))

    def is_measured(self, uri: str) -> bool:
        """Takes note of a verdict; whether it is of a source that is measured."""
        self._waiting.discard(uri)
        return uri in self._measured


def tiny_clips(folder: Path, count: int) -> Iterator[Path]:
    """Makes `count` videos of two seconds and four small pictures; yields their paths.

    There is something to see in them, so that their hashes are looked up: what a search imports is
    start-up as well.
    """
    coarse = np.random.default_rng(_SEED).integers(0, 256, (8, 8, 3), np.uint8)
    picture = coarse.repeat(8, axis=0).repeat(8, axis=1)
    for number in range(count):
        path = folder / f"warm-{number}.mp4"
        write_clip(path, [picture] * 4, rate=Fraction(2), preset="ultrafast", gop_s=1.0)
        yield path
