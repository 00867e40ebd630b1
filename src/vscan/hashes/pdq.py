"""PDQ, Meta's 256-bit perceptual image hash, as a few matrix products; numpy alone.

The reference (facebook/ThreatExchange, pdq/cpp: `pdqhashing.cpp`, `downscaling.cpp`; "The TMK+PDQF
Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", Facebook 2019) takes the luma of the
full frame, runs a box filter twice along rows and columns ("Jarosz" filter), picks 64 x 64 values,
keeps the 16 x 16 lowest frequencies of their discrete cosine transform without the constant ones,
and sets a bit for each that is above the median. Up to the median everything is linear and
separable, so for one frame size it is two small matrices, here cached per size:

    S = A(height) · luma · A(width)^T      64 x 64   (shrinking.py)
    C = D · S · D^T                        16 x 16

The mirrored and flipped frames are the same products with the columns of A reversed, and the
turned ones their transposes, so that all eight dihedral forms of a frame come out of one pass over
its pixels, each equal to hashing the transformed frame; see
docs/decisions/0006-pdq-as-matrix-products.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vscan.hashes.borders import Box
from vscan.hashes.shrinking import SIDE, shrunk

HASH_VERSION = "pdq/1"
"""Changes when the quality of some frame changes, or the bits of one of quality above 0 (at 0 they
are rounding's); recorded with every stored hash."""
HASH_BITS = 256
HASH_BYTES = 32
DIHEDRAL_COUNT = 8
MATCH_DISTANCE = 31
"""Two hashes match at a Hamming distance of at most this many bits: the PDQ paper's recommendation
and python-threatexchange's `PDQ_CONFIDENT_MATCH_THRESHOLD`. (Meta's C++ matcher means `< 31`.)"""
MIN_QUALITY = 50
"""Hashes of lower quality are of pictures too plain to tell apart: the PDQ paper discards quality
<= 49."""

_FREQUENCIES = 16
_MIN_HASHABLE_SIDE = 5
"""`MIN_HASHABLE_DIM` of the reference: smaller pictures get zero bits and quality 0."""


def pdq_dihedral(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """The PDQ hashes of all eight dihedral forms of a frame, and its quality.

    `rgb` is a frame of shape (H, W, 3) at full size: PDQ of a resized picture drifts by many bits.
    Returns hashes of shape (8, 32), bytes most significant bit first as in PDQ's hexadecimal form,
    in the order of `vscan.media.DIHEDRAL_FORMS` (row k hashes the frame after that transform), and
    the quality 0..100 of the frame as it is. Every row is the reference's hash of that form, within
    2 bits where rounding decides.

    Raises ValueError when `rgb` is not uint8 of shape (H, W, 3).
    """
    return pdq_of_parts(rgb, [Box(0, rgb.shape[0], 0, rgb.shape[1])])[0]


def pdq_of_parts(
    rgb: NDArray[np.uint8], boxes: Sequence[Box]
) -> list[tuple[NDArray[np.uint8], int]]:
    """What `pdq_dihedral` says of each of those parts of a frame, from one pass over its pixels.

    Raises ValueError as `pdq_dihedral` does.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"a frame must be uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
    large = [box for box in boxes if min(box.height, box.width) >= _MIN_HASHABLE_SIDE]
    found = iter(shrunk(rgb, large))
    return [_hashed(next(found)) if box in large else _unhashable() for box in boxes]


def pdq_hash(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """The PDQ hash of a frame as it is, shape (32,), and its quality 0..100; see pdq_dihedral."""
    forms, quality = pdq_dihedral(rgb)
    return forms[0], quality


def hamming(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Bits in which hashes differ: bytes (…, 32) against (…, 32), broadcast, to counts (…)."""
    counts: NDArray[np.int64] = np.bitwise_count(left ^ right).sum(axis=-1, dtype=np.int64)
    return counts


def to_hex(digest: NDArray[np.uint8]) -> str:
    """The 64 lowercase hexadecimal digits of one hash (32,), most significant bit first."""
    if digest.shape != (HASH_BYTES,) or digest.dtype != np.uint8:
        raise ValueError(f"a PDQ hash must be uint8 (32,), got {digest.dtype} {digest.shape}")
    return digest.tobytes().hex()


def from_hex(text: str) -> NDArray[np.uint8]:
    """The hash (32,) that 64 hexadecimal digits write; ValueError when `text` is not 64 digits."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError(f"a PDQ hash is 64 hexadecimal digits, got {text[:80]!r}")
    return np.frombuffer(bytes.fromhex(text), np.uint8).copy()


def _unhashable() -> tuple[NDArray[np.uint8], int]:
    return np.zeros((DIHEDRAL_COUNT, HASH_BYTES), np.uint8), 0


def _hashed(small: NDArray[np.float32]) -> tuple[NDArray[np.uint8], int]:
    """Hashes and quality of what `shrunk` made of one part."""
    dct = _dct_matrix()
    return _hash_forms((dct @ small @ dct.T).astype(np.float32, copy=False)), _quality(small[0, 0])


@lru_cache(maxsize=1)
def _dct_matrix() -> NDArray[np.float32]:
    """Rows 1..16 of the 64-point DCT-II, (16, 64); row 0, the constant one, is left out."""
    frequency = np.arange(1, _FREQUENCIES + 1)[:, None]
    position = 2 * np.arange(SIDE)[None, :] + 1
    matrix = np.sqrt(2.0 / SIDE) * np.cos(np.pi / (2 * SIDE) * frequency * position)
    small: NDArray[np.float32] = matrix.astype(np.float32)
    small.setflags(write=False)  # every caller has the same one
    return small


def _hash_forms(frequencies: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Hashes (8, 32) in the order of DIHEDRAL_FORMS, of the frequencies (2, 2, 16, 16)."""
    (plain, mirrored), (flipped, turned) = frequencies
    forms = np.stack(
        (plain, flipped.T, turned, mirrored.T, mirrored, flipped, plain.T, turned.T)
    ).reshape(DIHEDRAL_COUNT, HASH_BITS)
    # The reference's `torben` takes the lower of the two middle values.
    middle = HASH_BITS // 2 - 1
    median = np.partition(forms, middle, axis=1)[:, middle : middle + 1]
    # Bit 0 is the lowest frequency and the last bit written.
    return np.packbits((forms > median)[:, ::-1], axis=1)


def _quality(small: NDArray[np.float32]) -> int:
    """The reference's measure 0..100 of how much there is to hash: the sum of gradients."""
    total = sum(
        int(np.abs((np.diff(small, axis=axis) * 100 / 255).astype(np.int32)).sum())
        for axis in (0, 1)
    )
    return min(total // 90, 100)
