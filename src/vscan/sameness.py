"""Pictures that look the same as the last one that was embedded, and may share its vector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCKS = 8
"""To a side: a picture is held against another in so many parts, so that what is small counts."""
MOST_APART = 3.0
"""Mean difference of the levels (0..255) of a block, up to which it looks the same: what coding one
still scene twice makes. A spot of a fiftieth of the picture's side that turns from black to white
is more. Vectors of pictures this near had a cosine of 0.999 or more on all real footage tried."""


class Sameness:
    """Goes through the pictures of one video in the order in which they are taken."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._embedded = 0

    def places(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """(N,) which of the next pictures (N, H, W, 3) have to be embedded, and (N,) the place of
        each one's vector among those of all pictures that had to be so far."""
        new = np.zeros(len(images), np.bool_)
        for k, image in enumerate(images):
            if self._last is None or not looks_same(image, self._last):
                new[k], self._last = True, image
        if self._last is not None:
            self._last = self._last.copy()  # and not the memory of the whole batch
        places = self._embedded - 1 + np.cumsum(new)
        self._embedded += int(new.sum())
        return new, places


def looks_same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether no block of two pictures (H, W, 3) of one size differs by more than MOST_APART.

    Goes row of blocks by row of blocks: pictures that differ mostly do so in the first.
    """
    import cv2

    height, width = one.shape[:2]
    rows, columns = (_starts(side) for side in (height, width))
    widths = np.diff(np.append(columns, width))
    for top, bottom in zip(rows, [*rows[1:], height], strict=True):
        apart = cv2.absdiff(one[top:bottom], other[top:bottom]).reshape(bottom - top, -1)
        down = cv2.reduce(apart, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
        sums = np.add.reduceat(down, 3 * columns)
        if (sums > MOST_APART * 3 * (bottom - top) * widths).any():
            return False
    return True


def _starts(side: int) -> NDArray[np.intp]:
    """Where each of BLOCKS parts of a side begins, fewer where it is shorter than that."""
    return np.unique(np.linspace(0, side, BLOCKS, endpoint=False).astype(np.intp))
