"""Long videos with scenes of the built-in model's world spliced in, one a minute, seeded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from bench.copies.edits import one_of, seeded
from bench.copies.footage import Footage
from bench.copies.timeline import Picture
from bench.speed.encoding import write_clips
from bench.speed.event_scores import Event
from vscan.demo.scenes import FPS, Scene
from vscan.embeddings import builtin

LENGTHS_S = (1, 2, 5, 10)
"""A video has one event of each, in a drawn order: one a minute."""
RATE = 24
"""Pictures a second: each of a scene is shown twice."""
SIZE = (640, 480)
PRESET = "veryfast"
"""x264's: up to 3 B-frames in a pyramid, one reference."""
MARGIN_S = 3
"""Of a minute, at both ends: no event there."""
SHOT_S = (3.0, 8.0)
"""Of the footage that the events are spliced into: drawn textures, and scenes of other things."""
KEYFRAME_S = 2
"""An event begins on no multiple of this: with it on no keyframe."""
MANY_POLICIES = ("bomb", "collision", "skull and crossbones", "money with wings")
"""Pictograms that more than one policy of the demo pack fires on: no events are made of them."""


@dataclass(frozen=True)
class Shot:
    """A stretch of one scene, or of drawn footage where it has no pictogram."""

    start: int
    """Pictures from the beginning of the video."""
    count: int
    sprite: str | None
    seed: int
    size: float = 0.6


@dataclass(frozen=True)
class EventVideo:
    """One video: the footage, and what is spliced into it."""

    name: str
    host: tuple[Shot, ...]
    spliced: tuple[Shot, ...]
    events: tuple[Event, ...]
    """What `spliced` shows, in the same order."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return sum(shot.count for shot in self.host) / RATE


@dataclass(frozen=True)
class EventSet:
    """Videos of one seed, each encoded once for every length of a group of pictures."""

    folder: Path
    seed: int
    gops_s: tuple[float, ...]
    videos: tuple[EventVideo, ...]

    def path(self, video: EventVideo, gop_s: float) -> Path:
        """Of one file."""
        return self.folder / f"gop-{gop_s:g}" / video.name

    @property
    def seconds(self) -> float:
        """Of all videos together, each counted once."""
        return sum(video.seconds for video in self.videos)

    def __str__(self) -> str:
        each = ", ".join(map(str, LENGTHS_S))
        return (
            f"{len(self.videos)} videos of {self.seconds / 60:.0f} min together, seed {self.seed}, "
            f"{SIZE[0]} x {SIZE[1]} at {RATE} a second, H.264 by x264 {PRESET}; "
            f"{len(self.videos)} events each of {each} s"
        )


def make_events(
    out: Path, *, seed: int, count: int, gops_s: Sequence[float], processes: int
) -> EventSet:
    """Make the videos below the folder `out`, or what of them is missing, and events.json."""
    videos = tuple(plan_video(seed, number) for number in range(1, count + 1))
    made = EventSet(out / f"seed-{seed}", seed, tuple(gops_s), videos)
    made.folder.mkdir(parents=True, exist_ok=True)
    truth = {video.name: [asdict(event) for event in video.events] for video in videos}
    (made.folder / "events.json").write_text(json.dumps(truth, indent=1) + "\n", "utf-8")
    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(_write, [made] * count, videos))
    return made


def plan_video(seed: int, number: int) -> EventVideo:
    """What the video of that number shows, from 1; the same for a seed."""
    rng = seeded(seed, "events", str(number))
    sprites = builtin.sprites()
    flagged = [each for each in sprites if each.policy and each.name not in MANY_POLICIES]
    spliced, events = [], []
    for minute, k in enumerate(rng.permutation(len(LENGTHS_S))):
        length_s = LENGTHS_S[int(k)]
        first = (minute * 60 + MARGIN_S) * RATE
        start = int(rng.integers(first, (minute * 60 + 60 - MARGIN_S - length_s) * RATE))
        start += start % (KEYFRAME_S * RATE) == 0
        sprite = flagged[int(rng.integers(len(flagged)))]
        size = float(one_of(rng, 0.55, 0.6, 0.7))
        drawn = int(rng.integers(2**31))
        spliced.append(Shot(start, length_s * RATE, sprite.name, drawn, size))
        start_s = round(start / RATE, 6)
        events.append(Event(str(sprite.policy), start_s, start_s + length_s))
    harmless = [each.name for each in sprites if each.policy is None]
    host = tuple(_host(rng, harmless, 60 * len(LENGTHS_S) * RATE))
    return EventVideo(f"video-{number:02d}.mp4", host, tuple(spliced), tuple(events))


def _host(rng: np.random.Generator, harmless: Sequence[str], total: int) -> Iterator[Shot]:
    at = 0
    while at < total:
        count = min(total - at, round(float(rng.uniform(*SHOT_S)) * RATE))
        sprite = harmless[int(rng.integers(len(harmless)))] if rng.random() < 0.5 else None
        yield Shot(at, count, sprite, int(rng.integers(2**31)))
        at += count


def pictures(video: EventVideo) -> Iterator[Picture]:
    """Every picture of the video, BGR in SIZE."""
    events = {
        number: (shot, number - shot.start)
        for shot in video.spliced
        for number in range(shot.start, shot.start + shot.count)
    }
    event, host = _Drawn(), _Drawn()
    for shot in video.host:
        for k in range(shot.count):
            if shot.start + k in events:
                yield event.picture(*events[shot.start + k])
            else:
                yield host.picture(shot, k)


class _Drawn:
    """Pictures of the shot that was last asked for, which is drawn once."""

    def __init__(self) -> None:
        self._shot: Shot | None = None
        self._scene: list[Picture] = []
        self._footage: Footage | None = None

    def picture(self, shot: Shot, number: int) -> Picture:
        """The picture of that number of a shot, from 0."""
        if shot != self._shot:
            self._shot, self._footage, self._scene = shot, None, []
            if shot.sprite is None:
                self._footage = Footage(shot.seed, *SIZE, cuts=False)
            else:
                scene = Scene(shot.count / RATE + 1, (shot.sprite,), shot.seed, shot.size)
                self._scene = list(scene.frames())
        if self._footage is not None:
            return self._footage.picture(number / RATE)
        picture = self._scene[number * FPS // RATE][:, :, ::-1]
        return np.asarray(cv2.resize(picture, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)


def _write(made: EventSet, video: EventVideo) -> None:
    paths = {gop_s: made.path(video, gop_s) for gop_s in made.gops_s}
    missing = {gop_s: path for gop_s, path in paths.items() if not path.is_file()}
    if missing:
        cv2.setNumThreads(1)
        write_clips(missing, pictures(video), rate=Fraction(RATE), preset=PRESET)
