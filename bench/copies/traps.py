"""Videos made from nothing: distractors that match nothing, and traps that only seem to match.

A trap is what two videos may share without one being a copy of the other: a picture that stands
still (a card, black), or something that lies over pictures which differ (a logo, captions, a news
frame). Shared moving content, as an animated leader or rolling credits, is no trap and not here:
those seconds are the same pictures in the same order, just what makes a spliced-in copy of two
seconds, and no detector can find the one and pass over the other. To report it is right. Where it
is not wanted (a channel's own opening), the remedy is a benign exemplar of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from bench.copies.drawing import (
    bars_card,
    draw_captions,
    draw_logo,
    draw_news_frame,
    end_card,
    sentence,
    title_card,
)
from bench.copies.edits import Params, between, seeded
from bench.copies.footage import RATE, Footage
from bench.copies.timeline import Picture, Shown

LEADER_S, BLACK_S, OUTRO_S = 3.0, 2.0, 4.0
SIZE = (640, 360)

TRAPS: dict[str, dict[str, Any]] = {
    "test-card": {"leader": "card"},
    "title-card": {"leader": "title"},
    "black": {"black": True},
    "logo": {"over": "logo"},
    "news-frame": {"over": "news"},
    "end-card": {"outro": "end-card"},
    "captions": {"over": "captions", "text": 4},
    "card-black-logo": {"leader": "card", "black": True, "over": "logo"},
}
"""What two otherwise unrelated videos share, by the trap's name; see `programme`."""

DISTRACTORS: dict[str, dict[str, Any]] = {
    "footage-a": {},
    "footage-b": {},
    "one-shot": {"style": "one-shot"},
    "black-interludes": {"black": True},
    "card-first": {"leader": "card"},
    "title-first": {"leader": "title"},
    "card-only": {"style": "card"},
    "logo-a": {"over": "logo"},
    "logo-b": {"over": "logo", "black": True},
    "captions-a": {"over": "captions", "text": 1},
    "captions-b": {"over": "captions", "text": 2},
    "news-a": {"over": "news"},
    "news-b": {"over": "news"},
    "news-c": {"over": "news", "style": "slides"},
    "slides": {"style": "slides"},
    "snow": {"style": "snow"},
    "gradient": {"style": "gradient"},
    "flicker": {"style": "flicker"},
    "end-card": {"outro": "end-card"},
}
"""Programmes of the distractors, by name."""

CARDS = {"card": bars_card, "title": title_card, "end-card": end_card}
"""What a leader, an outro or the style `card` shows, by name: it never moves."""

SHARED = ("leader", "black", "over", "outro")
"""Keys of a programme for what other videos have too."""


def ingredients(params: Params) -> frozenset[str]:
    """What a query or a made reference holds that is no content of its own: cards, logos …"""
    found = {f"{key} {params[key]}" for key in SHARED if params.get(key)}
    if params.get("style") == "card":
        found.add("leader card")
    if params.get("style") == "flicker":
        found.add("black True")
    found |= {f"over {step}" for step, _ in params.get("steps", []) if step in ("logo", "captions")}
    return frozenset(found)


def programme(seed: int, name: str, parts: Params) -> dict[str, Any]:
    """Parameters of a made video: the given parts, and footage, length and places of its own."""
    rng = seeded(seed, "made", name)
    length = between(rng, 10, 24)
    return {
        "seed": int(rng.integers(2**31)),
        "length_s": length,
        "black_at_s": between(rng, 3, length - 3),
        **parts,
    }


def made_frames(params: Params) -> Iterator[Shown]:
    """RATE frames a second of a programme: leader, the middle with its black, outro.

    `style` names the middle's pictures, `over` what is drawn on all of it.
    """
    middle = _Middle(params)
    leader = LEADER_S if params.get("leader") else 0.0
    body = leader + params["length_s"]
    end = body + (OUTRO_S if params.get("outro") else 0.0)
    for k in range(round(end * RATE)):
        at = k / RATE
        if at < leader:
            picture = CARDS[params["leader"]](*SIZE)
        elif at < body:
            picture = middle.picture(at - leader)
        else:
            picture = CARDS[params["outro"]](*SIZE)
        yield Shown(_over(picture, params, at), at, 1 / RATE, None)


class _Middle:
    """The programme's own pictures."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._style = params.get("style", "footage")
        self._footage = Footage(params["seed"], *SIZE, cuts=self._style != "one-shot")
        black = params["black_at_s"] if params.get("black") else np.inf
        self._black = (black, black + BLACK_S)

    def picture(self, at: float) -> Picture:
        width, height = SIZE
        if self._black[0] <= at < self._black[1]:
            return np.zeros((height, width, 3), np.uint8)
        if self._style == "slides":
            return self._footage.picture(at // 4 * 6)
        if self._style == "card":
            return CARDS["card"](width, height)
        if self._style == "snow":
            rng = np.random.default_rng([self._params["seed"], round(at * RATE)])
            coarse = rng.integers(0, 256, (height // 2, width // 2), np.uint8)
            grown = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_NEAREST)
            return np.asarray(cv2.cvtColor(grown, cv2.COLOR_GRAY2BGR), np.uint8)
        if self._style == "gradient":
            ramp = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
            level = 128 + 100 * np.sin(ramp * 5 + at * np.array([0.4, 0.6, 0.9], np.float32))
            return np.repeat(level, height, 0).astype(np.uint8)
        if self._style == "flicker" and int(at * 2) % 3 == 0:
            return np.full((height, width, 3), 255 * (int(at * 2) % 2), np.uint8)
        return self._footage.picture(at)


def _over(picture: Picture, params: Params, at: float) -> Picture:
    over = params.get("over")
    if over == "logo":
        return draw_logo(picture, 0.16, right=True, low=False)
    if over == "news":
        return draw_news_frame(picture, "BREAKING: TALKS GO ON INTO THE NIGHT")
    if over == "captions":
        rng = np.random.default_rng([params["text"], int(at / 2)])
        return draw_captions(picture, [sentence(rng, 4) for _ in range(2)])
    return picture
