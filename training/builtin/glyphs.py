"""Reads the open name list, draws the font's glyphs, and joins both into concepts."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from training.builtin import concepts

FONT_FILE = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
FONT_PIXELS = 109  # the only size of the bitmap font
SPRITE_PIXELS = 128
NAMES_PACKAGE = "emojibase-data@17.0.0"

Sprite = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Concept:
    """One pictogram: its glyph, names and picture.

    ``core`` holds names that mean this pictogram, ``wide`` those of its category and tags.
    ``sprite`` is premultiplied RGBA, (128, 128, 4) float32 in 0..255.
    """

    glyph: str
    name: str
    policy: str | None
    core: tuple[str, ...]
    wide: tuple[str, ...]
    sprite: Sprite

    def __post_init__(self) -> None:
        if self.sprite.shape != (SPRITE_PIXELS, SPRITE_PIXELS, 4):
            raise ValueError(f"sprite of {self.name!r} has shape {self.sprite.shape}")

    def __repr__(self) -> str:
        return f"Concept({self.glyph} {self.name!r}, policy={self.policy}, {len(self.core)} names)"


def fetch_names(cache: Path) -> Path:
    """Return the folder of the name list, packed from the npm registry on first use.

    Raises:
        RuntimeError: ``npm`` is missing or the registry did not answer.
    """
    folder = cache / "package"
    if not (folder / "en" / "data.json").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["npm", "pack", NAMES_PACKAGE], cwd=cache, check=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            raise RuntimeError(f"cannot get {NAMES_PACKAGE}: run `npm pack` in {cache}") from error
        archive = next(cache.glob("emojibase-data-*.tgz"))
        with tarfile.open(archive) as tar:
            tar.extractall(cache, filter="data")
    return folder


def draw_glyph(text: str, font: ImageFont.FreeTypeFont) -> Sprite:
    """Draw one glyph, cropped and centred on a square, as premultiplied RGBA (128, 128, 4)."""
    image = Image.new("RGBA", (180, 180), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((10, 10), text, font=font, embedded_color=True)
    box = image.getbbox()
    if box is None or box[2] - box[0] > 150:
        raise ValueError(f"the font has no single glyph for {text!r}")
    rgba = np.asarray(image.crop(box)).astype(np.float32)
    rgba[..., :3] *= rgba[..., 3:] / 255.0
    side = max(rgba.shape[:2])
    square = np.zeros((side, side, 4), np.float32)
    top, left = (side - rgba.shape[0]) // 2, (side - rgba.shape[1]) // 2
    square[top : top + rgba.shape[0], left : left + rgba.shape[1]] = rgba
    return cv2.resize(square, (SPRITE_PIXELS, SPRITE_PIXELS), interpolation=cv2.INTER_AREA).astype(
        np.float32
    )


def _plain(glyph: str) -> str:
    return glyph.replace("\ufe0f", "")


def _tags(entry: dict[str, object]) -> list[str]:
    tags = entry.get("tags")
    listed = tags if isinstance(tags, Sequence) else []
    lower = [str(tag).lower() for tag in listed]
    return [
        tag
        for tag in lower
        if len(tag) >= 3 and tag not in concepts.STOP_TAGS and re.fullmatch(r"[a-z \-]+", tag)
    ]


def load_concepts(cache: Path) -> list[Concept]:
    """Return every concept in a fixed order: the policies' first, then the harmless ones.

    Raises:
        RuntimeError: the font or the name list cannot be had; the text says what to install.
    """
    if not FONT_FILE.is_file():
        raise RuntimeError(f"{FONT_FILE} is missing: apt-get install fonts-noto-color-emoji")
    listed = json.loads((fetch_names(cache) / "en" / "data.json").read_text("utf-8"))
    by_glyph = {_plain(entry["emoji"]): entry for entry in listed}
    font = ImageFont.truetype(str(FONT_FILE), FONT_PIXELS)
    policies, benign = concepts.words_of_policies(), concepts.words_of_benign()
    taken: set[str] = {word for _, words in policies.values() for word in words}
    found = []
    for glyph in [*policies, *benign]:
        entry = by_glyph[_plain(glyph)]
        name = re.sub(r"^flag: ", "flag of ", entry["label"].lower())
        if glyph in policies:
            policy, words = policies[glyph]
            core, wide = [name, *words], _tags(entry)
        else:
            policy, words = None, benign[glyph]
            core = [name, *concepts.BENIGN_WORDS.get(glyph, [])]
            # A harmless picture must not answer to a policy's word ("red" may, "weapon" may not).
            wide = [t for t in _tags(entry) if t not in taken] + words
        core = list(dict.fromkeys(core))
        found.append(
            Concept(
                glyph=glyph,
                name=name,
                policy=policy,
                core=tuple(core),
                wide=tuple(t for t in dict.fromkeys(wide) if t not in core),
                sprite=draw_glyph(entry["emoji"], font),
            )
        )
    return found
