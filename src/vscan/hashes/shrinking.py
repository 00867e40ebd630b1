"""What PDQ makes of a frame before its cosine transform: luma, filtered, 64 x 64 values kept.

Filter and choice of values are one matrix A for each side (see pdq.py). Its rows are nearly all
zeros: each spans about a 32nd of the side. So the rows are taken in bands, and a band is multiplied
with the pixels alone that one of its rows spans, an eighth of them and a little more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vscan.hashes.borders import Box

SIDE = 64
"""Rows and columns that are kept."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of R, G, B in the reference's luma (ITU-R BT.601)."""
_BLOCK_BYTES = 1 << 19
"""Pixels are taken in blocks of rows of about this size as float32, which stay in the cache."""
_BAND_ROWS = 8
_BANDS = SIDE // _BAND_ROWS
_CACHED_SIDES = 64
"""A frame's content within its borders is rarely of the same size as the last one's."""


@dataclass(frozen=True)
class Band:
    """Rows of A, and of A for the reversed side, that lie at the same place."""

    first: int
    """The first pixel that they span."""
    stop: int
    """One past the last."""
    rows: NDArray[np.float32]
    """_BAND_ROWS rows of A above as many of A reversed, (2 * _BAND_ROWS, stop - first)."""


def shrunk(rgb: NDArray[np.uint8], boxes: Sequence[Box]) -> list[NDArray[np.float32]]:
    """The filtered and decimated luma of parts of a frame (H, W, 3), each (2, 2, 64, 64) float32.

    Of a part, [0, 0] is as it is, [0, 1] mirrored, [1, 0] flipped, [1, 1] both; values 0..255.
    """
    if not boxes:
        return []
    height, width = rgb.shape[:2]
    across = [bands(box.width) for box in boxes]
    narrow = [np.empty((box.height, 2 * SIDE), np.float32) for box in boxes]
    rows = min(height, max(1, _BLOCK_BYTES // (12 * width)))
    pixels, luma = np.empty((rows, width, 3), np.float32), np.empty((rows, width), np.float32)
    for top in range(0, height, rows):
        count = min(rows, height - top)
        np.copyto(pixels[:count], rgb[top : top + count])
        np.matmul(pixels[:count].reshape(-1, 3), _LUMA, out=luma[:count].reshape(-1))
        for box, filters, kept in zip(boxes, across, narrow, strict=True):
            first, stop = max(box.top, top), min(box.bottom, top + count)
            if first < stop:
                part = luma[first - top : stop - top, box.left : box.right]
                _filter_rows(part, filters, kept[first - box.top : stop - box.top])
    return [_filter_columns(kept, bands(len(kept))) for kept in narrow]


def _filter_rows(
    part: NDArray[np.float32], across: Sequence[Band], kept: NDArray[np.float32]
) -> None:
    """Filter rows of luma (n, W) into (n, 128), band after band."""
    for k, band in enumerate(across):
        columns = slice(2 * _BAND_ROWS * k, 2 * _BAND_ROWS * (k + 1))
        np.matmul(part[:, band.first : band.stop], band.rows.T, out=kept[:, columns])


def _filter_columns(narrow: NDArray[np.float32], down: Sequence[Band]) -> NDArray[np.float32]:
    """The rest of the way: (2, 2, 64, 64) of (H, 128), whose columns lie band after band."""
    small = np.empty((2 * SIDE, 2 * SIDE), np.float32)
    for k, band in enumerate(down):
        rows = slice(2 * _BAND_ROWS * k, 2 * _BAND_ROWS * (k + 1))
        np.matmul(band.rows, narrow[band.first : band.stop], out=small[rows])
    forms: NDArray[np.float32] = small[_PLACES[:, None, :, None], _PLACES[None, :, None, :]]
    return forms


def _places() -> NDArray[np.intp]:
    """Where A's rows (0) and those of A reversed (1) lie among those of all bands: (2, 64)."""
    band, row = np.divmod(np.arange(SIDE), _BAND_ROWS)
    # The last band of A reversed lies where the first of A does.
    return np.stack((2 * band * _BAND_ROWS + row, (2 * (_BANDS - 1 - band) + 1) * _BAND_ROWS + row))


_PLACES = _places()


@lru_cache(maxsize=_CACHED_SIDES)
def bands(side: int) -> tuple[Band, ...]:
    """A(side), and A(side) with reversed columns, which filters the reversed side, in bands.

    The reference's window lies half a pixel off centre and so do the values it keeps, so that the
    hash of a mirrored frame is not the hash with signs changed: on real frames that would be 8 to
    16 bits off in the median and up to 50, of the 31 that a match allows.
    """
    plain = filter_matrix(side)
    made = []
    for k in range(_BANDS):
        here = plain[k * _BAND_ROWS : (k + 1) * _BAND_ROWS]
        there = plain[SIDE - (k + 1) * _BAND_ROWS : SIDE - k * _BAND_ROWS, ::-1]
        rows = np.concatenate((here, there))
        spanned = np.flatnonzero(rows.any(axis=0))
        first, stop = int(spanned[0]), int(spanned[-1]) + 1
        kept = rows[:, first:stop].astype(np.float32)
        kept.setflags(write=False)  # every caller has the same ones
        made.append(Band(first, stop, kept))
    return tuple(made)


def filter_matrix(side: int) -> NDArray[np.float64]:
    """A: two passes of the reference's box filter over `side` pixels, 64 rows kept: (64, side).

    The window of width w = (side + 127) // 128 around pixel i is [i - (w - h), i + h - 1] with
    h = (w + 2) // 2, cut at the ends and divided by what is left of it.
    """
    width = (side + 127) // 128
    half = (width + 2) // 2
    at = np.arange(side)
    first = np.maximum(at - (width - half), 0)
    stop = np.minimum(at + half, side)
    share = 1.0 / (stop - first)
    kept = ((np.arange(SIDE) + 0.5) * side / SIDE).astype(np.intp)
    row, within = np.divmod(np.arange(SIDE * width), width)
    window = first[kept[row]] + within
    inside = window < stop[kept[row]]
    row, window = row[inside], window[inside]
    weight = share[window] * share[kept[row]]
    matrix = np.zeros((SIDE, side + 1))
    # The second pass sums boxes: each adds a step up where it begins and down where it ends.
    np.add.at(matrix, (row, first[window]), weight)
    np.add.at(matrix, (row, stop[window]), -weight)
    filters = np.cumsum(matrix, axis=1)[:, :side]
    # Steps that cancel leave 1e-17, which would have a row span all that follows.
    filters[at >= stop[stop[kept] - 1][:, None]] = 0.0
    return filters
