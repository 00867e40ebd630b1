"""Regions of a frame that are hashed: the whole, what lies within its borders, crops of that.

A source brings its whole frame and, where that has plain borders, the content within them. An
exemplar brings crops as well, so that a copy that lost a part of the frame is near to one of them:
the hash of a crop drifts by more than a match allows from about a twelfth of a side on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vscan.hashes.borders import Box, content_box

REGIONS_VERSION = "regions/1"
"""Changes when another part of some frame is hashed; kept with every stored track."""
WHOLE, CONTENT = 0, 1
FIRST_CROP = 2
_CROPS = (
    (0.9, 0.5, 0.5),
    *((0.8, down, across) for down in (0.0, 0.5, 1.0) for across in (0.0, 0.5, 1.0)),
)
"""(share of a side kept, where the rest lies above, where it lies left)."""
REGION_COUNT = FIRST_CROP + len(_CROPS)


def source_regions(rgb: NDArray[np.uint8]) -> Iterator[tuple[int, Box]]:
    """(region, where) of what is hashed of a source's frame (H, W, 3): WHOLE, CONTENT if any."""
    yield WHOLE, Box(0, rgb.shape[0], 0, rgb.shape[1])
    box = content_box(rgb)
    if box is not None:
        yield CONTENT, box


def exemplar_regions(rgb: NDArray[np.uint8]) -> Iterator[tuple[int, Box]]:
    """The same of an exemplar's frame, and crops of its content: regions FIRST_CROP and on."""
    inner = Box(0, 0, 0, 0)
    for region, box in source_regions(rgb):
        yield region, box
        inner = box
    for k, (share, down, across) in enumerate(_CROPS):
        high, wide = round(inner.height * share), round(inner.width * share)
        top = inner.top + round((inner.height - high) * down)
        left = inner.left + round((inner.width - wide) * across)
        yield FIRST_CROP + k, Box(top, top + high, left, left + wide)
