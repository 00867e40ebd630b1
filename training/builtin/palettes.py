"""Colour palettes of procedural backgrounds: random, natural, grey, and look-alikes of objects."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.float32]  # (n, 3) RGB in 0..255

# Hue in degrees, saturation and value in 0..1: centre and spread. Skin, wood, sky, foliage, stone,
# and the colours of flames, blood, money and beer without the thing itself.
_NATURAL: tuple[tuple[tuple[float, float], tuple[float, float], tuple[float, float]], ...] = (
    ((22, 10), (0.45, 0.2), (0.65, 0.25)),  # skin
    ((28, 8), (0.6, 0.2), (0.4, 0.2)),  # wood, earth
    ((210, 18), (0.4, 0.25), (0.75, 0.2)),  # sky, water
    ((100, 30), (0.5, 0.25), (0.4, 0.2)),  # foliage
    ((40, 15), (0.25, 0.15), (0.7, 0.2)),  # sand, paper
    ((220, 60), (0.1, 0.08), (0.5, 0.25)),  # stone, concrete, night
    ((25, 15), (0.9, 0.1), (0.85, 0.15)),  # glow of a sunset or a flame
    ((0, 8), (0.85, 0.12), (0.6, 0.25)),  # red cloth
    ((48, 6), (0.8, 0.2), (0.85, 0.15)),  # yellow signs, gold
    ((130, 25), (0.35, 0.2), (0.55, 0.2)),  # banknote greens
    ((270, 40), (0.4, 0.3), (0.4, 0.25)),  # stage light
)


def _hsv(rows: npt.NDArray[np.float32]) -> Colours:
    return np.asarray(cv2.cvtColor(rows[None], cv2.COLOR_HSV2RGB)[0] * 255, np.float32)


def palette(rng: np.random.Generator) -> Colours:
    """Draw a palette of 2 to 5 colours, (n, 3) float32 RGB in 0..255."""
    n = int(rng.integers(2, 6))
    kind = rng.random()
    if kind < 0.3:
        return rng.uniform(0, 255, (n, 3)).astype(np.float32)
    if kind < 0.45:
        grey = rng.uniform(0, 255, (n, 1)) + rng.normal(0, 6, (1, 3))
        return np.clip(grey, 0, 255).astype(np.float32)
    rows = np.empty((n, 3), np.float32)
    first = int(rng.integers(len(_NATURAL)))
    for row in rows:
        chosen = first if rng.random() < 0.6 else int(rng.integers(len(_NATURAL)))
        draw = [rng.normal(centre, spread) for centre, spread in _NATURAL[chosen]]
        row[:] = draw[0] % 360, min(max(draw[1], 0), 1), min(max(draw[2], 0.02), 1)
    return _hsv(rows)
