"""Verification: copies fit one transform all over the frame; chance, logos and captions do not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drawn_footage import scenery
from vscan.hashes.keypoints import DESCRIPTOR_BYTES, find_keypoints, places, used
from vscan.matching import verification
from vscan.matching.verification import Features, Verified, verify

Rgb = NDArray[np.uint8]


def features(frame: Rgb, side: str) -> Features:
    """Features of a frame as a source or an exemplar has them."""
    slots = find_keypoints(frame, "source" if side == "source" else "exemplar", 600)
    slots = slots[used(slots)]
    return Features(np.ascontiguousarray(slots[:, :DESCRIPTOR_BYTES]), places(slots))


def checked(source: Rgb, exemplar: Rgb) -> Verified | None:
    """How two frames agree, everything in the exemplar taken to move; None where they do not."""
    there = features(exemplar, "exemplar")
    found = verify(features(source, "source"), there, lambda: np.ones(len(there), np.bool_))
    return found if found is not None and found.agrees else None


def rotated(frame: Rgb, degrees: float) -> Rgb:
    """The frame turned about its middle, counter-clockwise as OpenCV counts."""
    height, width = frame.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(frame, turn, (width, height)), np.uint8)


def in_corner(frame: Rgb, share: float) -> Rgb:
    """The frame at that share of the width in the corner of another picture."""
    host = scenery(99, width=960, height=540)
    width = round(960 * share)
    height = round(width * frame.shape[0] / frame.shape[1])
    small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
    host[20 : 20 + small.shape[0], 20 : 20 + small.shape[1]] = small
    return host


@pytest.mark.parametrize(
    ("edit", "scale", "turn"),
    [
        (lambda frame: frame, 1.0, 0.0),
        (lambda frame: frame[60:300, 100:420], 2.0, 0.0),
        (lambda frame: rotated(frame, -10), 1.0, 10.0),
        (lambda frame: np.rot90(frame, -1), 1.0, 90.0),
        (lambda frame: in_corner(frame, 0.35), 0.35, 0.0),
        (lambda frame: cv2.GaussianBlur(frame, (0, 0), 2), 1.0, 0.0),
    ],
    ids=["copy", "crop", "rotation", "quarter turn", "picture in picture", "blur"],
)
def test_a_copy_is_verified(edit: Callable[[Rgb], Rgb], scale: float, turn: float) -> None:
    """Edited copies are found, and the transform says how large and how far turned they are."""
    frame = scenery(1)
    found = checked(np.ascontiguousarray(edit(frame)), frame)
    assert found is not None
    assert found.inliers >= 20
    assert found.scale == pytest.approx(scale, rel=0.1)
    assert (found.turn_deg - turn + 180) % 360 - 180 == pytest.approx(0, abs=3)


def test_corners_drawn_out_fit_a_projective_transform(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame filmed off a screen at an angle agrees all over, not only where a similarity fits."""
    frame = scenery(3)
    height, width = frame.shape[:2]
    square = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    away = np.array([(0.22, 0.05), (-0.18, 0.12), (0.0, -0.04), (0.0, 0.0)], np.float32)
    warp = cv2.getPerspectiveTransform(
        square, square + away * np.array((width, height), np.float32)
    )
    filmed = np.asarray(cv2.warpPerspective(frame, warp, (width, height)), np.uint8)
    found = checked(filmed, frame)
    assert found is not None
    assert found.support >= 0.6
    monkeypatch.setattr(verification, "_MUCH_MORE", np.inf)
    by_similarity = checked(filmed, frame)
    assert by_similarity is None or found.inliers >= 1.5 * by_similarity.inliers


@pytest.mark.parametrize("seed", range(2, 8))
def test_unrelated_frames_are_not(seed: int) -> None:
    """Two pictures that share nothing do not verify."""
    assert checked(scenery(seed), scenery(seed + 100)) is None


def test_a_shared_logo_is_no_copy() -> None:
    """A large logo in the corner of both is one spot of the frame, however well it fits."""
    one, other = scenery(20), scenery(21)
    logo = scenery(22, width=130, height=90)
    for frame in (one, other):
        frame[10:100, 500:630] = logo
    assert checked(one, other) is None


def test_a_shared_caption_is_no_copy() -> None:
    """Lines of text across the whole width lie along one axis only."""
    one, other = scenery(30), scenery(31)
    for frame in (one, other):
        frame[290:350] = (20, 20, 20)
        cv2.putText(frame, "BREAKING NEWS TONIGHT AT NINE", (10, 335), 0, 1.2, (255,) * 3, 3)
    assert checked(one, other) is None


def test_what_moves_is_told_from_what_stands_still() -> None:
    """Of a shared template the still features fit and the moving ones do not: both are counted."""
    template = scenery(40)
    one, other = template.copy(), template.copy()
    one[80:280, 160:480], other[80:280, 160:480] = (
        scenery(41, width=320, height=200),
        scenery(42, width=320, height=200),
    )
    there = features(other, "exemplar")
    x, y = (there.places * 640).T
    moving = (x > 160) & (x < 480) & (y > 80) & (y < 280)
    found = verify(features(one, "source"), there, lambda: moving)
    assert found is not None
    assert found.still[0] >= 0.4 * found.still[1]
    assert found.moving[0] <= 0.1 * found.moving[1]


def test_frames_without_features() -> None:
    """Nothing to compare is no agreement and no error."""
    nothing = Features(np.empty((0, 32), np.uint8), np.empty((0, 2), np.float32))
    there = features(scenery(1), "exemplar")
    assert verify(nothing, there, lambda: np.ones(len(there), np.bool_)) is None
    assert verify(there, nothing, lambda: np.empty(0, np.bool_)) is None
