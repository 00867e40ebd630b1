"""Clips of 12.5 seconds made of a folder's videos, as a phone or a platform would encode them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from bench.copies.edits import seeded
from bench.copies.originals import Original, find_originals, frames_of
from bench.copies.timeline import Picture, Shown, retimed
from bench.speed.clip_set import Clip, ClipSet, write_clip_set
from bench.speed.encoding import write_clip
from vscan.errors import UsageError

CLIPS = 20
CLIP_S = 12.5
PRESET = "medium"
"""x264's own default: High profile, CABAC, 3 references, up to 3 B-frames in a pyramid."""
RATES = (Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30))
"""Pictures a second; a clip has the one nearest to its video's."""
FOLDERS = ("plain", "near-duplicates")
"""Of a development corpus; a folder that has neither is taken whole."""


@dataclass(frozen=True)
class Cut:
    """One clip to make: which video, and where in it the clip begins."""

    file: str
    original: Original
    start_s: float


def make_clips(
    videos: Path,
    out: Path,
    *,
    seed: int,
    gop_s: float,
    processes: int,
    long_side: int,
) -> ClipSet:
    """Make the set in the folder `out`; long_side: of every clip, in pixels. Raises UsageError
    where no video can be used."""
    originals = usable_videos(videos)
    if not originals:
        raise UsageError(f"{videos}: no video that can be read", remedy="name a folder of videos")
    out.mkdir(parents=True, exist_ok=True)
    cuts = draw_cuts(originals, seed)
    with ThreadPoolExecutor(processes) as pool:
        clips = tuple(pool.map(partial(_make, out=out, gop_s=gop_s, long_side=long_side), cuts))
    made = ClipSet(out, seed, gop_s, PRESET, clips)
    write_clip_set(made)
    return made


def usable_videos(folder: Path) -> list[Original]:
    """What can be decoded of a folder, or of its FOLDERS where it has one of them."""
    parts = [folder / name for name in FOLDERS if (folder / name).is_dir()] or [folder]
    found = [each for part in parts for each in find_originals(part)]
    return [each for each in found if isinstance(each, Original)]


def draw_cuts(originals: Sequence[Original], seed: int) -> list[Cut]:
    """CLIPS cuts: every video once, in an order drawn from the seed, and then again."""
    rng = seeded(seed, "clips")
    order = rng.permutation(len(originals))
    cuts = []
    for k in range(CLIPS):
        original = originals[int(order[k % len(originals)])]
        start_s = round(float(rng.uniform(0.0, original.end_s)), 3)
        cuts.append(Cut(f"clip-{k + 1:02d}.mp4", original, start_s))
    return cuts


def _make(cut: Cut, out: Path, gop_s: float, long_side: int) -> Clip:
    cv2.setNumThreads(1)
    frames = _from(cut.original, cut.start_s)
    first = next(frames)
    rate = min(RATES, key=lambda each: abs(float(each) - 1.0 / first.length_s))
    count = round(CLIP_S * rate)
    size = clip_size(cut.original.width, cut.original.height, long_side)
    steady = retimed(_with(first, frames), rate=float(rate))
    pictures = (_resized(shown.picture, size) for shown in islice(steady, count))
    written = write_clip(out / cut.file, pictures, rate=rate, preset=PRESET, gop_s=gop_s)
    seconds = round(float(written / rate), 3)
    return Clip(cut.file, cut.original.name, seconds, round(float(rate), 4), *size)


def clip_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Width and height, even, with `long_side` as the longer one."""
    scale = long_side / max(width, height)
    return (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))


def _from(original: Original, start_s: float) -> Iterator[Shown]:
    """Frames from there on without end, from the beginning again where the video is over."""
    at, begin_s = 0.0, start_s
    while True:
        offset: float | None = None
        for frame in frames_of(original.path, start_s=begin_s, marked=False):
            offset = at - frame.time_s if offset is None else offset
            moved = replace(frame, time_s=frame.time_s + offset)
            yield moved
            at = moved.time_s + moved.length_s
        begin_s = 0.0


def _with(first: Shown, rest: Iterator[Shown]) -> Iterator[Shown]:
    yield first
    yield from rest


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    shrinks = size[0] < picture.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)
