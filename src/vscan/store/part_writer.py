"""A long track of keypoints, written in parts while its video is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.store.specs import TrackSpec
from vscan.tracks import Track

WritePart = Callable[[str, TrackSpec, int, Track], str]
"""Keeps a part: content, spec, number from 0 on, rows; gives its payload digest."""
PART_SAMPLES = 512
"""Samples of a full part: 33 MB of a source's keypoints."""


class PartWriter:
    """Takes the features of one video as they come, and never holds more than a part of them.

    What it has written counts once the rest is given to `FrameStore.write`, with `parts`; a run
    that is killed before leaves parts that `vscan store gc` removes.
    """

    def __init__(self, write_part: WritePart, sha256: str, spec: TrackSpec) -> None:
        if spec.signal != "keypoints":
            raise ValueError(f"tracks of {spec.signal} are written whole")
        self._write_part = write_part
        self._sha256 = sha256
        self._spec = spec
        self._times_s: NDArray[np.float64] = np.empty(0)
        self._values: list[NDArray[np.uint8]] = []
        self._width = 0
        self._parts: list[str] = []

    @property
    def parts(self) -> tuple[str, ...]:
        """Payload digests of the parts written so far."""
        return tuple(self._parts)

    def add(self, times_s: NDArray[np.float64], values: NDArray[np.uint8]) -> None:
        """Take the next samples: times (N,) ascending, features (N, K, W) or (N, D).

        A time before the last one begins another round of a plan, and with it another part. Raises
        OutputError where a full part cannot be written, ValueError where samples do not ascend.
        """
        if not len(times_s):
            return
        if len(self._times_s) and times_s[0] < self._times_s[-1]:
            self._write(len(self._times_s))
        self._times_s = np.concatenate([self._times_s, times_s])
        # Copied: what comes is a view into the message of a batch, pictures and all.
        self._values.append(np.array(values.reshape(len(times_s), -1), np.uint8))
        self._width = self._values[-1].shape[1]
        while len(self._times_s) >= PART_SAMPLES:
            self._write(PART_SAMPLES)

    def rest(self) -> Track:
        """What is in no part yet: the last one, to be given to `FrameStore.write`."""
        return self._track(len(self._times_s))

    def _write(self, count: int) -> None:
        part = len(self._parts)
        track = self._track(count)
        self._parts.append(self._write_part(self._sha256, self._spec, part, track))
        self._times_s = self._times_s[count:]
        self._values = [np.concatenate(self._values)[count:]] if len(self._times_s) else []

    def _track(self, count: int) -> Track:
        held: list[Any] = self._values or [np.empty((0, self._width), np.uint8)]
        values = held[0] if len(held) == 1 else np.concatenate(held)
        return Track(
            "keypoints", self._times_s[:count], values[:count], spec=dict(self._spec.made_by)
        )
