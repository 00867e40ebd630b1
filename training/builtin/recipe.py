"""The numbers of one training run; everything in it follows steps, never the clock."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """What decides a run's result: two runs of one recipe see the same data and rates."""

    steps: int
    seed: int
    scenes: int = 32  # a step; each gives two views
    prompts: int = 48  # captions a step beside one a scene
    peak: float = 1.5e-3
    floor: float = 0.01  # of the peak, at the end
    warm_up: int = 150
    weight_decay: float = 0.05
    decay: float = 0.9985  # of the averaged weights
    clip: float = 2.0
    small: int = 48  # pixels of the first part of the run
    large: int = 64
    grow_at: float = 0.6  # the share of steps after which pictures are large

    def __post_init__(self) -> None:
        if self.steps < 1 or self.scenes < 2 or self.prompts < 1:
            raise ValueError(f"a run needs steps, scenes and prompts: {self}")

    def side(self, step: int) -> int:
        """Return the pictures' side in pixels."""
        return self.small if step < self.grow_at * self.steps else self.large

    def rate(self, step: int) -> float:
        """Return the learning rate: linear warm-up, then a half cosine to the floor."""
        share = step / self.steps
        cosine = 0.5 * (1 + math.cos(math.pi * share))
        return (
            self.peak
            * min(1.0, (step + 1) / self.warm_up)
            * (self.floor + (1 - self.floor) * cosine)
        )

    def average(self, step: int) -> float:
        """Return the share of the averaged weights that stays at this step."""
        return min(self.decay, (1 + step) / (10 + step))

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON holds them."""
        return asdict(self)
