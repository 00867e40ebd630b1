"""Frames to evaluate and calibrate on: video-sized, compressed, of seeds training never uses."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from training.builtin import captions
from training.builtin.glyphs import Concept
from training.builtin.scenes import Odds, Stage, decoy

SHAPES = ((240, 320), (180, 320), (320, 240), (288, 288))  # height, width
OBJECTS = Odds(size=(0.25, 0.7))
CALIBRATION_SEED, TUNING_SEED, FINAL_SEED = 1_000_003, 2_000_003, 9_000_029
_STREAM = 23

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator


def jpeg(image: Pixels, quality: int) -> Pixels:
    """Return the image after a trip through JPEG."""
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


class Trials:
    """Draws frames of one seed; each family of frames has numbers of its own."""

    def __init__(self, concepts: Sequence[Concept], seed: int) -> None:
        self.concepts = concepts
        self.seed = seed
        self.stage = Stage(concepts, seed)

    def __repr__(self) -> str:
        return f"Trials({len(self.concepts)} concepts, seed={self.seed})"

    def _rng(self, family: int, index: int) -> Rng:
        return np.random.default_rng([self.seed, _STREAM, family, index])

    def frame(self, rng: Rng, index: int, members: Sequence[int], odds: Odds) -> Pixels:
        """Draw one frame, (H, W, 3) uint8 RGB: a background, maybe a decoy, the members, JPEG."""
        height, width = SHAPES[int(rng.integers(len(SHAPES)))]
        image = self.stage.backdrop(rng, index, max(height, width))[:height, :width].copy()
        if rng.random() < 0.3:
            decoy(rng, image)
        drawn = self.stage.compose(rng, members, image, odds)
        return jpeg(drawn, int(rng.integers(50, 86)))

    def single(self, member: int, count: int, size: tuple[float, float]) -> list[Pixels]:
        """Return ``count`` frames of one concept, its side a share ``size`` of the frame's."""
        odds = Odds(size=size)
        family = 1000 + member * 100 + round(size[0] * 100)
        return [
            self.frame(self._rng(family, i), member * 500 + i, [member], odds) for i in range(count)
        ]

    def empty(self, count: int) -> list[Pixels]:
        """Return frames without a pictogram."""
        return [self.frame(self._rng(1, i), i * 4, [], OBJECTS) for i in range(count)]

    def scenes(self, count: int, family: int, empty: float) -> tuple[list[list[int]], list[Pixels]]:
        """Return members and frames of mixed scenes: none to three pictograms."""
        odds = Odds(empty=empty, policy=0.35, size=OBJECTS.size)
        members, frames = [], []
        for index in range(count):
            rng = self._rng(family, index)
            members.append(self.stage.members(rng, odds))
            frames.append(self.frame(rng, index * 3, members[-1], odds))
        return members, frames

    def of_policy(self, policy: str, count: int) -> list[Pixels]:
        """Return frames of a policy's pictograms, two in five beside a harmless one."""
        own = [i for i, c in enumerate(self.concepts) if c.policy == policy]
        other = [i for i, c in enumerate(self.concepts) if c.policy is None]
        family = 50 + sorted({c.policy or "" for c in self.concepts}).index(policy)
        frames = []
        for i in range(count):
            rng = self._rng(family, i)
            members = [own[i % len(own)]]
            if rng.random() < 0.4:
                members.append(other[int(rng.integers(len(other)))])
            frames.append(self.frame(rng, i * 7, members, OBJECTS))
        return frames

    def holds(self, members: Sequence[int], prompts: Sequence[str]) -> bool:
        """Tell whether any of the prompts is true of a scene with these members."""
        return bool(captions.terms_of(self.concepts, members) & set(prompts))
