"""Needles: a few seconds of an original inside a long video of unrelated footage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.copies.edits import Params, between, one_of
from bench.copies.footage import Footage
from bench.copies.originals import Original, frames_of
from bench.copies.timeline import Shown

NEEDLES_S = {"splice5": 5.0, "splice2": 2.0}
SHORTEST_NEEDLE_S = 2.0
TOTAL_S = (30.0, 60.0)
PIECE_S = (4.0, 10.0)
VIDEO_SHARE = 0.3
"""How often a piece of host footage is of a distractor video, where there are any."""


def draw_splice(
    rng: np.random.Generator, original: Original, needle_s: float, distractors: Sequence[str]
) -> dict[str, Any] | None:
    """Where the needle is cut out and put, and the host's pieces; None for too short an original.

    distractors: names of videos that match nothing.
    """
    if original.end_s < SHORTEST_NEEDLE_S:
        return None
    length = min(needle_s, original.end_s)
    host = between(rng, *TOTAL_S) - length
    before = round(host * float(rng.uniform(0.1, 0.9)), 3)
    return {
        "start_s": between(rng, 0.0, original.end_s - length),
        "length_s": round(length, 3),
        "before": _pieces(rng, before, distractors),
        "after": _pieces(rng, host - before, distractors),
    }


def spliced(original: Original, params: Params, videos: Mapping[str, Path]) -> Iterator[Shown]:
    """The whole video; only the needle's frames show something.

    videos: the distractors by name.
    """
    size = (original.width, original.height)
    at = 0.0
    for piece in params["before"]:
        for frame in _after(_host(piece, size, videos), at):
            yield frame
            end = frame.time_s + frame.length_s
        at = end
    start = params["start_s"]
    needle = frames_of(original.path, start_s=start, end_s=start + params["length_s"])
    for frame in _after(needle, at):
        yield frame
        end = frame.time_s + frame.length_s
    at = end
    for piece in params["after"]:
        for frame in _after(_host(piece, size, videos), at):
            yield frame
            end = frame.time_s + frame.length_s
        at = end


def _pieces(
    rng: np.random.Generator, total_s: float, distractors: Sequence[str]
) -> list[dict[str, Any]]:
    pieces: list[dict[str, Any]] = []
    while total_s > 0.1:
        length = min(total_s, between(rng, *PIECE_S))
        piece: dict[str, Any] = {"length_s": round(length, 3), "seed": int(rng.integers(2**31))}
        if distractors and rng.random() < VIDEO_SHARE:
            piece["video"] = one_of(rng, *distractors)
        pieces.append(piece)
        total_s -= length
    return pieces


def _host(piece: Params, size: tuple[int, int], videos: Mapping[str, Path]) -> Iterator[Shown]:
    """Frames of one piece from 0 on, at the size (width, height)."""
    if "video" not in piece:
        yield from Footage(piece["seed"], *size).frames(max(0.1, piece["length_s"]))
        return
    for frame in frames_of(videos[piece["video"]], end_s=piece["length_s"], marked=False):
        picture = cv2.resize(frame.picture, size, interpolation=cv2.INTER_AREA)
        yield replace(frame, picture=np.asarray(picture, np.uint8))


def _after(frames: Iterator[Shown], at: float) -> Iterator[Shown]:
    """The frames moved so that the first is at `at`."""
    first: float | None = None
    for frame in frames:
        first = frame.time_s if first is None else first
        yield replace(frame, time_s=frame.time_s - first + at)
