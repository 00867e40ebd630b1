"""Keypoints: oriented corners of a frame with binary descriptors (ORB), at many sizes and places.

ORB is Rublee, Rabaud, Konolige, Bradski: "ORB: an efficient alternative to SIFT or SURF" (ICCV
2011), computed by OpenCV. What is kept of a frame is chosen here: the strongest corners alone lie
on captions and logos, so half of a source's (and all of an exemplar's) are shared out over cells of
the frame and over sizes.

A source brings three descriptors for each corner: of the frame, of its mirror image, and of its
negative. A corner lies at the same place in all three, and its direction is known: mirrored, the
angle counts from the other side; in the negative, it points the other way and every comparison of
two pixels comes out opposite. So neither needs corners to be looked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import cv2

KEYPOINTS_VERSION = "orb/1"
"""Changes when the features of some frame change; recorded with every stored track."""
DESCRIPTOR_BYTES = 32
GEOMETRY_BYTES = 6
"""x and y as little-endian 16-bit shares of the longer side, angle in 256ths of a turn, octave."""
FEATURE_BYTES = DESCRIPTOR_BYTES + GEOMETRY_BYTES
"""One feature of an exemplar: its descriptor, then its geometry."""
VARIANTS = ("identity", "mirrored", "inverted")
VARIANT_STEP = 2
"""Every such feature has descriptors of the mirrored and the inverted frame too, others zeros:
whole frames come back mirrored, seldom small pictures within others."""
SOURCE_FEATURE_BYTES = len(VARIANTS) * DESCRIPTOR_BYTES + GEOMETRY_BYTES
"""One feature of a source: descriptors in the order of VARIANTS, then the geometry."""
UNUSED = 255
"""The last byte of a slot without a feature."""
SOURCE_FEATURES = 640
"""Features of a source's sample: a picture in a corner of it has but a tenth of them."""
EXEMPLAR_FEATURES = 320
"""Features of an exemplar's sample: 12 KB; see docs/benchmarks.md for the choice."""
SIDE = 640
"""Pixels of the longer side at which corners are looked for."""
SCALE_STEP = 1.2
"""Ratio of sizes between octaves, as in ORB."""

Side = Literal["source", "exemplar"]
_OCTAVES = {"source": 8, "exemplar": 10}
"""An exemplar is looked at down to a fifth of its size: it may come back in a corner."""
_FAST_THRESHOLD = 7
_MOST_ENLARGED = 2.0
_LEAST_SIDE = 48


def find_keypoints(rgb: NDArray[np.uint8], side: Side, count: int) -> NDArray[np.uint8]:
    """The features of a frame (H, W, 3) at full size: (count, W) bytes, unused slots last.

    W is SOURCE_FEATURE_BYTES or FEATURE_BYTES. Places are of the upright frame, in shares of its
    longer side. Raises ValueError when `rgb` is not uint8 (H, W, 3).
    """
    import cv2

    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"a frame must be uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
    width = SOURCE_FEATURE_BYTES if side == "source" else FEATURE_BYTES
    slots = np.zeros((count, width), np.uint8)
    slots[:, -1] = UNUSED
    grey = _shrunk(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8))
    if min(grey.shape) < _LEAST_SIDE:
        return slots
    orb = _detector(3 * count, _OCTAVES[side])
    corners = orb.detect(grey, None)
    if not corners:
        return slots
    kept = [corners[i] for i in _chosen(corners, count, grey.shape, side)]
    found = len(kept)
    slots[:found, :DESCRIPTOR_BYTES] = _descriptors(orb, grey, kept)
    slots[:found, -GEOMETRY_BYTES:] = _geometry(kept, max(grey.shape))
    if side == "source":
        half = kept[::VARIANT_STEP]
        slots[:found:VARIANT_STEP, DESCRIPTOR_BYTES:-GEOMETRY_BYTES] = np.concatenate(
            (_mirrored(orb, grey, half), _inverted(orb, grey, half)), axis=1
        )
    return slots


def in_variant(slots: NDArray[np.uint8], variant: int) -> NDArray[np.bool_]:
    """(n,) which features of a source (n, W) have a descriptor in that one of VARIANTS."""
    own = slots[:, variant * DESCRIPTOR_BYTES : (variant + 1) * DESCRIPTOR_BYTES]
    return np.asarray(own.any(axis=1), np.bool_)


def used(slots: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(…, K) whether each slot of (…, K, W) holds a feature."""
    filled: NDArray[np.bool_] = slots[..., -1] != UNUSED
    return filled


def places(slots: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(…, K, 2) x and y of features (…, K, W), in shares 0..1 of the frame's longer side."""
    xy = np.ascontiguousarray(slots[..., -GEOMETRY_BYTES : -GEOMETRY_BYTES + 4])
    return xy.view("<u2").astype(np.float32) / np.float32(65535)


def _shrunk(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    height, width = grey.shape
    scale = min(SIDE / max(height, width), _MOST_ENLARGED)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, size, interpolation=how), np.uint8)


@lru_cache(maxsize=8)
def _detector(count: int, octaves: int) -> cv2.ORB:
    import cv2

    cv2.setNumThreads(1)  # the pool of reader processes uses the cores already
    return cv2.ORB.create(
        nfeatures=count, scaleFactor=SCALE_STEP, nlevels=octaves, fastThreshold=_FAST_THRESHOLD
    )


def _chosen(
    corners: Sequence[cv2.KeyPoint], count: int, shape: tuple[int, ...], side: Side
) -> list[int]:
    """Positions of the corners that are kept, the most telling first."""
    strength = np.array([corner.response for corner in corners])
    order = np.argsort(-strength, kind="stable")
    if len(order) <= count:
        return [int(i) for i in order]
    octave = np.array([corner.octave for corner in corners])
    place = np.array([corner.pt for corner in corners]) / np.array(shape[::-1])
    if side == "exemplar":
        first, cells, group = order[:0], np.where(octave < 4, 5, 3), octave // 2
    else:
        first, cells, group = order[: count // 2], np.where(octave < 3, 10, 5), octave // 3
    at = np.minimum((place * cells[:, None]).astype(np.int64), cells[:, None] - 1)
    cell = group * 400 + at[:, 1] * 20 + at[:, 0]
    rest = order[len(first) :]
    rank = _rank_within(cell[rest])
    rest = rest[np.argsort(rank, kind="stable")][: count - len(first)]
    return [int(i) for i in np.concatenate((first, rest))]


def _rank_within(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) how many of the same group stand before each."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    length = np.diff(np.r_[begins, len(group)])
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(begins, length)
    return rank


def _mirrored(
    orb: cv2.ORB, grey: NDArray[np.uint8], corners: Sequence[cv2.KeyPoint]
) -> NDArray[np.uint8]:
    """(n, 32) what the mirrored frame's descriptors are, at the same corners."""
    import cv2

    last = grey.shape[1] - 1
    turned = [
        cv2.KeyPoint(
            last - c.pt[0], c.pt[1], c.size, (180.0 - c.angle) % 360.0, c.response, c.octave
        )
        for c in corners
    ]
    return _descriptors(orb, np.ascontiguousarray(grey[:, ::-1]), turned)


def _inverted(
    orb: cv2.ORB, grey: NDArray[np.uint8], corners: Sequence[cv2.KeyPoint]
) -> NDArray[np.uint8]:
    """(n, 32) what the negative's descriptors are: seen from the other side, each bit opposite."""
    import cv2

    turned = [
        cv2.KeyPoint(c.pt[0], c.pt[1], c.size, (c.angle + 180.0) % 360.0, c.response, c.octave)
        for c in corners
    ]
    return ~_descriptors(orb, grey, turned)


def _descriptors(
    orb: cv2.ORB, grey: NDArray[np.uint8], corners: Sequence[cv2.KeyPoint]
) -> NDArray[np.uint8]:
    """(n, 32) descriptors in the order of the corners; zeros where OpenCV makes none.

    OpenCV sorts the corners and drops some: their `class_id`, set here, says which they were.
    """
    for k, corner in enumerate(corners):
        corner.class_id = k
    found, values = orb.compute(grey, corners)
    out = np.zeros((len(corners), DESCRIPTOR_BYTES), np.uint8)
    if values is not None:
        out[[corner.class_id for corner in found]] = values
    return out


def _geometry(corners: Sequence[cv2.KeyPoint], longer_side: int) -> NDArray[np.uint8]:
    """(n, 6) the geometry bytes."""
    place = np.array([corner.pt for corner in corners]) / max(1, longer_side - 1)
    packed = np.empty((len(corners), GEOMETRY_BYTES), np.uint8)
    packed[:, :4] = np.round(place.clip(0, 1) * 65535).astype("<u2").view(np.uint8)
    packed[:, 4] = [int(corner.angle / 360.0 * 256.0) % 256 for corner in corners]
    packed[:, 5] = [corner.octave for corner in corners]
    return packed
