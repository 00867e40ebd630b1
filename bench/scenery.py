"""Drawn pictures with detail for local features: what measurements compare footage with."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def drawn_scenery(seed: int, width: int = 640, height: int = 360) -> NDArray[np.uint8]:
    """An (H, W, 3) picture of rough ground and shapes, the same for a seed."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for size in (5, 12, 30, 80):
        patch = rng.uniform(0, 255, (height // size + 2, width // size + 2, 3)).astype(np.float32)
        picture += cv2.resize(patch, (width, height), interpolation=cv2.INTER_CUBIC) / 4
    drawn = np.clip(picture, 0, 255).astype(np.uint8)
    for _ in range(60):
        colour = [int(each) for each in rng.integers(0, 256, 3)]
        corners = rng.integers(0, (width, height), (int(rng.integers(3, 6)), 2)).astype(np.int32)
        corners = corners[0] + (corners - corners[0]) // 6
        cv2.fillPoly(drawn, [corners], colour)
    return drawn
