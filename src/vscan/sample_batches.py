"""Batches of samples: some of their rows, what is kept of them, and the tracks that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vscan.media import FrameBatch, Role
from vscan.tracks import Track

KEYPOINTS_STEP_S = 0.5
"""Seconds between samples of an exemplar whose keypoints are kept: they bear a little motion."""


def rows_of(batch: FrameBatch, chosen: NDArray[np.int64]) -> FrameBatch:
    """The batch with these of its samples alone, ascending; its arrays are copied."""
    place = np.full(len(batch), -1, np.int32)
    place[chosen] = np.arange(len(chosen))
    hashed = np.flatnonzero(place[batch.pdq_sample] >= 0)
    return FrameBatch(
        times_s=batch.times_s[chosen],
        images=batch.images[chosen],
        pdq=batch.pdq[hashed],
        pdq_quality=batch.pdq_quality[hashed],
        pdq_sample=place[batch.pdq_sample[hashed]],
        pdq_region=batch.pdq_region[hashed],
        keypoints=batch.keypoints[chosen],
    )


def without_weight(batch: FrameBatch, role: Role) -> FrameBatch:
    """The batch without what would fill the memory on a long video: pictures, and features."""
    pictures = np.empty((len(batch), 0, 0, 3), np.uint8)
    features = np.empty((len(batch), 0, 0), np.uint8)
    keypoints = batch.keypoints if role == "exemplar" else features
    return replace(batch, images=pictures, keypoints=keypoints)


def pdq_track(
    batches: Sequence[FrameBatch],
    times_s: NDArray[np.float64],
    place: NDArray[np.int64],
    spec: Mapping[str, str],
) -> Track:
    """The hashes of all batches in the order of their samples' times, each time's once.

    times_s: (T,) ascending. place: (N,) position there of each sample of the batches, in their
    order; -1 for one whose time another sample has as well.
    """
    before = np.cumsum([0, *(len(batch) for batch in batches)])
    sample = place[
        np.concatenate([batch.pdq_sample + at for batch, at in zip(batches, before, strict=False)])
    ]
    hashes, quality, region = (
        np.concatenate([getattr(batch, name) for batch in batches])
        for name in ("pdq", "pdq_quality", "pdq_region")
    )
    order = np.lexsort((region, sample))
    order = order[sample[order] >= 0]
    return Track(
        "pdq",
        times_s[sample[order]],
        hashes[order].reshape(len(order), -1),
        quality[order],
        spec=spec,
        region=region[order],
    )


def keypoints_track(
    batches: Sequence[FrameBatch],
    times_s: NDArray[np.float64],
    first: NDArray[np.int64],
    spec: Mapping[str, str],
) -> Track:
    """The features of samples KEYPOINTS_STEP_S apart. first: (T,) which sample of the batches, in
    their order, each of times_s (T,) is."""
    slots = np.concatenate([batch.keypoints for batch in batches])[first]
    apart = spaced(times_s, KEYPOINTS_STEP_S)
    return Track("keypoints", times_s[apart], slots[apart].reshape(len(apart), -1), spec=spec)


def spaced(times_s: NDArray[np.float64], step_s: float) -> NDArray[np.int64]:
    """Positions of times (T,) that lie at least `step_s` apart, the first one first."""
    chosen: list[int] = []
    for k, time_s in enumerate(times_s):
        if not chosen or time_s - times_s[chosen[-1]] >= step_s - 1e-3:
            chosen.append(k)
    return np.array(chosen, np.int64)
