"""Footage with detail for local features: drawn shapes over a rough ground that the camera pans."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
"""(H, W, 3)."""


def scenery(seed: int, *, width: int = 640, height: int = 360) -> Rgb:
    """A picture full of corners: rough patches, discs, boxes and lines; the same for a seed."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for size in (6, 14, 40):
        patch = rng.uniform(0, 255, (height // size + 2, width // size + 2, 3)).astype(np.float32)
        picture += cv2.resize(patch, (width, height), interpolation=cv2.INTER_CUBIC) / 3
    drawn = np.clip(picture, 0, 255).astype(np.uint8)
    for _ in range(40):
        colour = [int(each) for each in rng.integers(0, 256, 3)]
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = (int(each) for each in rng.integers(8, 60, 2))
        if rng.random() < 0.5:
            cv2.ellipse(drawn, (x, y), (w, h), float(rng.uniform(0, 180)), 0, 360, colour, -1)
        else:
            cv2.rectangle(drawn, (x, y), (x + w, y + h), colour, -1)
    return drawn


def pan(
    seed: int, *, count: int, step: int = 3, width: int = 480, height: int = 270
) -> Iterator[Rgb]:
    """`count` frames of a camera that moves `step` pixels a frame over a scenery."""
    wide = scenery(seed, width=width + step * count, height=height)
    for k in range(count):
        yield wide[:, step * k : step * k + width].copy()
