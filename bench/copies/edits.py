"""The plain edits, what an edit is, and the list of all: each draws its strength, then paints."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from bench.copies.drawing import BORDER_COLOURS, draw_logo
from bench.copies.timeline import Painter, Picture

Params = Mapping[str, Any]
"""Strengths of an edit: JSON values. `crf`, `rate` and `speed` are heeded by the maker."""
Hardness = Literal["plain", "hard"]
Draw = Callable[[np.random.Generator], dict[str, Any]]
Make = Callable[[Params], Painter]


@dataclass(frozen=True)
class Edit:
    """One kind of edit."""

    name: str
    hardness: Hardness
    draw: Draw
    """Strengths for one original."""
    make: Make
    """Strengths to the function that edits each picture."""


def seeded(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names alone, so that nothing moves another."""
    text = "\0".join([str(seed), *names]).encode()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:8]))


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A strength, rounded so that it reads well."""
    return round(float(rng.uniform(low, high)), 3)


def one_of(rng: np.random.Generator, *values: Any) -> Any:
    """One of the values, each as likely."""
    return values[int(rng.integers(len(values)))]


def unpainted(_: Params) -> Painter:
    """The picture as it is."""
    return lambda picture, _time: picture


def brightness(params: Params) -> Painter:
    """Gain, then contrast about middle grey."""
    levels = np.arange(256, dtype=np.float32) * params["gain"]
    table = np.clip((levels - 128) * params["contrast"] + 128, 0, 255).astype(np.uint8)
    return lambda picture, _: cv2.LUT(picture, table).astype(np.uint8, copy=False)


def grey(_: Params) -> Painter:
    """No colour."""

    def paint(picture: Picture, _time: float) -> Picture:
        return bgr(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))

    return paint


def bgr(grey_picture: Any) -> Picture:
    """(H, W) to (H, W, 3)."""
    return np.asarray(cv2.cvtColor(grey_picture, cv2.COLOR_GRAY2BGR), np.uint8)


def blur(params: Params) -> Painter:
    """Gaussian blur of `sigma` pixels."""
    return lambda picture, _: np.asarray(cv2.GaussianBlur(picture, (0, 0), params["sigma"]))


def noise(params: Params) -> Painter:
    """Gaussian noise of `sigma` levels; one plane, cut out anew at a random place every frame."""
    rng = np.random.default_rng(params["seed"])
    plane: list[Any] = []

    def paint(picture: Picture, _time: float) -> Picture:
        height, width = picture.shape[:2]
        if not plane:
            drawn = rng.standard_normal((height + 64, width + 64, 3), np.float32)
            plane.append(np.rint(drawn * params["sigma"]).astype(np.int16))
        top, left = (int(each) for each in rng.integers(0, 64, 2))
        piece = plane[0][top : top + height, left : left + width]
        return np.asarray(cv2.add(picture, piece, dtype=cv2.CV_8U), np.uint8)

    return paint


def crop(params: Params) -> Painter:
    """Keeps `keep` of each side, at x, y of the play that leaves."""

    def paint(picture: Picture, _time: float) -> Picture:
        height, width = picture.shape[:2]
        tall, wide = round(height * params["keep"]), round(width * params["keep"])
        top, left = round((height - tall) * params["y"]), round((width - wide) * params["x"])
        return picture[top : top + tall, left : left + wide]

    return paint


def surround(params: Params) -> Painter:
    """Bars around the picture, `x` and `y` its sides' shares; the canvas grows."""

    def paint(picture: Picture, _time: float) -> Picture:
        height, width = picture.shape[:2]
        top, left = round(height * params["y"]), round(width * params["x"])
        return np.asarray(
            cv2.copyMakeBorder(
                picture, top, top, left, left, cv2.BORDER_CONSTANT, value=params["colour"]
            ),
            np.uint8,
        )

    return paint


def mirror(_: Params) -> Painter:
    """Left for right."""
    return lambda picture, _: picture[:, ::-1]


def turn(params: Params) -> Painter:
    """`quarters` quarter turns, counterclockwise."""
    return lambda picture, _: np.rot90(picture, params["quarters"])


def logo(params: Params) -> Painter:
    """The one drawn logo, `share` of the width, in a corner."""

    def paint(picture: Picture, _time: float) -> Picture:
        return draw_logo(picture, params["share"], right=params["right"], low=params["low"])

    return paint


def stretch(params: Params) -> Painter:
    """The aspect ratio changed by `x` or `y`."""

    def paint(picture: Picture, _time: float) -> Picture:
        height, width = picture.shape[:2]
        size = (round(width * params["x"]), round(height * params["y"]))
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    return paint


def _brightness(rng: np.random.Generator) -> dict[str, Any]:
    gain = 1 + one_of(rng, -1, 1) * between(rng, 0.20, 0.35)
    return {"gain": round(gain, 3), "contrast": between(rng, 0.75, 1.3)}


def draw_crop(keep: float) -> Draw:
    """A random place for a crop that keeps `keep` of each side."""
    return lambda rng: {"keep": keep, "x": between(rng, 0, 1), "y": between(rng, 0, 1)}


def _letterbox(rng: np.random.Generator) -> dict[str, Any]:
    bar, side = between(rng, 0.10, 0.18), one_of(rng, "x", "y")
    return {"x": 0.0, "y": 0.0, "colour": (0, 0, 0)} | {side: bar}


def _border(rng: np.random.Generator) -> dict[str, Any]:
    share = between(rng, 0.08, 0.14)
    return {"x": share, "y": share, "colour": one_of(rng, *BORDER_COLOURS)}


def _stretch(rng: np.random.Generator) -> dict[str, Any]:
    return {"x": 1.0, "y": 1.0} | {one_of(rng, "x", "y"): between(rng, 1.2, 1.4)}


def _logo(rng: np.random.Generator) -> dict[str, Any]:
    corner = {"right": one_of(rng, True, False), "low": one_of(rng, True, False)}
    return {"share": between(rng, 0.12, 0.20), **corner}


def _fps(rng: np.random.Generator) -> dict[str, Any]:
    return {"rate": one_of(rng, 12, 13, 14, 15, 50)}


PLAIN = (
    Edit("recompress", "plain", lambda rng: {"crf": int(rng.integers(34, 41))}, unpainted),
    Edit("brightness", "plain", _brightness, brightness),
    Edit("grey", "plain", lambda _: {}, grey),
    Edit("blur", "plain", lambda rng: {"sigma": between(rng, 1.5, 3)}, blur),
    Edit(
        "noise",
        "plain",
        lambda rng: {"sigma": between(rng, 10, 20), "seed": int(rng.integers(2**31))},
        noise,
    ),
    Edit("crop80", "plain", draw_crop(0.8), crop),
    Edit("letterbox", "plain", _letterbox, surround),
    Edit("border", "plain", _border, surround),
    Edit("mirror", "plain", lambda _: {}, mirror),
    Edit("rotate90", "plain", lambda rng: {"quarters": one_of(rng, 1, 3)}, turn),
    Edit("logo", "plain", _logo, logo),
    Edit("fps", "plain", _fps, unpainted),
    Edit("speed1.25", "plain", lambda _: {"speed": 1.25}, unpainted),
    Edit("stretch", "plain", _stretch, stretch),
)
