"""Procedural backgrounds: what stands behind, or instead of, the pictograms. No photograph."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from training.builtin.palettes import Colours, palette

SIDE = 96  # pixels; a scene takes a part of it
_STREAM = 11  # keeps the random numbers of backgrounds apart from those of scenes

Image = npt.NDArray[np.float32]
Rng = np.random.Generator
Painter = Callable[[Rng, Colours], Image]

_Y, _X = (axis.astype(np.float32) / SIDE for axis in np.mgrid[0:SIDE, 0:SIDE])


def _ramp(field: npt.NDArray[np.float32], colours: Colours) -> Image:
    """Colour a field in 0..1 by interpolating between the palette's colours."""
    position = np.clip(field, 0, 1) * (len(colours) - 1)
    low = np.minimum(position.astype(np.intp), len(colours) - 2)
    part = (position - low)[..., None].astype(np.float32)
    return np.asarray(colours[low] * (1 - part) + colours[low + 1] * part, np.float32)


def _unit(field: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    low, high = float(field.min()), float(field.max())
    return (field - low) / (high - low + 1e-6)


def _noise(rng: Rng, slope: float, stretch: float = 1.0) -> npt.NDArray[np.float32]:
    """Return noise whose amplitude falls as 1 / frequency**slope, (SIDE, SIDE) in 0..1."""
    fy = np.fft.fftfreq(SIDE)[:, None] * stretch
    fx = np.fft.rfftfreq(SIDE)[None]
    amplitude = 1.0 / np.maximum(np.sqrt(fy * fy + fx * fx), 1.0 / SIDE) ** slope
    phase = np.exp(2j * np.pi * rng.random(amplitude.shape))
    field = np.fft.irfft2(amplitude * phase, s=(SIDE, SIDE)).astype(np.float32)
    return _unit(field)


def _direction(rng: Rng) -> npt.NDArray[np.float32]:
    angle = rng.uniform(0, 2 * np.pi)
    return _unit((_X * np.cos(angle) + _Y * np.sin(angle)).astype(np.float32))


def _flat(_: Rng, c: Colours) -> Image:
    return np.broadcast_to(c[0], (SIDE, SIDE, 3)).copy()


def _gradient(rng: Rng, c: Colours) -> Image:
    return _ramp(_direction(rng), c)


def _radial(rng: Rng, c: Colours) -> Image:
    cy, cx, flat = rng.uniform(-0.2, 1.2), rng.uniform(-0.2, 1.2), rng.uniform(0.5, 2)
    return _ramp(_unit(np.sqrt((_Y - cy) ** 2 + flat * (_X - cx) ** 2).astype(np.float32)), c)


def _clouds(rng: Rng, c: Colours) -> Image:
    return _ramp(_noise(rng, rng.uniform(1.0, 2.4)), c)


def _colour_noise(rng: Rng, c: Colours) -> Image:
    base = _ramp(_noise(rng, 2.0), c)
    tint = np.stack([_noise(rng, 1.6) for _ in range(3)], -1) - 0.5
    return base + tint * np.float32(rng.uniform(20, 110))


def _grain(rng: Rng, c: Colours) -> Image:
    """Wood, cloth and brushed metal: noise stretched along one axis, sometimes in rings."""
    field = _noise(rng, rng.uniform(0.8, 1.8), stretch=rng.uniform(5, 30))
    if rng.random() < 0.5:
        rings = np.sin((field + 0.3 * _direction(rng)) * rng.uniform(10, 60))
        field = ((rings + 1) / 2).astype(np.float32)
    image = _ramp(field, c)
    return np.ascontiguousarray(image.transpose(1, 0, 2)) if rng.random() < 0.5 else image


def _stripes(rng: Rng, c: Colours) -> Image:
    bright = (_direction(rng) * rng.integers(2, 16)) % 1 > 0.5
    if rng.random() < 0.4:
        bright = bright ^ ((_direction(rng) * rng.integers(2, 16)) % 1 > 0.5)
    return _ramp(bright.astype(np.float32), c[:2])


def _patches(rng: Rng, c: Colours) -> Image:
    n, m = (int(v) for v in rng.choice([2, 3, 5, 8, 16], 2))
    cells = c[rng.integers(0, len(c), (n, m))] + rng.normal(0, 12, (n, m, 1)).astype(np.float32)
    how = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_CUBIC
    large = cv2.resize(cells.astype(np.float32), (SIDE, SIDE), interpolation=how)
    return np.asarray(large, np.float32)


def _leaves(rng: Rng, c: Colours) -> Image:
    """Dead leaves (Matheron 1968): opaque shapes, many small and few large, like photographs."""
    image = np.ascontiguousarray(_gradient(rng, c))
    least, boxes = rng.uniform(2, 12), rng.random() < 0.3
    for _ in range(int(rng.integers(8, 110))):
        radius = min(SIDE * 0.6, least / np.sqrt(rng.uniform(0.004, 1)))
        x, y = (int(v) for v in rng.uniform(-8, SIDE + 8, 2))
        colour = (c[rng.integers(len(c))] + rng.normal(0, 16)).tolist()
        axes = (int(radius) + 1, int(radius * rng.uniform(0.25, 1)) + 1)
        if boxes:
            box = cv2.boxPoints(((x, y), axes, rng.choice([0.0, 0.0, rng.uniform(0, 90)])))
            cv2.fillPoly(image, [box.astype(np.int32)], colour)
        else:
            cv2.ellipse(image, (x, y), axes, rng.uniform(0, 180), 0, 360, colour, -1)
    return image + (_noise(rng, 1.2)[..., None] - 0.5) * np.float32(rng.uniform(0, 70))


def _bokeh(rng: Rng, c: Colours) -> Image:
    """Out-of-focus lights or shapes on a soft ground."""
    image = np.ascontiguousarray(_gradient(rng, c) * np.float32(rng.uniform(0.2, 1)))
    for _ in range(int(rng.integers(3, 30))):
        x, y = (int(v) for v in rng.uniform(0, SIDE, 2))
        layer = image.copy()
        cv2.circle(layer, (x, y), int(rng.uniform(2, 22)), c[rng.integers(len(c))].tolist(), -1)
        image = np.asarray(cv2.addWeighted(layer, rng.uniform(0.2, 0.9), image, 0.4, 0))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.8, 7)))


def _landscape(rng: Rng, c: Colours) -> Image:
    horizon = rng.uniform(0.25, 0.8)
    ridge = horizon + (_noise(rng, 1.8)[0] - 0.5) * rng.uniform(0, 0.6)
    sky, ground = _ramp(_unit(_Y + 0.3 * _noise(rng, 2.2)), c), _ramp(_noise(rng, 1.5), c[::-1])
    hill = _ramp(_noise(rng, 1.0, 0.5), c[1:] if len(c) > 2 else c) * np.float32(0.7)
    image = np.where((ridge[None] < _Y)[..., None], hill, sky)
    return np.where((horizon < _Y)[..., None], ground, image).astype(np.float32)


def _room(rng: Rng, c: Colours) -> Image:
    """Boxes with shaded faces: rooms, streets, shelves, screens."""
    image = np.ascontiguousarray(_gradient(rng, c))
    for _ in range(int(rng.integers(2, 16))):
        x, y, w, h = (int(v) for v in rng.uniform((-20, -20, 4, 4), (SIDE, SIDE, 70, 70)))
        colour = c[rng.integers(len(c))]
        cv2.rectangle(image, (x, y), (x + w, y + h), colour.tolist(), -1)
        if rng.random() < 0.5:
            cv2.rectangle(image, (x, y), (x + w, y + h), (colour * 0.5).tolist(), 1)
    return image


def _lines(rng: Rng, c: Colours) -> Image:
    image = np.ascontiguousarray(_clouds(rng, c))
    for _ in range(int(rng.integers(2, 24))):
        points = rng.uniform(-10, SIDE + 10, (int(rng.integers(2, 5)), 1, 2)).astype(np.int32)
        colour = c[rng.integers(len(c))].tolist()
        cv2.polylines(image, [points], False, colour, int(rng.integers(1, 7)), cv2.LINE_AA)
    return image


def _text(rng: Rng, c: Colours) -> Image:
    """A page or a terminal: rows of letters."""
    page = np.clip(_gradient(rng, c[:2] * 0.3 + c[:1] * 0.7), 0, 255).astype(np.uint8)
    size, y = rng.uniform(0.2, 1.1), 4
    letters = np.array(list("abcdefghiklmnoprstuwABCDEGHKLMNOST0123456789 .,"))
    while y < SIDE:
        y += int(24 * size) + 2
        if rng.random() < 0.8:
            row = "".join(rng.choice(letters, int(rng.integers(2, 30))))
            x = int(rng.uniform(0, 20))
            cv2.putText(page, row, (x, y), int(rng.integers(0, 5)), size, c[-1].tolist(), 1)
    return page.astype(np.float32)


_PAINTERS: tuple[tuple[Painter, float], ...] = (
    (_flat, 0.6), (_gradient, 0.8), (_radial, 0.8), (_clouds, 1.4), (_colour_noise, 1.2),
    (_grain, 0.9), (_stripes, 0.5), (_patches, 0.8), (_leaves, 2.0), (_bokeh, 1.0),
    (_landscape, 1.0), (_room, 1.0), (_lines, 0.7), (_text, 0.6),
)  # fmt: skip
_WEIGHTS = np.array([weight for _, weight in _PAINTERS])
_CUMULATED = np.cumsum(_WEIGHTS / _WEIGHTS.sum())


def _paint(rng: Rng) -> Image:
    painter = _PAINTERS[int(np.searchsorted(_CUMULATED, rng.random()))][0]
    image = painter(rng, palette(rng))
    if rng.random() < 0.35:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 6)), np.float32)
    return np.asarray(image, np.float32)


def _light(rng: Rng, image: Image) -> Image:
    """Vignette, exposure, contrast, film grain and blocky compression."""
    if rng.random() < 0.3:
        away = (_Y - rng.uniform(0.2, 0.8)) ** 2 + (_X - rng.uniform(0.2, 0.8)) ** 2
        image = image * (1 - np.clip(away * rng.uniform(0.4, 2), 0, 0.9))[..., None]
    if rng.random() < 0.4:
        image = (image - 128) * np.float32(rng.uniform(0.15, 1.2)) + np.float32(
            rng.uniform(50, 200)
        )
    if rng.random() < 0.12:
        image = image * np.float32(rng.uniform(0.02, 0.4))
    if rng.random() < 0.4:
        depth = 1 if rng.random() < 0.6 else 3
        grain = rng.normal(0, rng.uniform(2, 28), (SIDE, SIDE, depth))
        return np.clip(image + grain, 0, 255).astype(np.float32)
    return np.clip(image, 0, 255).astype(np.float32)


def background(seed: int, index: int) -> npt.NDArray[np.uint8]:
    """Return background ``index`` of ``seed``, (96, 96, 3) uint8 RGB: a pure function of both."""
    rng = np.random.default_rng([seed, _STREAM, index])
    image = _paint(rng)
    if rng.random() < 0.35:  # a second picture through a soft mask: fore- and background
        mask = _noise(rng, 2.4) if rng.random() < 0.6 else _direction(rng)
        edge = rng.uniform(2, 60)
        part = (1 / (1 + np.exp(-(mask - rng.uniform(0.35, 0.65)) * edge)))[..., None]
        image = image * (1 - part) + _paint(rng) * part
    drawn = _light(rng, np.asarray(image, np.float32)).astype(np.uint8)
    if rng.random() < 0.2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(4, 40))]
        drawn = np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", drawn, quality)[1], cv2.IMREAD_COLOR), np.uint8
        )
    return np.asarray(drawn, np.uint8)
