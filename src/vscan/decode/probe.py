"""What a file is, and which reader may be trusted with it: decided before it is decoded.

Decord serves what the frame-identity suite (tests/decode) has proven it right on, read strictly in
order; an allow-list, because its failures elsewhere are silent. See
docs/decisions/0003-which-reader.md.
"""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, cast

import av
import numpy as np
from av.container.input import InputContainer
from av.sidedata.sidedata import SideData
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vscan.decode.container import open_media, translated, video_stream
from vscan.decode.sandbox import ReadLimits
from vscan.errors import SourceError
from vscan.media import VideoInfo

DECORD_CONTAINERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
DECORD_CODECS = ("h264", "vp9", "av1", "mpeg4")
DECORD_PIXELS = ("yuv420p", "yuvj420p", "yuv420p10le", "yuv444p")
FIRST_FRAME_PACKETS = 64
"""Packets tried before a file counts as one whose first frame cannot be decoded."""
IDENTITY = ((1, 0), (0, 1))

Orientation = tuple[tuple[int, int], tuple[int, int]]
"""The display matrix's signs ((a, b), (c, d)): shown (x, y) = (a x + c y, b x + d y)."""


@dataclass(frozen=True, eq=False)
class Probe:
    """What a file is, before it is read."""

    info: VideoInfo
    tick_s: float
    """The stream's time base in seconds."""
    times_s: NDArray[np.float64] | None
    """(N,) presentation times that the packets promise, ascending, where decord may serve."""
    frame_s: float
    """Seconds that a frame usually lasts."""
    not_decord: str
    """Why decord may not serve this file; empty where it may."""


def probe(file: BinaryIO, limits: ReadLimits) -> Probe:
    """Looks at the container, the first frame, and where decord may serve at all packets.

    Raises SourceError where the file cannot be scanned.
    """
    with open_media(file, max_pixels=limits.max_pixels) as container, translated("probed"):
        stream = video_stream(container)
        _check_size(stream.codec_context.width, stream.codec_context.height, limits)
        duration_s = claimed_duration_s(container, stream)
        if duration_s is not None and duration_s > limits.max_duration_s:
            raise SourceError(
                "too_large",
                f"the video claims to last {duration_s:.0f} s; "
                f"at most {limits.max_duration_s:.0f} s are read",
            )
        name = container.format.name
        codec = stream.codec_context.codec.canonical_name
        tick_s = float(stream.time_base or 0)
        first = first_frame(container, stream, limits)
        if first is None and name.endswith("_pipe"):
            raise SourceError(
                "decode_failed",
                f"the image is damaged or has more than {limits.max_pixels} pixels",
            )
        turn = orientation(first) if first is not None else IDENTITY
        several = len(container.streams.video) > 1
        warnings = ["several_video_streams"] if several else []
        reason = "several video streams" if several else _not_decord(name, codec, first, turn)
        frame_s = frame_duration_s(stream)
        shape: VideoFrame | VideoCodecContext = first or stream.codec_context
        width, height = shape.width, shape.height
    times = None
    if not reason:
        times, reason = _promised_times(file, limits)
    if turn[0][0] == 0:
        width, height = height, width
    info = VideoInfo(
        container=name,
        codec=codec,
        width=width,
        height=height,
        duration_s=duration_s,
        rotation=degrees_clockwise(turn),
        warnings=tuple(warnings),
    )
    return Probe(info, tick_s, times, frame_s, reason)


def claimed_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds that the header claims for the stream, else for the container; None if neither."""
    if stream.duration is not None and stream.time_base is not None and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and container.duration > 0:
        return container.duration / av.time_base
    return None


def frame_duration_s(stream: VideoStream) -> float:
    """Seconds that a frame usually lasts: by the average rate, else the guessed one, else 0.04."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate is not None and 0 < rate <= 1000:
            return float(1 / rate)
    return 0.04


def first_frame(
    container: InputContainer, stream: VideoStream, limits: ReadLimits
) -> VideoFrame | None:
    """The first frame that decodes, or None where the first packets hold none."""
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
    tried = 0
    try:
        for packet in container.demux(stream):
            tried += not packet.is_discard  # what an edit list hides may be long
            try:
                for frame in stream.decode(packet):
                    return frame
            except av.error.MemoryError:
                raise
            except (av.error.FFmpegError, ValueError):
                pass
            if tried >= FIRST_FRAME_PACKETS:
                break
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        pass
    return None


def orientation(frame: VideoFrame) -> Orientation:
    """How the stored frame is turned to be shown: the signs of its display matrix.

    The matrix is QuickTime's (ISO/IEC 14496-12, 6.2.2): nine 32-bit integers, 16.16 fixed point in
    the first two columns. What is no multiple of a right angle is taken as upright, as players do.
    """
    for data in cast(Iterable[SideData], frame.side_data):  # typed as a dict, is a list
        if data.type.name == "DISPLAYMATRIX":
            raw = bytes(data)[:36]
            if len(raw) < 36:
                return IDENTITY
            a, b, _, c, d, *_ = struct.unpack("<9i", raw)
            one = max(abs(a), abs(b), abs(c), abs(d)) or 1
            signs = tuple(round(v / one) for v in (a, b, c, d))
            turn = ((signs[0], signs[1]), (signs[2], signs[3]))
            straight = abs(signs[0]) + abs(signs[1]) == 1 == abs(signs[2]) + abs(signs[3])
            return turn if straight and abs(signs[0]) == abs(signs[3]) else IDENTITY
    return IDENTITY


def upright(rgb: NDArray[np.uint8], turn: Orientation) -> NDArray[np.uint8]:
    """The stored frame (H, W, 3) as it is shown."""
    (a, b), (c, d) = turn
    if a == 0:
        rgb = rgb.transpose(1, 0, 2)
        a, d = c, b
    if a < 0:
        rgb = rgb[:, ::-1]
    if d < 0:
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)


def degrees_clockwise(turn: Orientation) -> int:
    """0, 90, 180 or 270: the rotation in `turn`, a mirroring left out."""
    (a, b), (_, _) = turn
    return {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}[(a, b)]


def _check_size(width: int, height: int, limits: ReadLimits) -> None:
    if width * height > limits.max_pixels:
        raise SourceError(
            "too_large",
            f"frames of {width} x {height} pixels; at most {limits.max_pixels} pixels are read",
        )


def _not_decord(container: str, codec: str, first: VideoFrame | None, turn: Orientation) -> str:
    """Why decord may not serve, as far as header and first frame tell."""
    if importlib.util.find_spec("decord") is None:
        return "decord is not installed"
    if container not in DECORD_CONTAINERS:
        return f"container {container}"
    if codec not in DECORD_CODECS:
        return f"codec {codec}"
    if first is None:
        return "the first frame does not decode"
    if first.format.name not in DECORD_PIXELS:
        return f"pixel format {first.format.name}"
    if turn != IDENTITY:
        return "display matrix"
    return ""


def _promised_times(file: BinaryIO, limits: ReadLimits) -> tuple[NDArray[np.float64] | None, str]:
    """The packets' presentation times, or why they cannot be told frame by frame."""
    with open_media(file, max_pixels=limits.max_pixels) as container:
        stream = video_stream(container)
        ticks: list[int] = []
        try:
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                if not ticks and not packet.is_keyframe:
                    return None, "does not begin with a keyframe"
                if packet.pts is None or packet.is_discard or packet.is_corrupt:
                    return None, "packets without a time, discarded or corrupt"
                ticks.append(packet.pts)
        except av.error.FFmpegError:
            return None, "the container is damaged"
        start, base = stream.start_time, stream.time_base
        if not ticks or start is None or base is None:
            return None, "no times"
        pts = np.sort(np.array(ticks, np.int64))
        if int(pts[0]) != start:
            return None, "does not start where it says"
        if len(pts) > 1 and int(np.diff(pts).min()) == 0:
            return None, "two packets of one time"
        return (pts - start).astype(np.float64) * float(base), ""
