"""Scene i of a seed: which pictograms, on which background, and two degraded views of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.builtin.backgrounds import SIDE, background
from training.builtin.glyphs import Concept, Sprite
from training.builtin.views import view

POOL = 1500  # backgrounds a scene may choose from
REFRESH = 12  # scenes until the pool moves on by one background
MARGIN = 1.25  # a scene is drawn this much larger than its views, which crop it
_STREAM = 7

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator


@dataclass(frozen=True)
class Odds:
    """Chances and ranges of a scene's draw; evaluation narrows them."""

    empty: float = 0.22
    policy: float = 0.45
    more: tuple[float, float] = (0.62, 0.9)  # below: one object, below: two, else three
    size: tuple[float, float] = (0.2, 0.75)  # an object's side, as a share of the scene's

    def __post_init__(self) -> None:
        if not 0 < self.size[0] <= self.size[1] <= 1:
            raise ValueError(f"object sizes must be in 0..1 and ordered, not {self.size}")


class Stage:
    """Draws scenes of one seed; keeps the pool's backgrounds so that each is painted once."""

    def __init__(self, concepts: Sequence[Concept], seed: int) -> None:
        self.concepts = concepts
        self.seed = seed
        self._levels = [_levels(concept.sprite) for concept in concepts]
        weights = np.array([_weight(concept) for concept in concepts])
        of_policy = np.array([concept.policy is not None for concept in concepts])
        self._policy = np.cumsum(np.where(of_policy, weights, 0) / weights[of_policy].sum())
        self._benign = np.cumsum(np.where(of_policy, 0, weights) / weights[~of_policy].sum())
        self._pool: dict[int, Pixels] = {}

    def __repr__(self) -> str:
        return f"Stage({len(self.concepts)} concepts, seed={self.seed}, {len(self._pool)} painted)"

    def members(self, rng: Rng, odds: Odds) -> list[int]:
        """Draw which concepts stand in a scene: none, one, two or three, all different."""
        if rng.random() < odds.empty:
            return []
        draw = rng.random()
        count = 1 if draw < odds.more[0] else 2 if draw < odds.more[1] else 3
        chosen: list[int] = []
        while len(chosen) < count:
            table = self._policy if rng.random() < odds.policy else self._benign
            index = min(int(np.searchsorted(table, rng.random())), len(table) - 1)
            if index not in chosen:
                chosen.append(index)
        return chosen

    def backdrop(self, rng: Rng, scene: int, side: int) -> Pixels:
        """Take a part of a pooled background, turned and recoloured, (side, side, 3)."""
        base = scene // REFRESH
        index = base + int(rng.integers(POOL))
        if index not in self._pool:
            for old in [key for key in self._pool if key < base]:
                del self._pool[old]
            self._pool[index] = background(self.seed, index)
        image = self._pool[index]
        part = int(rng.integers(SIDE // 2, SIDE + 1))
        y, x = (int(v) for v in rng.integers(0, SIDE - part + 1, 2))
        image = image[y : y + part, x : x + part]
        if rng.random() < 0.5:
            image = image[:, ::-1]
        if rng.random() < 0.25:
            image = image[..., rng.permutation(3)]
        if rng.random() < 0.15:
            image = image.transpose(1, 0, 2)
        return np.asarray(
            cv2.resize(np.ascontiguousarray(image), (side, side), interpolation=cv2.INTER_LINEAR)
        )

    def compose(self, rng: Rng, members: Sequence[int], image: Pixels, odds: Odds) -> Pixels:
        """Draw the members on ``image``, (H, W, 3) uint8, at random size, place and angle.

        Sizes are shares of the square root of the image's area. A square canvas stands for a
        frame of some other shape that was squashed, so the objects are stretched likewise.
        """
        height, width = image.shape[:2]
        canvas = image.astype(np.float32)
        squash = np.exp(rng.uniform(-0.3, 0.3)) if rng.random() < 0.6 else 1.0
        if height != width:
            squash = 1.0
        high = odds.size[1] * (1.0, 0.75, 0.6)[max(0, len(members) - 1)]
        placed: list[tuple[float, float, float]] = []
        for member in members:
            for _ in range(6):
                share = rng.uniform(odds.size[0], max(high, odds.size[0]))
                side = share * np.sqrt(height * width)
                y = rng.uniform(0.45 * side, max(height - 0.45 * side, 0.46 * side))
                x = rng.uniform(0.45 * side, max(width - 0.45 * side, 0.46 * side))
                if all(max(abs(y - py), abs(x - px)) > 0.42 * (side + ps) for py, px, ps in placed):
                    break
            placed.append((y, x, side))
            self._paste(rng, canvas, member, (x, y), (side * squash, side / squash))
        return np.clip(canvas, 0, 255).astype(np.uint8)

    def _paste(
        self,
        rng: Rng,
        canvas: npt.NDArray[np.float32],
        member: int,
        centre: tuple[float, float],
        size: tuple[float, float],
    ) -> None:
        levels = self._levels[member]
        sprite = next((s for s in levels if s.shape[0] >= max(size)), levels[-1])
        angle = np.deg2rad(rng.uniform(-25, 25)) if rng.random() < 0.6 else 0.0
        cos, sin, n = np.cos(angle), np.sin(angle), sprite.shape[0]
        stretch = rng.uniform(0.92, 1.08)
        matrix = np.array([[cos, -sin], [sin, cos]]) * np.array([[size[0]], [size[1]]]) / n
        matrix[0] *= stretch
        shift = np.array(centre) - matrix @ np.array([n / 2, n / 2])
        height, width = canvas.shape[:2]
        reach = 0.75 * max(size) + 2
        top, left = max(0, int(centre[1] - reach)), max(0, int(centre[0] - reach))
        bottom = min(height, int(centre[1] + reach) + 1)
        right = min(width, int(centre[0] + reach) + 1)
        affine = np.column_stack([matrix, shift - [left, top]])
        drawn = cv2.warpAffine(sprite, affine, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
        if rng.random() < 0.25:
            drawn = drawn * np.float32(rng.uniform(0.65, 1))
        region = canvas[top:bottom, left:right]
        region *= 1 - drawn[..., 3:] / 255
        region += drawn[..., :3]

    def scene(self, index: int, side: int, odds: Odds = Odds()) -> tuple[list[int], Pixels, Rng]:
        """Return members, picture and the generator's state of scene ``index``.

        The picture is (side, side, 3) uint8 RGB; everything is a pure function of seed and index.
        """
        rng = np.random.default_rng([self.seed, _STREAM, index])
        members = self.members(rng, odds)
        image = self.backdrop(rng, index, side)
        if rng.random() < 0.3:
            decoy(rng, image)
        return members, self.compose(rng, members, image, odds), rng

    def views(self, index: int, side: int) -> tuple[list[int], Pixels, Pixels, Rng]:
        """Return members and two differently degraded views, (side, side, 3) uint8 RGB each."""
        members, image, rng = self.scene(index, round(side * MARGIN))
        return members, view(rng, image, side), view(rng, image, side), rng


def _weight(concept: Concept) -> float:
    # A policy of one pictogram would otherwise be seen a seventh as often as one of seven.
    return 2.0 if concept.policy in ("tobacco", "obscene_gestures") else 1.0


def _levels(sprite: Sprite) -> list[Sprite]:
    sizes = (16, 24, 32, 48, 64, 96)
    scaled = [cv2.resize(sprite, (n, n), interpolation=cv2.INTER_AREA) for n in sizes]
    return [np.asarray(s, np.float32) for s in scaled] + [sprite]


def decoy(rng: Rng, image: Pixels) -> None:
    """Draw a thing without a name: a cluster of shapes, so that unknown objects mean nothing."""
    side = image.shape[0]
    centre, reach = rng.uniform(0.1, 0.9, 2) * side, rng.uniform(0.06, 0.3) * side
    colours = rng.uniform(0, 255, (3, 3)) if rng.random() < 0.6 else rng.uniform(0, 255, (3, 1))
    for _ in range(int(rng.integers(1, 7))):
        colour = np.broadcast_to(colours[int(rng.integers(3))], 3).tolist()
        at = (centre + rng.normal(0, 0.5, 2) * reach).astype(int).tolist()
        axes = (rng.uniform(0.15, 1, 2) * reach).astype(int).tolist()
        kind = int(rng.integers(4))
        thick = -1 if rng.random() < 0.7 else int(rng.integers(1, 4))
        if kind == 0:
            cv2.ellipse(image, at, axes, rng.uniform(0, 180), 0, 360, colour, thick, cv2.LINE_AA)
        elif kind == 1:
            box = cv2.boxPoints((at, axes, rng.uniform(0, 90))).astype(np.int32)
            cv2.fillPoly(image, [box], colour, cv2.LINE_AA)
        elif kind == 2:
            corners = (centre + rng.normal(0, 0.7, (int(rng.integers(3, 7)), 2)) * reach).astype(
                int
            )
            cv2.fillPoly(image, [corners.astype(np.int32)], colour, cv2.LINE_AA)
        else:
            arc = rng.uniform(40, 320)
            cv2.ellipse(image, at, axes, rng.uniform(0, 360), 0, arc, colour, abs(thick) + 1)
