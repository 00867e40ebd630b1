"""What is measured on every frame while it is at hand: the model's picture, hashes, keypoints."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from vscan.decode.reader import Picture, Rgb
from vscan.hashes.keypoints import FEATURE_BYTES, SOURCE_FEATURE_BYTES, find_keypoints
from vscan.hashes.pdq import DIHEDRAL_COUNT, HASH_BYTES, pdq_of_parts
from vscan.hashes.regions import exemplar_regions, source_regions
from vscan.media import BATCH_FRAMES, FrameBatch, Measure

BATCH_BYTES = 16 << 20


def in_batches(
    frames: Iterable[tuple[float, Picture]],
    measure: Measure,
    cost_s: dict[str, float] | None = None,
) -> Iterator[FrameBatch]:
    """Frames (time_s, picture) measured, in batches of bounded size.

    cost_s: to which the CPU seconds of each signal are added.
    """
    cost_s = {} if cost_s is None else cost_s
    measured = _Measured(measure, cost_s)
    for time_s, picture in frames:
        measured.add(time_s, picture)
        if measured.full:
            yield measured.batch()
            measured = _Measured(measure, cost_s)
    if measured.times_s:
        yield measured.batch()


class _Measured:
    """A batch in the making."""

    def __init__(self, measure: Measure, cost_s: dict[str, float]) -> None:
        self._measure = measure
        self._cost_s = cost_s
        image = measure.image
        self._side = (0, 0, 3) if image is None else (image.height, image.width, 3)
        width = SOURCE_FEATURE_BYTES if measure.role == "source" else FEATURE_BYTES
        self._slots = (measure.keypoints, width)
        each = int(np.prod(self._side)) + int(np.prod(self._slots))
        self._most = max(1, min(BATCH_FRAMES, BATCH_BYTES // max(1, each)))
        self.times_s: list[float] = []
        self._images: list[NDArray[np.uint8]] = []
        self._keypoints: list[NDArray[np.uint8]] = []
        self._pdq: list[NDArray[np.uint8]] = []
        self._told: list[tuple[int, int, int]] = []
        """(quality, sample, region) of each row of hashes."""

    @property
    def full(self) -> bool:
        """Whether the batch should go before another frame is added."""
        return len(self.times_s) >= self._most

    def add(self, time_s: float, picture: Picture) -> None:
        """Measure one frame."""
        measure, sample = self._measure, len(self.times_s)
        if measure.image is not None:
            with self._paid_by("embedding"):
                self._images.append(picture.for_model(measure.image))
        self.times_s.append(time_s)
        if not measure.pdq and not measure.keypoints:
            return
        rgb = picture.rgb()
        if measure.pdq:
            with self._paid_by("pdq"):
                self._hash(rgb, sample)
        if measure.keypoints:
            with self._paid_by("keypoints"):
                self._keypoints.append(find_keypoints(rgb, measure.role, measure.keypoints))

    @contextmanager
    def _paid_by(self, signal: str) -> Iterator[None]:
        # Where a process's CPU is limited, its clock goes by ticks and the thread's does not. Only
        # FFmpeg's filters may have threads of their own.
        clock = time.process_time if signal == "embedding" else time.thread_time
        begun = clock()
        yield
        self._cost_s[signal] = self._cost_s.get(signal, 0.0) + clock() - begun

    def _hash(self, rgb: Rgb, sample: int) -> None:
        regions = source_regions if self._measure.role == "source" else exemplar_regions
        named, boxes = zip(*regions(rgb), strict=True)
        for region, (hashes, quality) in zip(named, pdq_of_parts(rgb, boxes), strict=True):
            self._pdq.append(hashes)
            self._told.append((quality, sample, region))

    def batch(self) -> FrameBatch:
        """All that was added."""
        count = len(self.times_s)
        quality, sample, region = np.array(self._told, np.int32).reshape(-1, 3).T
        return FrameBatch(
            times_s=np.array(self.times_s),
            images=_stacked(self._images, (count, *self._side)),
            pdq=_stacked(self._pdq, (len(self._pdq), DIHEDRAL_COUNT, HASH_BYTES)),
            pdq_quality=quality.astype(np.uint8),
            pdq_sample=np.ascontiguousarray(sample),
            pdq_region=region.astype(np.uint8),
            keypoints=_stacked(self._keypoints, (count, *self._slots)),
        )


def _stacked(arrays: list[NDArray[np.uint8]], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.stack(arrays) if arrays else np.zeros(shape, np.uint8)
