"""Shrinking for PDQ: bands leave out zeros alone, and a part is shrunk as a frame would be."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vscan.hashes.borders import Box
from vscan.hashes.shrinking import SIDE, filter_matrix, shrunk

ROUNDING = 2e-4
"""Of 255: float32 sums of as many products as a band spans."""


def noise(height: int, width: int) -> NDArray[np.uint8]:
    """A frame in which no two pixels are alike, so that none is left out unseen."""
    return np.random.default_rng(height * 5 + width).integers(
        0, 256, (height, width, 3), dtype=np.uint8
    )


def boxed(side: int) -> NDArray[np.float64]:
    """One pass of the reference's box filter, as it words it: (side, side)."""
    width = (side + 127) // 128
    half = (width + 2) // 2
    matrix = np.zeros((side, side))
    for pixel in range(side):
        window = slice(max(0, pixel - (width - half)), min(side, pixel + half))
        matrix[pixel, window] = 1.0 / (window.stop - window.start)
    return matrix


@pytest.mark.parametrize("side", [5, 63, 64, 65, 128, 129, 641, 1000])
def test_the_matrix_is_two_passes_of_the_box_filter(side: int) -> None:
    """A is the filter applied twice and 64 of its rows, with true zeros outside their windows."""
    once = boxed(side)
    kept = [int((row + 0.5) * side / SIDE) for row in range(SIDE)]
    twice = (once @ once)[kept]
    made = filter_matrix(side)
    np.testing.assert_allclose(made, twice, atol=1e-12)
    np.testing.assert_array_equal(made != 0, twice > 1e-12)


@pytest.mark.parametrize(
    "size",
    [(5, 5), (5, 4000), (4000, 5), (63, 65), (127, 211), (479, 641), (720, 405), (405, 720)],
    ids=str,
)
def test_bands_agree_with_the_dense_products(size: tuple[int, int]) -> None:
    """All four forms of luma are what the whole matrices make of it, but for rounding."""
    frame = noise(*size)
    down, across = (filter_matrix(side) for side in size)
    luma = frame @ np.array([0.299, 0.587, 0.114])
    (small,) = shrunk(frame, [Box(0, size[0], 0, size[1])])
    for flipped in (0, 1):
        for mirrored in (0, 1):
            seen = luma[:: 1 - 2 * flipped, :: 1 - 2 * mirrored]
            np.testing.assert_allclose(
                small[flipped, mirrored], down @ seen @ across.T, rtol=0, atol=ROUNDING
            )


def test_a_part_is_shrunk_as_if_it_were_a_frame_of_its_own() -> None:
    """Parts of a frame that share its luma come out as their copies do, wherever blocks of rows
    begin and end."""
    frame = noise(900, 1201)
    boxes = [
        Box(0, 900, 0, 1201),
        Box(17, 883, 5, 1200),
        Box(300, 305, 700, 705),
        Box(895, 900, 0, 640),
    ]
    for box, small in zip(boxes, shrunk(frame, boxes), strict=True):
        part = np.ascontiguousarray(frame[box.top : box.bottom, box.left : box.right])
        (alone,) = shrunk(part, [Box(0, box.height, 0, box.width)])
        np.testing.assert_allclose(small, alone, rtol=0, atol=ROUNDING)
