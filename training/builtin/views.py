"""Degraded views of a scene: what cameras, editors and codecs do to a picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from training.builtin.concepts import OVERLAY_WORDS

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator

_GRAIN = np.random.default_rng(0).standard_normal((160, 160, 3)).astype(np.float32)
_GREY = np.array([0.299, 0.587, 0.114], np.float32)


def _recolour(rng: Rng, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Change saturation, contrast, brightness and colour balance in one matrix."""
    saturation = rng.uniform(0.5, 1.4) if rng.random() < 0.9 else rng.uniform(0, 0.3)
    matrix = np.eye(3) * saturation + (1 - saturation) * np.broadcast_to(_GREY, (3, 3))
    contrast = rng.uniform(0.65, 1.3)
    gain = rng.uniform(0.88, 1.12, (3, 1))
    offset = 128 * (1 - contrast) + rng.uniform(-35, 35)
    affine = np.hstack([matrix * contrast * gain, offset * gain]).astype(np.float32)
    return np.asarray(cv2.transform(image, affine), np.float32)


def _overlay(rng: Rng, image: Pixels) -> None:
    words = " ".join(rng.choice(OVERLAY_WORDS, int(rng.integers(1, 4))))
    side = image.shape[0]
    y = int(rng.choice([rng.uniform(6, 14), rng.uniform(0.75, 0.98) * side, rng.uniform(8, side)]))
    colour = ((255, 255, 255), (0, 0, 0), (255, 255, 0), (255, 0, 0))[int(rng.integers(4))]
    at = (int(rng.uniform(-4, side / 2)), y)
    cv2.putText(image, words, at, int(rng.integers(0, 4)), rng.uniform(0.2, 0.5), colour, 1)


def view(rng: Rng, image: Pixels, side: int) -> Pixels:
    """Crop, mirror, recolour and degrade a scene, (side, side, 3) uint8 RGB."""
    full = image.shape[0]
    if rng.random() < 0.8:
        height, width = (int(v * full) for v in rng.uniform(0.74, 1, 2))
        y, x = int(rng.integers(0, full - height + 1)), int(rng.integers(0, full - width + 1))
        image = image[y : y + height, x : x + width]
    if rng.random() < 0.5:
        image = image[:, ::-1]
    how = cv2.INTER_AREA if rng.random() < 0.6 else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(image), (side, side), interpolation=how)
    drawn = np.asarray(resized, np.uint8)
    if rng.random() < 0.12:
        _overlay(rng, drawn)
    if rng.random() < 0.1:  # letterbox or pillarbox
        bar = int(side * rng.uniform(0.05, 0.16))
        framed = drawn if rng.random() < 0.6 else drawn.transpose(1, 0, 2)
        framed[:bar], framed[side - bar :] = 0, 0
    if rng.random() < 0.25:
        soft = cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.3, 1.2) * side / 80)
        drawn = np.asarray(soft, np.uint8)
    if rng.random() < 0.7:
        light = _recolour(rng, drawn.astype(np.float32))
        if rng.random() < 0.25:
            y, x = (int(v) for v in rng.integers(0, _GRAIN.shape[0] - side + 1, 2))
            light = light + _GRAIN[y : y + side, x : x + side] * np.float32(rng.uniform(2, 14))
        drawn = np.clip(light, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 92))]
        coded = cv2.imencode(".jpg", drawn, quality)[1]
        drawn = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return drawn
