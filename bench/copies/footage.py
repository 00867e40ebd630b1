"""Seeded moving footage that shows nothing known: textures, shapes and cuts, full of corners."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.copies.timeline import Picture, Shown

RATE = 20
"""Frames a second of made footage."""
SCENE_S = (2.0, 5.0)


class Footage:
    """Footage without end: the picture at any time follows from the seed and the size."""

    def __init__(self, seed: int, width: int, height: int, *, cuts: bool = True) -> None:
        self._seed, self._size, self._cuts = seed, (width, height), cuts
        self._lengths = np.random.default_rng([seed, 1])
        self._ends: list[float] = []
        self._scene: tuple[int, _Scene] | None = None

    def picture(self, time_s: float) -> Picture:
        """The picture at a time, seconds from 0."""
        number = self._number(time_s) if self._cuts else 0
        if self._scene is None or self._scene[0] != number:
            self._scene = (number, _Scene([self._seed, 2, number], *self._size))
        return self._scene[1].picture(time_s)

    def frames(self, length_s: float) -> Iterator[Shown]:
        """RATE frames a second from 0 on."""
        for k in range(round(length_s * RATE)):
            yield Shown(self.picture(k / RATE), k / RATE, 1 / RATE, None)

    def _number(self, time_s: float) -> int:
        while not self._ends or self._ends[-1] <= time_s:
            last = self._ends[-1] if self._ends else 0.0
            self._ends.append(last + float(self._lengths.uniform(*SCENE_S)))
        return int(np.searchsorted(self._ends, time_s, side="right"))


class _Scene:
    """One shot: a textured ground that drifts, turns and grows, and textured things before it."""

    def __init__(self, seed: list[int], width: int, height: int) -> None:
        rng = np.random.default_rng(seed)
        self._width, self._height = width, height
        self._ground = texture(rng, round(width * 1.5), round(height * 1.5))
        self._drift = rng.uniform(-0.05, 0.05, 2) * (width, height)
        self._turn = float(rng.uniform(-4, 4))
        self._growth = float(rng.uniform(-0.02, 0.04))
        self._things = [_Thing(rng, width, height) for _ in range(int(rng.integers(3, 8)))]

    def picture(self, time_s: float) -> Picture:
        # A shot starts anywhere in the endless footage: motion swings, so that it stays in view.
        swing = np.sin(time_s * 0.6) * 3
        tall, wide = self._ground.shape[:2]
        matrix = cv2.getRotationMatrix2D(
            (wide / 2, tall / 2), self._turn * swing, 1.0 + self._growth * swing
        )
        matrix[:, 2] += self._drift * swing
        matrix[:, 2] -= ((wide - self._width) / 2, (tall - self._height) / 2)
        warped = cv2.warpAffine(
            self._ground, matrix, (self._width, self._height), borderMode=cv2.BORDER_REFLECT
        )
        picture = np.asarray(warped, np.uint8)
        for thing in self._things:
            thing.draw(picture, time_s)
        return picture


class _Thing:
    """A textured convex shape on a path of its own."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        side = int(min(width, height) * rng.uniform(0.12, 0.4)) // 2 * 2 + 8
        self._skin = texture(rng, side, side)
        mask = np.zeros((side, side), np.uint8)
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
        corners = np.stack([np.cos(angles), np.sin(angles)], 1) * side / 2 + side / 2
        cv2.fillPoly(mask, [corners.astype(np.int32)], 255)
        self._inside = mask > 0
        self._place = rng.uniform(0.15, 0.85, 2) * (width, height)
        self._reach = rng.uniform(0.05, 0.3, 2) * (width, height)
        self._pace = rng.uniform(0.3, 1.6, 2)
        self._phase = rng.uniform(0, 6, 2)

    def draw(self, picture: Picture, time_s: float) -> None:
        height, width = picture.shape[:2]
        side = self._skin.shape[0]
        x, y = self._place + self._reach * np.sin(self._pace * time_s + self._phase) - side / 2
        left, top = round(x), round(y)
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(width, left + side), min(height, top + side)
        if x0 < x1 and y0 < y1:
            part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
            window = picture[y0:y1, x0:x1]
            np.copyto(window, self._skin[part], where=self._inside[part][..., None])


def texture(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """(H, W, 3) of noise in octaves between two colours, with lines, dots and blocks on it."""
    grain = np.zeros((height, width), np.float32)
    for octave in range(int(rng.integers(1, 3)), 7):
        cells = (max(2, int(2**octave * width / max(width, height))), 2**octave)
        coarse = rng.standard_normal(cells[::-1], np.float32)
        way = cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_NEAREST
        grain += cv2.resize(coarse, (width, height), interpolation=way) / octave
    grain = np.clip(grain * 0.35 + 0.5, 0, 1)[..., None]
    low, high = (np.asarray(rng.uniform(0, 255, 3), np.float32) for _ in range(2))
    drawn = np.ascontiguousarray((low + (high - low) * grain).astype(np.uint8))
    for _ in range(int(rng.integers(4, 24))):
        start, end = (tuple(int(v) for v in rng.uniform(0, 1, 2) * (width, height)) for _ in "ab")
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        kind, thick = int(rng.integers(3)), int(rng.integers(1, 2 + max(1, width // 90)))
        if kind == 0:
            cv2.line(drawn, start, end, colour, thick, cv2.LINE_AA)
        elif kind == 1:
            size = (int(rng.integers(4, 5 + width // 8)), int(rng.integers(4, 5 + height // 8)))
            low_corner = (start[0] + size[0], start[1] + size[1])
            cv2.rectangle(drawn, start, low_corner, colour, -1 if rng.random() < 0.5 else thick)
        else:
            radius = int(rng.integers(3, 4 + width // 10))
            cv2.circle(drawn, start, radius, colour, -1 if rng.random() < 0.5 else thick)
    return drawn
