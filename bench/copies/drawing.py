"""What is drawn over footage: the logo, captions, the news frame and cards."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bench.copies.timeline import Picture

FONT = cv2.FONT_HERSHEY_DUPLEX
BORDER_COLOURS = ((255, 255, 255), (40, 30, 160), (150, 90, 20), (60, 120, 40), (20, 160, 220))
_TEXT = (
    "WAIT FOR IT WHEN YOU SEE THIS NOBODY TOLD ME ABOUT THE LAST ONE PART TWO IS OUT NOW FOLLOW "
    "FOR MORE THEY REALLY DID THAT AGAIN TODAY I CANNOT BELIEVE IT LOOK CLOSELY AT HIS HAND"
)
_WORDS = _TEXT.split()


def sentence(rng: np.random.Generator, words: int) -> str:
    """That many words of a caption."""
    return " ".join(_WORDS[int(k)] for k in rng.integers(0, len(_WORDS), words))


def put_text(
    picture: Picture,
    text: str,
    centre: tuple[float, float],
    height: float,
    *,
    widest: float,
    colour: tuple[int, int, int] = (255, 255, 255),
    outline: bool = False,
) -> None:
    """Writes one line onto the picture, `height` pixels high and at most `widest` wide."""
    (wide, tall), _ = cv2.getTextSize(text, FONT, 1.0, 2)
    scale = min(height / tall, widest / max(wide, 1))
    thick = max(1, round(scale * 2))
    at = (round(centre[0] - wide * scale / 2), round(centre[1] + tall * scale / 2))
    if outline:
        cv2.putText(picture, text, at, FONT, scale, (0, 0, 0), thick * 3 + 2, cv2.LINE_AA)
    cv2.putText(picture, text, at, FONT, scale, colour, thick, cv2.LINE_AA)


def draw_captions(picture: Picture, lines: Sequence[str]) -> Picture:
    """White lines with a black outline over the lower third."""
    drawn = picture.copy()
    height, width = drawn.shape[:2]
    each = height / 3 / len(lines)
    for k, line in enumerate(lines):
        y = height * 2 / 3 + each * (k + 0.5)
        put_text(drawn, line, (width / 2, y), each * 0.62, widest=width * 0.94, outline=True)
    return drawn


def draw_logo(picture: Picture, share: float, *, right: bool, low: bool) -> Picture:
    """The logo, opaque, `share` of the width, a little away from a corner."""
    drawn = picture.copy()
    height, width = drawn.shape[:2]
    side = max(8, round(width * share))
    sign = cv2.resize(_logo(), (side, side), interpolation=cv2.INTER_AREA)
    gap = round(width * 0.03)
    left = width - gap - side if right else gap
    top = max(0, height - gap - side if low else gap)
    window = drawn[top : top + side, left : left + side]
    window[:] = sign[: window.shape[0], : window.shape[1]]
    return drawn


def _logo() -> Picture:
    sign = np.full((256, 256, 3), (190, 60, 20), np.uint8)
    cv2.rectangle(sign, (6, 6), (249, 249), (255, 255, 255), 8)
    cv2.circle(sign, (128, 98), 66, (40, 200, 250), -1, cv2.LINE_AA)
    triangle = np.array([[104, 62], [104, 134], [172, 98]], np.int32)
    cv2.fillPoly(sign, [triangle], (30, 30, 160), cv2.LINE_AA)
    put_text(sign, "CLIPR", (128, 212), 44, widest=220)
    return sign


def draw_news_frame(picture: Picture, headline: str) -> Picture:
    """A news template: the picture in a window, a banner, a ticker and a clock around it."""
    height, width = picture.shape[:2]
    page = np.zeros_like(picture)
    page[:] = np.linspace((120, 50, 10), (60, 20, 5), height, dtype=np.float32)[:, None]
    for k in range(-height, width, max(8, width // 24)):
        cv2.line(page, (k, height), (k + height, 0), (140, 70, 30), max(1, width // 240))
    top, low, left, right = (
        round(height * 0.10), round(height * 0.72), round(width * 0.06), round(width * 0.78),
    )  # fmt: skip
    page[top:low, left:right] = cv2.resize(picture, (right - left, low - top))
    cv2.rectangle(page, (left, top), (right, low), (230, 230, 230), max(1, width // 160))
    cv2.rectangle(page, (0, round(height * 0.78)), (width, round(height * 0.90)), (30, 30, 190), -1)
    put_text(page, headline, (width * 0.5, height * 0.84), height * 0.06, widest=width * 0.9)
    cv2.rectangle(page, (0, round(height * 0.91)), (width, height), (240, 240, 240), -1)
    ticker = "MARKETS 12 894 +0.4   WEATHER 18 C CLOUDY   SPORT 2 : 1"
    put_text(
        page, ticker, (width * 0.5, height * 0.955), height * 0.045, widest=width * 0.95,
        colour=(40, 40, 40),
    )  # fmt: skip
    put_text(page, "LIVE", (width * 0.88, height * 0.2), height * 0.07, widest=width * 0.16)
    put_text(page, "CHANNEL 9", (width * 0.88, height * 0.4), height * 0.05, widest=width * 0.18)
    return page


def bars_card(width: int, height: int) -> Picture:
    """Colour bars, a grey staircase, a grid of lines, a circle and a station's name."""
    card = np.empty((height, width, 3), np.uint8)
    bars = [(235, 235, 235), (16, 235, 235), (235, 235, 16), (16, 235, 16),
            (235, 16, 235), (16, 16, 235), (235, 16, 16), (16, 16, 16)]  # fmt: skip
    for k, colour in enumerate(bars):
        card[: height * 2 // 3, k * width // 8 : (k + 1) * width // 8] = colour
        card[height * 2 // 3 :, k * width // 8 : (k + 1) * width // 8] = 255 * k // 7
    for x in range(0, width, max(8, width // 16)):
        cv2.line(card, (x, 0), (x, height), (128, 128, 128), 1)
    for y in range(0, height, max(8, width // 16)):
        cv2.line(card, (0, y), (width, y), (128, 128, 128), 1)
    cv2.circle(card, (width // 2, height // 2), round(height * 0.42), (250, 250, 250), 2)
    put_text(card, "TEST CARD 7", (width / 2, height / 2), height * 0.1, widest=width * 0.5,
             outline=True)  # fmt: skip
    return card


def title_card(width: int, height: int) -> Picture:
    """A show's opening card, which stands still: a title on slanting stripes."""
    card = np.full((height, width, 3), (96, 60, 24), np.uint8)
    step = max(8, width // 12)
    for x in range(-height, width, step * 2):
        corners = [[x, height], [x + step, height], [x + step + height, 0], [x + height, 0]]
        cv2.fillPoly(card, [np.array(corners, np.int32)], (120, 84, 40), cv2.LINE_AA)
    cv2.rectangle(
        card, (width // 8, height // 4), (width * 7 // 8, height * 3 // 4), (40, 20, 8), -1
    )
    put_text(card, "THE LONG WAY HOME", (width / 2, height * 0.44), height * 0.1,
             widest=width * 0.66)  # fmt: skip
    put_text(card, "EVERY FRIDAY AT NINE", (width / 2, height * 0.62), height * 0.05,
             widest=width * 0.5, colour=(90, 200, 250))  # fmt: skip
    return card


def end_card(width: int, height: int) -> Picture:
    """A show's closing card, which stands still: thanks above two empty frames, on plain grey."""
    card = np.full((height, width, 3), (44, 40, 38), np.uint8)
    put_text(card, "THANKS FOR WATCHING", (width / 2, height * 0.2), height * 0.1,
             widest=width * 0.8)  # fmt: skip
    top, low, thick = height * 2 // 5, height * 3 // 4, max(1, width // 160)
    for left, caption in ((width // 12, "LAST TIME"), (width * 13 // 24, "NEXT TIME")):
        right = left + width * 3 // 8
        cv2.rectangle(card, (left, top), (right, low), (200, 200, 200), thick)
        put_text(card, caption, ((left + right) / 2, height * 0.83), height * 0.05,
                 widest=width * 0.3, colour=(200, 200, 200))  # fmt: skip
    return card
