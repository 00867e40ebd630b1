"""The videos of a folder: which can be used, how long they are, and their frames as shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.copies.timeline import Shown

SHORTEST_S = 1.5
LONGEST_S = 60.0
"""Edits are made of this much of an original; the reference stays whole."""
LEAST_DETAIL = 6.0
"""Standard deviation of grey levels that some frame must reach, or the video counts as blank."""
_SIDECARS = {".txt", ".md", ".json", ".csv", ".jsonl", ".toml"}


@dataclass(frozen=True)
class Original:
    """A video that edits are made of."""

    name: str
    """Path below the folder, with forward slashes."""
    path: Path
    width: int
    """Pixels as shown, turned upright."""
    height: int
    end_s: float
    """Seconds of it that edits are made of."""
    digest: str
    """SHA-256 of the file."""


@dataclass(frozen=True)
class Skipped:
    """A file that cannot be used, and why."""

    name: str
    reason: str


def find_originals(folder: Path) -> Iterator[Original | Skipped]:
    """Every file below `folder`, by relative path, read to its end or to LONGEST_S."""
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        if path.suffix.lower() in _SIDECARS or path.name.startswith("."):
            continue
        yield look_at(path, path.relative_to(folder).as_posix())


def look_at(path: Path, name: str) -> Original | Skipped:
    """What one file is good for."""
    import av
    import cv2

    detail, last, size = 0.0, 0.0, (0, 0)
    try:
        for k, frame in enumerate(frames_of(path)):
            last = frame.time_s + frame.length_s
            size = (frame.picture.shape[1], frame.picture.shape[0])
            if k % 10 == 0:
                grey = cv2.cvtColor(frame.picture, cv2.COLOR_BGR2GRAY)
                detail = max(detail, float(np.std(grey)))
    except (OSError, ValueError, av.FFmpegError) as error:
        return Skipped(name, f"cannot be read: {error}")
    if last == 0.0:
        return Skipped(name, "cannot be read: no video frame")
    if last < SHORTEST_S:
        return Skipped(name, f"{last:.2f} s is shorter than {SHORTEST_S} s")
    if detail < LEAST_DETAIL:
        return Skipped(name, "near-blank throughout")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Original(name, path, *size, last, digest)


def frames_of(
    path: Path, *, start_s: float = 0.0, end_s: float = LONGEST_S, marked: bool = True
) -> Iterator[Shown]:
    """Frames as shown, in order of time; `time_s` counts from the first frame of the video.

    Only frames whose time is within start_s <= time < end_s; `shows` is the frame's own span, or
    None where `marked` is False. A frame that goes back in time is left out. Raises OSError,
    ValueError or av.FFmpegError where the file cannot be read.
    """
    held: Shown | None = None
    for time_s, decoded in _timed(path):
        if held is not None:
            yield _closed(held, time_s - held.time_s, marked)
            held = None
        if time_s >= end_s:
            return
        if time_s >= start_s:
            length = _own_length(decoded)
            held = Shown(_upright(decoded), time_s, length, None)
    if held is not None:
        yield _closed(held, held.length_s, marked)


def _timed(path: Path) -> Iterator[tuple[float, Any]]:
    import av

    with av.open(str(path), metadata_errors="replace") as container:
        if not container.streams.video:
            raise ValueError("no video stream")
        first: float | None = None
        last = -1.0
        for frame in container.decode(video=0):
            if frame.pts is None or frame.time_base is None:
                continue
            at = float(frame.pts * frame.time_base)
            first = at if first is None else first
            if at - first > last:
                last = at - first
                yield last, frame


def _own_length(frame: Any) -> float:
    return float(frame.duration * frame.time_base) if frame.duration else 1 / 30


def _closed(frame: Shown, length_s: float, marked: bool) -> Shown:
    shows = (frame.time_s, frame.time_s + length_s) if marked else None
    return Shown(frame.picture, frame.time_s, length_s, shows)


def _upright(frame: Any) -> Any:
    from vscan.decode.orientation import orientation, upright

    return upright(_bgr(frame), orientation(frame))


def _bgr(frame: Any) -> Any:
    """The stored frame; the common format takes the way that is exactly undone when written."""
    import cv2

    if frame.format.name == "yuv420p" and frame.width % 2 == 0 == frame.height % 2:
        return cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2BGR_I420)
    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
