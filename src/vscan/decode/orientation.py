"""How a stored frame is turned to be shown: display matrices, and frames set upright."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from numpy.typing import NDArray

IDENTITY = ((1, 0), (0, 1))

Orientation = tuple[tuple[int, int], tuple[int, int]]
"""The display matrix's signs ((a, b), (c, d)): shown (x, y) = (a x + c y, b x + d y)."""
_TURNED: Mapping[int, Orientation] = {
    90: ((0, -1), (1, 0)),
    180: ((-1, 0), (0, -1)),
    270: ((0, 1), (-1, 0)),
}
"""By degrees anticlockwise, as PyAV tells a rotation."""


def orientation(frame: VideoFrame) -> Orientation:
    """How the stored frame is turned to be shown: the signs of its display matrix.

    The matrix is QuickTime's (ISO/IEC 14496-12, 6.2.2): nine 32-bit integers, 16.16 fixed point in
    the first two columns. What is no multiple of a right angle is taken as upright, as players do.
    """
    try:
        side_data = list(cast(Iterable[SideData], frame.side_data))  # typed as a dict, is a list
    except ValueError:  # a kind that PyAV does not know, as EXIF
        return _TURNED.get(round(frame.rotation) % 360, IDENTITY)
    for data in side_data:
        if data.type.name == "DISPLAYMATRIX":
            raw = bytes(data)[:36]
            if len(raw) < 36:
                return IDENTITY
            a, b, _, c, d, *_ = struct.unpack("<9i", raw)
            one = max(abs(a), abs(b), abs(c), abs(d)) or 1
            signs = tuple(round(v / one) for v in (a, b, c, d))
            turn = ((signs[0], signs[1]), (signs[2], signs[3]))
            straight = abs(signs[0]) + abs(signs[1]) == 1 == abs(signs[2]) + abs(signs[3])
            return turn if straight and abs(signs[0]) == abs(signs[3]) else IDENTITY
    return IDENTITY


def upright(rgb: NDArray[np.uint8], turn: Orientation) -> NDArray[np.uint8]:
    """The stored frame (H, W, 3) as it is shown."""
    (a, b), (c, d) = turn
    if a == 0:
        rgb = rgb.transpose(1, 0, 2)
        a, d = c, b
    if a < 0:
        rgb = rgb[:, ::-1]
    if d < 0:
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)


def degrees_clockwise(turn: Orientation) -> int:
    """0, 90, 180 or 270: the rotation in `turn`, a mirroring left out."""
    (a, b), (_, _) = turn
    return {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}[(a, b)]
