"""A track: one signal of one source over time, with the spec of what made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Track:
    """One signal measured on the samples of one source.

    Values are kept in the precision in which they are stored (`embedding` as float16, `pdq` as
    bytes), so that judging now and judging again from the frame store see the same numbers.
    """

    signal: str
    """`embedding`, `pdq` or `keypoints`."""
    times_s: NDArray[np.float64]
    """(T,) presentation times in seconds, ascending; a sample of several rows repeats its time."""
    values: NDArray[np.float16] | NDArray[np.uint8]
    """(T, D): float16 unit vectors of an embedding; (T, 8 * 32) bytes of the eight PDQ hashes;
    (T, K * W) bytes of K keypoint features."""
    quality: NDArray[np.uint8] | None = None
    """(T,) PDQ quality 0..100; None for an embedding."""
    spec: Mapping[str, str] = field(default_factory=dict)
    """What made it: reader, sampling, model, hash version."""
    region: NDArray[np.uint8] | None = None
    """(T,) which part of the frame each row was measured on, 0 the whole frame; None: the whole
    frame throughout."""

    def __post_init__(self) -> None:
        t = len(self.times_s)
        if self.times_s.shape != (t,):
            raise ValueError(f"times_s must be (T,), got {self.times_s.shape}")
        if self.values.ndim != 2 or self.values.shape[0] != t:
            raise ValueError(f"values must be (T={t}, D), got {self.values.shape}")
        if self.quality is not None and self.quality.shape != (t,):
            raise ValueError(f"quality must be (T={t},), got {self.quality.shape}")
        if self.region is not None and self.region.shape != (t,):
            raise ValueError(f"region must be (T={t},), got {self.region.shape}")
        if t > 1 and bool((self.times_s[1:] < self.times_s[:-1]).any()):
            raise ValueError(f"times of a {self.signal} track must ascend")

    def __len__(self) -> int:
        return len(self.times_s)

    def __repr__(self) -> str:
        return f"Track({self.signal}, {self.values.shape[0]} x {self.values.shape[1]})"
