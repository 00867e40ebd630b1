"""Frames to an H.264 file, each at its own time."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from bench.copies.timeline import Ledger, Picture, Shown

CRF = 23
TICKS = 90_000
"""Times are written in this part of a second."""


def write_shown(
    path: Path, frames: Iterable[Shown], *, original_end_s: float, crf: int = CRF
) -> Ledger:
    """Encode the frames and say what they show, the times rounded as they are written.

    One thread, so that the same frames make the same bytes. The file appears when it is whole.
    Raises ValueError where there is no frame.
    """
    import av

    ledger = Ledger(original_end_s=original_end_s)
    unfinished = path.with_name(path.name + ".part")
    with av.open(str(unfinished), "w", format="mp4") as container:
        stream: av.VideoStream | None = None
        for frame in frames:
            planes = to_i420(frame.picture)
            if stream is None:
                rate = Fraction(1 / frame.length_s).limit_denominator(1001)
                added = container.add_stream(
                    "libx264", rate=rate, options={"crf": str(crf), "preset": "superfast"}
                )
                assert isinstance(added, av.VideoStream)
                stream = added
                stream.width, stream.height = planes.shape[1], planes.shape[0] * 2 // 3
                stream.pix_fmt = "yuv420p"
                stream.codec_context.thread_count = 1
                stream.codec_context.time_base = Fraction(1, TICKS)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = round(frame.time_s * TICKS), Fraction(1, TICKS)
            picture.duration = round(frame.length_s * TICKS)
            container.mux(stream.encode(picture))
            ledger.note(frame)
        if stream is None:
            raise ValueError(f"{path.name}: no frames to write")
        container.mux(stream.encode(None))
    unfinished.replace(path)
    return ledger


def to_i420(picture: Picture) -> Picture:
    """(H, W, 3) BGR to (H * 3 / 2, W) planes; an odd last row or column is cut off."""
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    even = np.ascontiguousarray(picture[:height, :width])
    return np.asarray(cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420), np.uint8)
