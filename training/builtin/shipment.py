"""Writes what ships beside the weights: sprite sheet, known words, licences."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from training.builtin import captions
from training.builtin.concepts import SHEET_BENIGN
from training.builtin.glyphs import Concept, Sprite, fetch_names

SHEET_PIXELS = 96  # of one sprite
COLUMNS = 10
FONT_COPYRIGHT = Path("/usr/share/doc/fonts-noto-color-emoji/copyright")


def _straight(sprite: Sprite) -> npt.NDArray[np.uint8]:
    """Return straight-alpha RGBA, (96, 96, 4) uint8, of a premultiplied sprite."""
    size = (SHEET_PIXELS, SHEET_PIXELS)
    small = np.asarray(cv2.resize(sprite, size, interpolation=cv2.INTER_AREA), np.float32)
    small[..., :3] /= np.maximum(small[..., 3:] / 255, 1e-3)
    return np.clip(small.round(), 0, 255).astype(np.uint8)


def write_sheet(concepts: Sequence[Concept], folder: Path) -> None:
    """Write sprites.png (RGBA) and sprites.json: every policy pictogram, then harmless ones."""
    shown = [c for c in concepts if c.policy is not None]
    shown += [c for c in concepts if c.glyph in SHEET_BENIGN]
    rows = math.ceil(len(shown) / COLUMNS)
    sheet = np.zeros((rows * SHEET_PIXELS, COLUMNS * SHEET_PIXELS, 4), np.uint8)
    entries = []
    for n, concept in enumerate(shown):
        y, x = (n // COLUMNS) * SHEET_PIXELS, (n % COLUMNS) * SHEET_PIXELS
        sheet[y : y + SHEET_PIXELS, x : x + SHEET_PIXELS] = _straight(concept.sprite)
        place = {"x": x, "y": y, "w": SHEET_PIXELS, "h": SHEET_PIXELS}
        entries.append(
            {"name": concept.name, "glyph": concept.glyph, "policy": concept.policy, **place}
        )
    Image.fromarray(sheet, "RGBA").save(folder / "sprites.png", optimize=True)
    note = {
        "schema": "vscan.sprites/1",
        "source": "Noto Color Emoji, SIL Open Font License 1.1 (LICENSE-font-OFL.txt)",
        "alpha": "straight",
        "sprites": entries,
    }
    text = json.dumps(note, ensure_ascii=False, indent=1) + "\n"
    (folder / "sprites.json").write_text(text, "utf-8")


def write_words(concepts: Sequence[Concept], folder: Path) -> None:
    """Write every word that the training captions held, one a line, sorted."""
    lines = "\n".join(captions.known_words(concepts))
    (folder / "known_words.txt").write_text(lines + "\n", "utf-8")


def _open_font_licence() -> str:
    """Return the Open Font License as the font's package states it, unindented."""
    stated = FONT_COPYRIGHT.read_text("utf-8")
    body = stated[stated.index("SIL OPEN FONT LICENSE Version 1.1") :]
    lines = [re.sub(r"^ ", "", line) for line in body.splitlines()]
    text = "\n".join("" if line == "." else line for line in lines)
    head = "Noto Color Emoji: copyright 2013-2017 Google Inc. and Arjen Nienhuis.\n"
    return f"{head}The pictograms of sprites.png are drawn with it.\n\n{text}\n"


def write_licences(cache: Path, folder: Path) -> None:
    """Write the licences of the font (OFL) and of the name list (MIT)."""
    (folder / "LICENSE-font-OFL.txt").write_text(_open_font_licence(), "utf-8")
    names = (fetch_names(cache) / "LICENSE").read_text("utf-8")
    head = "The names of the pictograms come from emojibase-data:\n\n"
    (folder / "LICENSE-names-MIT.txt").write_text(head + names, "utf-8")


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS of every file that decides a vector."""
    names = ("bpe4096.txt.gz", "open_clip_config.json", "open_clip_model.safetensors")
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}" for name in names
    ]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n", "utf-8")


def write_all(concepts: Sequence[Concept], cache: Path, folder: Path) -> None:
    """Write everything that ships beside the weights, which must already be there."""
    write_sheet(concepts, folder)
    write_words(concepts, folder)
    write_licences(cache, folder)
    write_sums(folder)
