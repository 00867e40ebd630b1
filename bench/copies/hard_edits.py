"""The hard edits: those that move, hide or shrink much of the picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from bench.copies.drawing import draw_captions, sentence
from bench.copies.edits import (
    PLAIN,
    Edit,
    Params,
    between,
    crop,
    draw_crop,
    one_of,
    unpainted,
)
from bench.copies.footage import Footage
from bench.copies.timeline import Painter, Picture

HOST_WIDTH = 640
"""Pixels that a picture holding two videos is wide at least."""


def rotate(params: Params) -> Painter:
    """Turned by `degrees` about its middle, black where nothing is left."""

    def paint(picture: Picture, _time: float) -> Picture:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), params["degrees"], 1.0)
        return np.asarray(cv2.warpAffine(picture, matrix, (width, height)), np.uint8)

    return paint


def inversion(_: Params) -> Painter:
    """The negative."""
    return lambda picture, _: np.asarray(cv2.bitwise_not(picture), np.uint8)


def perspective(params: Params) -> Painter:
    """Each corner moved by its share of the sides; black where nothing is left."""

    def paint(picture: Picture, _time: float) -> Picture:
        height, width = picture.shape[:2]
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        moved = corners + np.asarray(params["corners"], np.float32)
        sides = np.array([width, height], np.float32)
        matrix = cv2.getPerspectiveTransform(corners * sides, moved * sides)
        return np.asarray(cv2.warpPerspective(picture, matrix, (width, height)), np.uint8)

    return paint


def captions(params: Params) -> Painter:
    """Big text over the lower third, a new one every `each_s` seconds."""

    def paint(picture: Picture, time_s: float) -> Picture:
        rng = np.random.default_rng([params["seed"], int(time_s / params["each_s"])])
        return draw_captions(picture, [sentence(rng, 4) for _ in range(params["lines"])])

    return paint


def pip(params: Params) -> Painter:
    """The copy, `share` of the width, in a corner of another video."""
    host: list[Footage] = []

    def paint(picture: Picture, time_s: float) -> Picture:
        width, height = host_size(picture)
        if not host:
            host.append(Footage(params["seed"], width, height))
        page = host[0].picture(time_s)
        wide = round(width * params["share"])
        tall = round(height * params["share"])
        small = cv2.resize(picture, (wide, tall), interpolation=cv2.INTER_AREA)
        gap = round(width * 0.03)
        left = width - gap - wide if params["right"] else gap
        top = height - gap - tall if params["low"] else gap
        page[top : top + tall, left : left + wide] = small
        return page

    return paint


def duet(params: Params) -> Painter:
    """The copy fitted into one half of the frame, another video filling the other half."""
    host: list[Footage] = []

    def paint(picture: Picture, time_s: float) -> Picture:
        width, height = host_size(picture)
        half = width // 2
        if not host:
            host.append(Footage(params["seed"], half, height))
        if params["rest"] == "blurred":
            coarse = cv2.resize(picture, (24, 24), interpolation=cv2.INTER_AREA)
            side = cv2.resize(coarse, (half, height), interpolation=cv2.INTER_CUBIC)
        else:
            side = np.zeros((height, half, 3), np.uint8)
        share = min(half / picture.shape[1], height / picture.shape[0])
        wide, tall = round(picture.shape[1] * share), round(picture.shape[0] * share)
        left, top = (half - wide) // 2, (height - tall) // 2
        side[top : top + tall, left : left + wide] = cv2.resize(
            picture, (wide, tall), interpolation=cv2.INTER_AREA
        )
        halves = [side, host[0].picture(time_s)]
        return np.hstack(halves if params["left"] else halves[::-1]).astype(np.uint8, copy=False)

    return paint


def host_size(picture: Picture) -> tuple[int, int]:
    """(width, height) of a frame that holds two videos: as the copy's, but HOST_WIDTH at least."""
    height, width = picture.shape[:2]
    grown = max(1.0, HOST_WIDTH / width)
    return round(width * grown) // 2 * 2, round(height * grown) // 2 * 2


def _perspective(rng: np.random.Generator) -> dict[str, Any]:
    corners = [[one_of(rng, -1, 1) * between(rng, 0.08, 0.15) for _ in "xy"] for _ in range(4)]
    return {"corners": corners}


def _captions(rng: np.random.Generator) -> dict[str, Any]:
    lines = int(rng.integers(2, 4))
    return {"lines": lines, "each_s": between(rng, 1.0, 2.5), "seed": int(rng.integers(2**31))}


def _pip(rng: np.random.Generator) -> dict[str, Any]:
    corner = {"right": one_of(rng, True, False), "low": one_of(rng, True, False)}
    return {"share": between(rng, 0.30, 0.40), "seed": int(rng.integers(2**31)), **corner}


def _duet(rng: np.random.Generator) -> dict[str, Any]:
    look = {"left": one_of(rng, True, False), "rest": one_of(rng, "black", "blurred")}
    return {"seed": int(rng.integers(2**31)), **look}


def _rotate(rng: np.random.Generator) -> dict[str, Any]:
    return {"degrees": one_of(rng, -1, 1) * between(rng, 8, 12)}


HARD = (
    Edit("crop50", "hard", draw_crop(0.5), crop),
    Edit("rotate10", "hard", _rotate, rotate),
    Edit("inversion", "hard", lambda _: {}, inversion),
    Edit("perspective", "hard", _perspective, perspective),
    Edit("captions", "hard", _captions, captions),
    Edit("speed2", "hard", lambda _: {"speed": 2.0}, unpainted),
    Edit("pip", "hard", _pip, pip),
    Edit("duet", "hard", _duet, duet),
)

EDITS = {edit.name: edit for edit in (*PLAIN, *HARD)}
