"""What the keypoints of a chain must show to be no chance: enough, steady, and moving along."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vscan.matching.match import CHANCE_INLIERS
from vscan.matching.verification import ENOUGH_MOVING

LONE_INLIERS = 20
"""Inliers with which a single sample's keypoints are no chance."""
NOT_TELLING = 3
"""Samples that are needed where none of them proves anything by itself (Verified.telling)."""
SURE = 12
"""What several samples' keypoints must reach together beyond CHANCE_INLIERS each."""
MOVING_SHARE = 0.3
"""How well what moves must fit, as a share of how well what stands still does."""
MAX_GROWTH = 0.35
"""Natural logarithm of the largest difference in scale within a chain."""
MAX_SHIFT = 0.3
"""Share of the source's longer side by which the exemplar's place may differ within a chain."""


def proves(
    inliers: NDArray[np.float64], fitting: NDArray[np.int64], telling: NDArray[np.bool_]
) -> bool:
    """Whether so many samples agree, or the only one so closely, that it is no chance.

    inliers (n,), fitting (n, 2, 2) and telling (n,): of the samples, as FrameHits has them.
    """
    if len(inliers) < NOT_TELLING and not telling.any():
        return False
    enough = inliers.max() >= LONE_INLIERS or (inliers - CHANCE_INLIERS).sum() >= SURE
    return bool(enough) and moves_along(fitting)


def moves_along(fitting: NDArray[np.int64]) -> bool:
    """Whether what moves in the exemplar fits about as well as what stands still in it.

    fitting: (n, 2, 2) of the samples of a chain, as FrameHits has it. A logo, a caption or the
    frame of a news show fits wherever it comes back; the pictures around it do not.
    """
    (moving, moving_seen), (still, still_seen) = fitting.sum(axis=0).tolist()
    if moving_seen < ENOUGH_MOVING or still == 0:
        return True
    return bool(moving / moving_seen >= MOVING_SHARE * still / still_seen)


def steady(affine: NDArray[np.float32], difference: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) which hits show the exemplar as large and at the same place as most of them do.

    affine (n, 2, 3) and difference (n,): as FrameHits has them.
    """
    if len(affine) < 2:
        return np.ones(len(affine), np.bool_)
    size = np.log(np.hypot(affine[:, 0, 0], affine[:, 1, 0]))
    centre = affine[:, :, :2] @ np.array([0.5, 0.3], np.float32) + affine[:, :, 2]
    moved = np.abs(centre - np.median(centre, axis=0)).max(axis=1)
    same: NDArray[np.bool_] = (np.abs(size - np.median(size)) <= MAX_GROWTH) & (moved <= MAX_SHIFT)
    # Of two, the median lies between them: neither is right where they disagree.
    return same if same.any() else np.arange(len(affine)) == int(np.argmin(difference))
