"""Plain borders of a frame: letterbox bars, pillars, coloured rims, found so as to be cut off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LOOKED_AT = 240
"""Rows and columns that are looked at of the longer side, at least."""
_PLAIN = 9.0
"""Mean absolute difference from its own mean up to which a line is plain, of 255."""
_SAME = 14.0
"""Difference of two lines' values up to which they belong to one border."""
_LEAST_SHARE = 0.02
"""Share of a side from which on a border counts: less changes no hash that matters."""
_LEAST_CONTENT = 0.15
"""Share of a side that must be left: less is a picture on a plain ground."""
_MARGIN = 0.004
"""Share of a side that is cut beyond the border: codecs smear its edge."""
_AT_ONCE = 16
"""Lines that are looked at before it is asked whether the border has ended."""


@dataclass(frozen=True)
class Box:
    """A part of a frame, in pixels: rows top..bottom and columns left..right, the last ones out."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Its rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Its columns."""
        return self.right - self.left


def content_box(rgb: NDArray[np.uint8]) -> Box | None:
    """Where the picture lies within the plain borders of a frame (H, W, 3); None without borders.

    A border is a run of lines from one side on, each of one value and all of the same. Bars that
    are not on both opposite sides count as well. Whether lines are plain is judged on every n-th
    pixel of the green channel, which carries most of the luma.
    """
    height, width = rgb.shape[:2]
    step = max(1, max(height, width) // _LOOKED_AT)
    seen = np.ascontiguousarray(rgb[::step, ::step, 1]).astype(np.int16)
    if not any(_is_plain(line) for line in (seen[0], seen[-1], seen[:, 0], seen[:, -1])):
        return None
    top, bottom = _edges(seen)
    left, right = _edges(seen[top:bottom].T)
    # Columns beside the bars above may hide bars that only the middle shows, and the other way.
    top, bottom = _edges(seen[:, left:right])
    box = Box(
        _inward(top * step, height, cut=top > 0),
        height - _inward(height - bottom * step, height, cut=bottom < len(seen)),
        _inward(left * step, width, cut=left > 0),
        width - _inward(width - right * step, width, cut=right < seen.shape[1]),
    )
    kept_y, kept_x = (box.bottom - box.top) / height, (box.right - box.left) / width
    if min(kept_y, kept_x) < _LEAST_CONTENT or max(kept_y, kept_x) * min(kept_y, kept_x) > 1 - (
        _LEAST_SHARE
    ):
        return None
    return box


def _inward(border: int, side: int, *, cut: bool) -> int:
    """Pixels to cut for a border of that many, a little more than it takes."""
    return border + round(_MARGIN * side) if cut else 0


def _is_plain(line: NDArray[np.int16]) -> bool:
    return bool(np.abs(line - line.mean()).mean() <= _PLAIN)


def _edges(lines: NDArray[np.int16]) -> tuple[int, int]:
    """(first, stop) line of the picture, among rows that may be plain at both ends."""
    if lines.size == 0:
        return 0, len(lines)
    first = _run(lines)
    if first == len(lines):
        return 0, len(lines)
    return first, len(lines) - _run(lines[::-1])


def _run(lines: NDArray[np.int16]) -> int:
    """How many lines from the first on are plain and of the first one's value."""
    begun = lines[0].mean(dtype=np.float32)
    for top in range(0, len(lines), _AT_ONCE):
        some = np.ascontiguousarray(lines[top : top + _AT_ONCE])
        value = some.mean(axis=1, dtype=np.float32)
        plain = np.abs(some - value[:, None]).mean(axis=1) <= _PLAIN
        belongs = plain & (np.abs(value - begun) <= _SAME)
        if not belongs.all():
            return top + int(np.argmin(belongs))
    return len(lines)
