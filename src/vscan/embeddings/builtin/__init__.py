"""Data of the built-in model: a demo and test model of drawn pictograms, never of photographs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path


@dataclass(frozen=True)
class Sprite:
    """One pictogram on the sheet: its place in pixels, and its policy in the demo pack."""

    name: str
    glyph: str
    policy: str | None
    x: int
    y: int
    w: int
    h: int

    def __post_init__(self) -> None:
        if min(self.x, self.y) < 0 or min(self.w, self.h) < 1:
            raise ValueError(f"sprite {self.name!r} lies outside its sheet: {self}")


def folder() -> Path:
    """Return the folder of the shipped files, which open_clip loads as ``local-dir:``."""
    return Path(str(resources.files(__name__)))


def sprites() -> tuple[Sprite, ...]:
    """Return where each pictogram stands on ``sprites.png`` (RGBA, straight alpha)."""
    listed = json.loads((folder() / "sprites.json").read_text("utf-8"))["sprites"]
    return tuple(Sprite(**entry) for entry in listed)


def known_words() -> frozenset[str]:
    """Return every word of the training captions, lower case; others mean nothing to the model."""
    return frozenset((folder() / "known_words.txt").read_text("utf-8").split())
