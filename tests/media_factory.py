"""Makers of small synthetic videos, encoded with PyAV when a test asks for them.

clip = barcode_clip(tmp_path / "a.mp4", count=60)          frame k carries the number k
read_barcode(rgb)                                          the number a decoded frame carries
write_video(tmp_path / "b.mkv", scene_frames(seed=1, count=30))
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
"""(H, W, 3) picture."""

BITS = 8
DARK, LIGHT = 32, 222


def barcode_frame(number: int, *, width: int = 160, height: int = 96) -> Rgb:
    """An (H, W, 3) frame that carries `number` (0..255) as eight bars, and below them its inverse.

    Bars of 20 x 48 pixels at the default size survive any codec at any sane quality.
    """
    bits = [(number >> (BITS - 1 - i)) & 1 for i in range(BITS)]
    columns = np.repeat(np.array(bits, dtype=np.uint8), -(-width // BITS))[:width]
    row = np.where(columns == 1, LIGHT, DARK).astype(np.uint8)
    frame = np.empty((height, width, 3), dtype=np.uint8)
    frame[: height // 2] = row[None, :, None]
    frame[height // 2 :] = (LIGHT + DARK - row)[None, :, None]
    return frame


def read_barcode(rgb: Rgb) -> int:
    """The number that a frame of `barcode_frame` carries, whatever its size.

    Raises AssertionError where bars and their inverse disagree: the frame is smeared or mixed.
    """
    height, width = rgb.shape[:2]
    gray = rgb.mean(axis=2)
    number = 0
    for i in range(BITS):
        x0, x1 = int((i + 0.3) * width / BITS), int((i + 0.7) * width / BITS) + 1
        upper = gray[height // 8 : height * 3 // 8, x0:x1].mean()
        lower = gray[height * 5 // 8 : height * 7 // 8, x0:x1].mean()
        assert abs(upper - lower) > 60, f"bar {i} cannot be read: {upper:.0f} over {lower:.0f}"
        number = number * 2 + int(upper > lower)
    return number


def scene_frames(
    *, seed: int, count: int, width: int = 320, height: int = 240, motion: float = 1.0
) -> Iterator[Rgb]:
    """`count` frames of a smooth coloured texture that drifts by `motion` pixels a frame.

    The same seed gives the same texture at any size; different seeds give unrelated ones.
    """
    rng = np.random.default_rng(seed)
    waves = [
        (
            rng.uniform(1, 9, 2) * rng.choice([-1, 1], 2),
            rng.uniform(0, 2 * np.pi),
            rng.normal(size=3),
        )
        for _ in range(12)
    ]
    travel = int(count * motion) + 1
    ys, xs = np.mgrid[0:height, 0 : width + travel].astype(np.float32)
    picture = np.full((height, width + travel, 3), 128, np.float32)
    for frequency, phase, colour in waves:
        u = xs / width * frequency[0] + ys / height * frequency[1]
        picture += 32 * np.sin(2 * np.pi * u + phase)[..., None] * colour
    texture = np.clip(picture, 0, 255).astype(np.uint8)
    for k in range(count):
        left = int(k * motion)
        yield np.ascontiguousarray(texture[:, left : left + width])


def solid_frames(
    colours: Iterable[tuple[int, int, int]], *, each: int, size: int = 96
) -> list[Rgb]:
    """`each` square frames of one colour after the other."""
    return [np.full((size, size, 3), colour, np.uint8) for colour in colours for _ in range(each)]


@dataclass(frozen=True)
class Clip:
    """A video with the frame number painted on, and what a right reader must say of it."""

    path: Path
    times_s: tuple[float, ...]
    """Presentation time of frame k, seconds from the first frame that is shown."""
    first: int = 0
    """Number of the first frame that is shown (an edit list hides those before)."""

    def number_at(self, time_s: float) -> int:
        """Number of the frame whose time is nearest to `time_s`."""
        times = np.array(self.times_s)
        return self.first + int(np.argmin(np.abs(times - time_s)))


@contextmanager
def usual_scheduling() -> Iterator[None]:
    """A block after which this thread is scheduled as before: SVT-AV1 run by root makes the thread
    that opens it a real-time one (FIFO, 99), and all else on the machine starves."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, priority)


def write_video(
    path: Path,
    frames: Iterable[Rgb],
    *,
    fps: int | Fraction = 30,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    container: str | None = None,
    container_options: Mapping[str, str] | None = None,
    ticks: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    rotation: int = 0,
    tags: Mapping[str, int] | None = None,
) -> Path:
    """Encodes RGB frames into `path`; the container follows the suffix unless named.

    `ticks` are presentation times in units of `time_base` (default 0, 1, 2 … of 1 / fps).
    `rotation` writes a display matrix: degrees clockwise by which a player turns the picture.
    `tags` sets attributes of the encoder, as {"color_range": 2}.
    """
    base = time_base or 1 / Fraction(fps)
    muxer = dict(container_options or {})
    with (
        usual_scheduling(),
        av.open(str(path), "w", format=container, container_options=muxer) as output,
    ):
        stream: VideoStream | None = None
        for k, rgb in enumerate(frames):
            if stream is None:
                added = output.add_stream(codec, rate=fps, options=dict(options or {}))
                assert isinstance(added, VideoStream)
                stream = added
                stream.height, stream.width = rgb.shape[:2]
                stream.pix_fmt = pix_fmt
                stream.codec_context.time_base = base
                for name, value in (tags or {}).items():
                    setattr(stream.codec_context, name, value)
                if rotation:
                    stream.set_display_rotation(-rotation)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt)
            frame.pts = ticks[k] if ticks is not None else k
            frame.time_base = base
            output.mux(stream.encode(frame))
        assert stream is not None, "a video needs at least one frame"
        output.mux(stream.encode(None))
    return path


def barcode_clip(
    path: Path,
    *,
    count: int = 60,
    fps: int = 30,
    width: int = 160,
    height: int = 96,
    ticks: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    container: str | None = None,
    container_options: Mapping[str, str] | None = None,
    rotation: int = 0,
) -> Clip:
    """A clip of `count` numbered frames (at most 256); the rest as in `write_video`."""
    frames = (barcode_frame(k, width=width, height=height) for k in range(count))
    write_video(
        path,
        frames,
        fps=fps,
        codec=codec,
        pix_fmt=pix_fmt,
        options=options,
        container=container,
        container_options=container_options,
        ticks=ticks,
        time_base=time_base,
        rotation=rotation,
    )
    base = time_base or Fraction(1, fps)
    shown = list(ticks) if ticks is not None else list(range(count))
    return Clip(path, tuple(float((tick - shown[0]) * base) for tick in shown))


def damage(path: Path, *, seed: int, share: float = 0.02, start: float = 0.3) -> Path:
    """Overwrites `share` of the file's bytes, in runs of 64 beyond `start`, with noise."""
    rng = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    begin = int(len(data) * start)
    for _ in range(max(1, int(len(data) * share / 64))):
        at = int(rng.integers(begin, max(begin + 1, len(data) - 64)))
        data[at : at + 64] = rng.integers(0, 256, 64, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    return path
