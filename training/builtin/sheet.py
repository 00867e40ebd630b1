"""Concepts from the shipped sprite sheet, so that figures can be checked without the font."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from training.builtin import concepts
from training.builtin.glyphs import SPRITE_PIXELS, Concept
from vscan.embeddings import builtin


def concepts_of_sheet() -> list[Concept]:
    """Return the policies' concepts and some harmless ones, a little softer than the font's."""
    with Image.open(builtin.folder() / "sprites.png") as image:
        sheet = np.asarray(image.convert("RGBA")).astype(np.float32)
    sheet[..., :3] *= sheet[..., 3:] / 255
    policies, benign = concepts.words_of_policies(), concepts.words_of_benign()
    size = (SPRITE_PIXELS, SPRITE_PIXELS)
    found = []
    for entry in builtin.sprites():
        sprite = sheet[entry.y : entry.y + entry.h, entry.x : entry.x + entry.w]
        if entry.policy is not None:
            core, wide = [entry.name, *policies[entry.glyph][1]], []
        else:
            core = [entry.name, *concepts.BENIGN_WORDS.get(entry.glyph, [])]
            wide = benign[entry.glyph]
        found.append(
            Concept(
                glyph=entry.glyph,
                name=entry.name,
                policy=entry.policy,
                core=tuple(dict.fromkeys(core)),
                wide=tuple(wide),
                sprite=np.asarray(cv2.resize(sprite, size), np.float32),
            )
        )
    return found
