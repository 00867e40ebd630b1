"""Keypoints: features at every size and all over the frame, and what mirrored and negative are."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drawn_footage import scenery
from vscan.hashes.keypoints import (
    DESCRIPTOR_BYTES,
    EXEMPLAR_FEATURES,
    FEATURE_BYTES,
    SOURCE_FEATURE_BYTES,
    SOURCE_FEATURES,
    VARIANT_STEP,
    VARIANTS,
    find_keypoints,
    in_variant,
    places,
    used,
)


def nearest_bits(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n,) bits by which each descriptor differs from the nearest of the others."""
    bits = np.bitwise_count(left[:, None] ^ right[None]).sum(axis=2)
    return np.asarray(bits.min(axis=1), np.int64)


def test_shapes() -> None:
    """Source and exemplar slots have their widths, all filled where there is enough to see."""
    frame = scenery(1)
    source = find_keypoints(frame, "source", SOURCE_FEATURES)
    exemplar = find_keypoints(frame, "exemplar", EXEMPLAR_FEATURES)
    assert (SOURCE_FEATURES, SOURCE_FEATURE_BYTES) == source.shape
    assert (EXEMPLAR_FEATURES, FEATURE_BYTES) == exemplar.shape
    assert used(source).all()
    assert used(exemplar).all()
    where = places(source)
    assert 0.0 <= where.min()
    assert where.max() <= 1.0


def test_the_same_frame_gives_the_same_features() -> None:
    """Nothing is drawn at random."""
    frame = scenery(2)
    first = find_keypoints(frame, "source", 300)
    find_keypoints(scenery(3), "source", 300)
    np.testing.assert_array_equal(first, find_keypoints(frame, "source", 300))


@pytest.mark.parametrize(
    ("variant", "changed"),
    [(1, lambda frame: np.ascontiguousarray(frame[:, ::-1])), (2, lambda frame: 255 - frame)],
    ids=VARIANTS[1:],
)
def test_variants_are_those_of_the_changed_frame(
    variant: int, changed: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> None:
    """Descriptors of the mirrored and the negative frame are had without looking at either."""
    frame = scenery(4)
    slots = find_keypoints(frame, "source", SOURCE_FEATURES)
    slots = slots[in_variant(slots, variant)]
    assert len(slots) == SOURCE_FEATURES // VARIANT_STEP
    derived = slots[:, variant * DESCRIPTOR_BYTES : (variant + 1) * DESCRIPTOR_BYTES]
    looked_at = find_keypoints(changed(frame), "source", SOURCE_FEATURES)[:, :DESCRIPTOR_BYTES]
    bits = nearest_bits(derived, looked_at)
    assert (bits <= 24).mean() >= 0.5
    plain = nearest_bits(slots[:, :DESCRIPTOR_BYTES], looked_at)
    assert np.median(plain) > 40


def test_captions_do_not_take_all_features() -> None:
    """Half of a source's features are shared out over the frame, however strong a caption is."""
    frame = scenery(5)
    for row in range(3):
        cv2.putText(frame, "WHAT THEY SAY IS", (20, 260 + 40 * row), 0, 1.4, (0, 0, 0), 9)
        cv2.putText(frame, "WHAT THEY SAY IS", (20, 260 + 40 * row), 0, 1.4, (255,) * 3, 4)
    where = places(find_keypoints(frame, "source", SOURCE_FEATURES)) * 640
    strongest = cv2.ORB.create(nfeatures=SOURCE_FEATURES, fastThreshold=7).detect(
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), None
    )
    assert (where[:, 1] < 200).sum() >= 2 * sum(corner.pt[1] < 200 for corner in strongest)


def test_an_exemplar_has_features_of_every_size() -> None:
    """Large ones are kept beside small ones: the frame may come back in a corner."""
    octave = find_keypoints(scenery(6), "exemplar", EXEMPLAR_FEATURES)[:, -1]
    assert (octave <= 2).sum() >= 30
    assert (octave >= 6).sum() >= 30


@pytest.mark.parametrize("frame", [np.zeros((90, 160, 3), np.uint8), np.zeros((3, 4, 3), np.uint8)])
def test_a_blank_or_tiny_frame_has_none(frame: NDArray[np.uint8]) -> None:
    """Nothing to see is no error: every slot is unused."""
    for side in ("source", "exemplar"):
        assert not used(find_keypoints(frame, side, 50)).any()


def test_what_is_no_frame_is_refused() -> None:
    """Grey or float pictures are a ValueError."""
    with pytest.raises(ValueError, match="uint8"):
        find_keypoints(np.zeros((90, 160), np.uint8), "source", 50)
