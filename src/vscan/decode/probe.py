"""What a file is, and which reader may be trusted with it: decided before it is decoded.

Decord serves what the frame-identity suite (tests/decode) has proven it right on, read strictly in
order; an allow-list, because its failures elsewhere are silent. See
docs/decisions/0003-which-reader.md.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import BinaryIO

import av
import numpy as np
from av.container.input import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from vscan.decode.beginning import Beginning, first_frame
from vscan.decode.claims import Claim, claim_of, missing_until_s
from vscan.decode.container import is_attached, open_media, translated, video_streams
from vscan.decode.orientation import IDENTITY, Orientation, degrees_clockwise, orientation
from vscan.decode.ready import ReadyDecoder
from vscan.decode.sandbox import ReadLimits
from vscan.decode.sparing import sparing_for
from vscan.decode.survey import Begun, Survey, Wanted, survey
from vscan.errors import SourceError
from vscan.media import VideoInfo
from vscan.sampling import GridRequest

DECORD_CONTAINERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
DECORD_CODECS = ("h264", "vp9", "av1", "mpeg4")
DECORD_PIXELS = ("yuv420p", "yuvj420p", "yuv420p10le", "yuv444p")
DECORD_BYTES = 320 << 20
"""Of a whole video as RGB, beyond which decord may not serve. Where its decoding threads wait for a
core it reads on, and what they then make of it waits in memory: all of the video, if need be."""
SPARING_SHARE = 2 / 3
"""Of its packets: where one frame a second needs no more of them decoded, PyAV serves plans by time
and leaves the rest out; decord decodes them all."""


@dataclass(frozen=True)
class StreamProbe:
    """What one stream of pictures is, before it is read."""

    index: int
    """Its place among the container's streams."""
    tick_s: float
    """Its time base in seconds."""
    frame_s: float
    """Seconds that a frame usually lasts."""
    start: int | None
    """Tick at which it starts, as far as the container tells."""
    claim: Claim | None
    """How long the header says that it is."""
    decodable: bool
    """Whether there is a decoder for its codec."""


@dataclass(frozen=True, eq=False)
class Probe:
    """What a file is, before it is read."""

    info: VideoInfo
    surveyed: Survey | None
    """What its packets say, where that was asked for already."""
    streams: tuple[StreamProbe, ...]
    """Its streams of pictures in the order in which they are read: what a player shows first."""
    times_s: NDArray[np.float64] | None
    """(N,) presentation times that the packets promise, ascending, where decord may serve."""
    not_decord: str
    """Why decord may not serve this file; empty where it may."""
    spares: bool
    """Whether PyAV serves plans by time with much less decoding than decord, which may serve."""
    ready: ReadyDecoder
    """Of the first of the streams."""

    @property
    def tick_s(self) -> float:
        """The first stream's time base in seconds."""
        return self.streams[0].tick_s

    @property
    def frame_s(self) -> float:
        """Seconds that a frame of the first stream usually lasts."""
        return self.streams[0].frame_s


def probe(file: BinaryIO, limits: ReadLimits) -> Probe:
    """Looks at the container, the first frame, and where decord may serve at all packets.

    Its decoder stays open for readings; the caller closes it. Raises SourceError where the file
    cannot be scanned.
    """
    with ExitStack() as closing:
        container = open_media(file, max_pixels=limits.max_pixels)
        closing.callback(container.close)
        probed = _probe(file, limits, container)
        closing.pop_all()
    return probed


def _probe(file: BinaryIO, limits: ReadLimits, container: InputContainer) -> Probe:
    with translated("probed"):
        limits.check_streams(len(container.streams))
        found = video_streams(container)
        for each in found:
            if each.codec_context is not None:
                limits.check_size(each.codec_context.width, each.codec_context.height)
        stream = next((each for each in found if each.codec_context is not None), None)
        if stream is None:
            raise SourceError(
                "unsupported_format", "no decoder for the codec of the file's video stream"
            )
        found.remove(stream)
        streams = tuple(_stream_probe(container, each) for each in (stream, *found))
        duration_s = claimed_duration_s(container, stream)
        name = container.format.name
        codec = stream.codec_context.codec.canonical_name
        beginning = Beginning(container)
        first, alone = first_frame(beginning, stream, limits)
        if first is None and name.endswith("_pipe"):
            raise _undecodable_picture(file, limits)
        turn = orientation(first) if first is not None else IDENTITY
        shape: VideoFrame | VideoCodecContext = first or stream.codec_context
        width, height = shape.width, shape.height
    reason = "several video streams" if found else _not_decord(name, codec, first, turn)
    too_long = duration_s is not None and duration_s > limits.max_duration_s
    surveyed = None
    if not reason or too_long:
        surveyed = survey_of(file, streams, limits, (container, beginning.again()))
    times, spares = None, False
    if surveyed is not None:
        if too_long:  # a header may say anything: the packets must say so too
            there_s = max((each.length_s for each in surveyed.streams.values()), default=0.0)
            limits.check_duration(min(duration_s or 0.0, there_s), claimed=True)
        if not reason:
            times, reason = _promised_times(surveyed, streams[0])
        spares = times is not None and _spares(surveyed, streams[0])
        if times is not None and len(times) * width * height * 3 > DECORD_BYTES:
            times, reason = None, "longer than decord's queue may hold"
    if turn[0][0] == 0:
        width, height = height, width
    warnings = ["several_video_streams"] if found else []
    if name == "tiff_pipe" and _pages(file) > 1:
        warnings.append("content_not_read")  # FFmpeg decodes the first page alone
    info = VideoInfo(
        container=name,
        codec=codec,
        width=width,
        height=height,
        duration_s=duration_s,
        rotation=degrees_clockwise(turn),
        warnings=tuple(warnings),
    )
    ready = ReadyDecoder(container, stream)
    if not alone:
        ready.close()
    return Probe(info, surveyed, streams, times, reason, spares, ready)


def survey_of(
    file: BinaryIO,
    streams: Iterable[StreamProbe],
    limits: ReadLimits,
    begun: Begun | None = None,
) -> Survey:
    """What all packets of these streams say; begun: as `survey` takes it."""
    wanted = [Wanted(stream.index, stream.frame_s, stream.start) for stream in streams]
    return survey(file, wanted, limits, begun)


def _stream_probe(container: InputContainer, stream: VideoStream) -> StreamProbe:
    return StreamProbe(
        index=stream.index,
        tick_s=float(stream.time_base or 0),
        frame_s=frame_duration_s(stream),
        start=stream.start_time,
        claim=None if is_attached(stream) else claim_of(container, stream),
        decodable=stream.codec_context is not None,
    )


def _undecodable_picture(file: BinaryIO, limits: ReadLimits) -> SourceError:
    """Why the first frame of a still picture does not decode."""
    file.seek(0)
    head = file.read(21)
    # RIFF, size, WEBP, VP8X, size, flags: WebP container specification, extended file format.
    if head[8:16] == b"WEBPVP8X" and len(head) > 20 and head[20] & 2:
        return SourceError(
            "unsupported_format",
            "an animated WebP, which FFmpeg does not decode",
            remedy="convert it to GIF, PNG or a video",
        )
    file.seek(0)
    # Of its header alone; FFmpeg tells no size of a picture that it was not allowed to decode.
    Image.MAX_IMAGE_PIXELS = None
    with suppress(OSError, ValueError, SyntaxError), Image.open(file) as image:
        limits.check_size(*image.size)
    return SourceError(
        "decode_failed",
        f"the image is damaged, or has more pixels than limit max_pixels = {limits.max_pixels}",
    )


def _pages(file: BinaryIO) -> int:
    """Pictures in a TIFF."""
    file.seek(0)
    with suppress(OSError, ValueError, SyntaxError), Image.open(file) as image:
        return int(getattr(image, "n_frames", 1))
    return 1


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


def _promised_times(
    surveyed: Survey, stream: StreamProbe
) -> tuple[NDArray[np.float64] | None, str]:
    """The packets' presentation times, or why they cannot be told frame by frame."""
    said = surveyed.streams.get(stream.index)
    if not surveyed.whole or said is None:
        return None, "the container is damaged"
    if said.flaw:
        return None, said.flaw
    if said.ticks is None or not len(said.ticks) or stream.start is None or not stream.tick_s:
        return None, "no times"
    pts = np.sort(said.ticks)
    if int(pts[0]) != stream.start:
        return None, "does not start where it says"
    if len(pts) > 1 and int(np.diff(pts).min()) == 0:
        return None, "two packets of one time"
    if said.holes or missing_until(surveyed, stream) is not None:
        return None, "something is missing from it"
    return (pts - stream.start).astype(np.float64) * stream.tick_s, ""


def _spares(surveyed: Survey, stream: StreamProbe) -> bool:
    """Whether one frame a second needs so few others that it is quicker without decord."""
    said = surveyed.streams[stream.index]
    if said.dependence is None or said.ticks is None:
        return False
    second = sparing_for(GridRequest(1.0), said.dependence, said.ticks, tick_s=stream.tick_s)
    return second is not None and second.share <= SPARING_SHARE


def missing_until(surveyed: Survey, stream: StreamProbe) -> float | None:
    """The end that the container claims for a stream, where packets end before it; seconds."""
    return missing_until_s(
        stream.claim,
        surveyed,
        stream.index,
        start_s=(stream.start or 0) * stream.tick_s,
        frame_s=stream.frame_s,
    )
