"""Drawn scenes of the built-in model's world: pictograms that drift over soft backgrounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vscan.embeddings import builtin

WIDTH, HEIGHT, FPS = 320, 240, 12

Frame = NDArray[np.uint8]
"""(HEIGHT, WIDTH, 3) RGB."""


@dataclass(frozen=True)
class Scene:
    """A few seconds of one background with pictograms on it."""

    seconds: float
    sprites: tuple[str, ...] = ()
    """Names on the sprite sheet; none: the background alone."""
    seed: int = 0
    """Chooses background and path."""
    size: float = 0.55
    """Height of a pictogram as a share of the frame's; shared among several."""

    def frames(self) -> Iterator[Frame]:
        """The scene's frames at FPS, the same on every call."""
        rng = np.random.default_rng(self.seed)
        ground = background(rng)
        phases = rng.uniform(0, 2 * math.pi, (max(1, len(self.sprites)), 2))
        share = self.size / (1 if len(self.sprites) < 2 else 1.35)
        for i in range(round(self.seconds * FPS)):
            picture = Image.fromarray(ground)
            for k, name in enumerate(self.sprites):
                sprite = sprite_image(name, round(share * HEIGHT))
                slot = (k + 0.5) / len(self.sprites)
                x = WIDTH * slot + 12 * math.sin(i / 9 + phases[k, 0])
                y = HEIGHT * 0.5 + 14 * math.cos(i / 11 + phases[k, 1])
                place = (round(x - sprite.width / 2), round(y - sprite.height / 2))
                picture.paste(sprite, place, sprite)
            yield np.asarray(picture)


def play(scenes: Sequence[Scene]) -> Iterator[Frame]:
    """The frames of several scenes, one after the other."""
    for scene in scenes:
        yield from scene.frames()


def background(rng: np.random.Generator) -> Frame:
    """A soft two-colour gradient with large blurred patches: nothing that could be an object."""
    low, high = rng.uniform(40, 215, (2, 3))
    angle = rng.uniform(0, 2 * math.pi)
    yy, xx = (axis / HEIGHT for axis in np.mgrid[0:HEIGHT, 0:WIDTH])
    ramp = xx * math.cos(angle) + yy * math.sin(angle)
    ramp = (ramp - ramp.min()) / (ramp.max() - ramp.min())
    patches = Image.fromarray(rng.integers(0, 256, (4, 5, 3), np.uint8))
    soft = np.asarray(patches.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.float64)
    colours = low + (high - low) * ramp[..., None]
    mixed: NDArray[np.float64] = 0.8 * colours + 0.2 * soft
    return np.clip(mixed, 0, 255).astype(np.uint8)


@cache
def sprite_image(name: str, height: int) -> Image.Image:
    """A pictogram of the sheet, `height` pixels high, with its transparency."""
    sheet = Image.open(builtin.folder() / "sprites.png").convert("RGBA")
    for sprite in builtin.sprites():
        if sprite.name == name:
            box = (sprite.x, sprite.y, sprite.x + sprite.w, sprite.y + sprite.h)
            width = max(1, round(sprite.w * height / sprite.h))
            return sheet.crop(box).resize((width, height), Image.Resampling.LANCZOS)
    raise KeyError(f"no pictogram is named {name!r}")
