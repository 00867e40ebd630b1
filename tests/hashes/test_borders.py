"""Borders: what is plain around a picture is found, and what belongs to it is kept."""

from __future__ import annotations

import numpy as np
import pytest

from tests.drawn_footage import scenery
from vscan.hashes.borders import content_box
from vscan.hashes.pdq import hamming, pdq_hash, pdq_of_parts
from vscan.hashes.regions import (
    CONTENT,
    FIRST_CROP,
    REGION_COUNT,
    WHOLE,
    exemplar_regions,
    source_regions,
)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (30, 90, 200)])
@pytest.mark.parametrize("sides", [(40, 40, 0, 0), (0, 0, 60, 60), (30, 30, 50, 50), (50, 0, 0, 0)])
def test_a_plain_border_is_cut(
    colour: tuple[int, int, int], sides: tuple[int, int, int, int]
) -> None:
    """Bars above and below, beside, all around and on one side, of any colour, are cut off."""
    top, bottom, left, right = sides
    inner = scenery(1)
    height, width = inner.shape[:2]
    frame = np.full((height + top + bottom, width + left + right, 3), colour, np.uint8)
    frame[top : top + height, left : left + width] = inner
    box = content_box(frame)
    assert box is not None
    for found, true in zip(
        (box.top, box.bottom, box.left, box.right),
        (top, top + height, left, left + width),
        strict=True,
    ):
        assert abs(found - true) <= 7
    cut, _ = pdq_hash(np.ascontiguousarray(frame[box.top : box.bottom, box.left : box.right]))
    whole, _ = pdq_hash(inner)
    assert int(hamming(cut, whole)) <= 16


def test_a_border_with_noise_is_still_plain() -> None:
    """Compression and grain leave a border a border."""
    rng = np.random.default_rng(2)
    frame = np.zeros((460, 640, 3), np.uint8)
    frame[50:410] = scenery(3)
    noisy = np.clip(frame + rng.normal(0, 6, frame.shape), 0, 255).astype(np.uint8)
    box = content_box(noisy)
    assert box is not None
    assert abs(box.top - 50) <= 7
    assert abs(box.bottom - 410) <= 7


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_frame_has_no_content(level: int) -> None:
    """A frame of one colour is no border around nothing."""
    assert content_box(np.full((200, 300, 3), level, np.uint8)) is None


def test_a_picture_without_borders_keeps_all() -> None:
    """Footage that fills its frame is not cut."""
    assert [None] * 5 == [content_box(scenery(seed)) for seed in range(5)]


def test_regions_of_a_source_and_of_an_exemplar() -> None:
    """A source brings its frame, and its content within borders; an exemplar crops as well."""
    inner = scenery(4)
    framed = np.zeros((480, 640, 3), np.uint8)
    framed[60:420] = inner
    assert [WHOLE] == [region for region, _ in source_regions(inner)]
    assert [WHOLE, CONTENT] == [region for region, _ in source_regions(framed)]
    crops = [*range(FIRST_CROP, REGION_COUNT)]
    assert [WHOLE, *crops] == [region for region, _ in exemplar_regions(inner)]
    assert [WHOLE, CONTENT, *crops] == [region for region, _ in exemplar_regions(framed)]
    sides = {box.height for region, box in exemplar_regions(framed) if region >= FIRST_CROP}
    assert len(sides) == 2
    assert 0.75 * 360 < min(sides) < max(sides) < 0.95 * 360


def test_a_crop_is_near_one_of_the_exemplars() -> None:
    """A copy that lost a tenth or a fifth of its sides is within a match of one of the crops."""
    frame = scenery(5)
    height, width = frame.shape[:2]
    boxes = [box for _, box in exemplar_regions(frame)]
    hashes = np.stack([hashes[0] for hashes, _ in pdq_of_parts(frame, boxes)])
    for share, down, across in [(0.9, 0.5, 0.5), (0.8, 0.0, 1.0), (0.8, 0.48, 0.53)]:
        high, wide = round(height * share), round(width * share)
        top, left = round((height - high) * down), round((width - wide) * across)
        copy, _ = pdq_hash(np.ascontiguousarray(frame[top : top + high, left : left + wide]))
        assert int(hamming(hashes, copy).min()) <= 31
        assert int(hamming(hashes[0], copy)) > 31
