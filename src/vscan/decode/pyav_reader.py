"""Reading with PyAV, in file order: serves every file that FFmpeg knows, and damaged ones best."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Self

import av
import numpy as np
from av.container.input import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vscan.decode.container import open_media, translated, video_stream
from vscan.decode.ledger import Ledger
from vscan.decode.probe import Probe, orientation, upright
from vscan.decode.reader import Rgb
from vscan.decode.sandbox import ReadLimits
from vscan.errors import SourceError
from vscan.media import ReadReport, VideoInfo
from vscan.sampling import FrameRequest, KeyframesRequest

MAX_READ_ERRORS = 16
"""Errors of the demuxer in a row after which the file counts as ended."""
SHORTER_BY = 0.05
"""Share of the claimed duration that may be missing before a warning says so."""


class PyavReader:
    """A file walked with `demux`, packet by packet: one that does not decode costs only itself."""

    def __init__(self, file: BinaryIO, probed: Probe, limits: ReadLimits, threads: int) -> None:
        self._file = file
        self._probed = probed
        self._limits = limits
        self._threads = threads
        self._ledger: Ledger | None = None
        self._warnings: list[str] = []
        self._convert = _RgbConverter()

    @property
    def name(self) -> str:
        """`PyAV` and its version."""
        return f"PyAV {av.__version__}"

    @property
    def info(self) -> VideoInfo:
        """What the probe learnt."""
        return self._probed.info

    def read(self, request: FrameRequest) -> Iterator[tuple[float, Rgb]]:
        """As `Reader.read`. Raises SourceError `no_frames` where not one frame decodes."""
        ledger = self._ledger = Ledger(request, self._probed.tick_s)
        self._warnings = []
        clock = _Clock(self._probed)
        keyframes = isinstance(request, KeyframesRequest)
        with open_media(self._file, max_pixels=self._limits.max_pixels) as container:
            stream = video_stream(container)
            self._prepare(stream, keyframes=keyframes)
            for frame in self._frames(container, stream, ledger, clock, keyframes=keyframes):
                time_s, duration_s = clock.time_of(frame, ledger)
                if time_s > self._limits.max_duration_s:
                    raise SourceError(
                        "too_large",
                        f"the video goes on beyond {self._limits.max_duration_s:.0f} s",
                    )
                if ledger.offer(time_s, duration_s):
                    with translated("converted to RGB"):
                        rgb = self._convert(frame)
                    yield time_s, rgb
                    if ledger.satisfied:
                        return
        if ledger.frames_seen == 0:
            raise SourceError(
                "no_frames",
                f"not one frame could be decoded ({ledger.skipped_packets} packets failed)",
                remedy="check that the file plays; it may be cut off or encrypted",
            )
        if clock.jumped:
            self._warnings.append("timestamps_jump_back")

    def report(self) -> ReadReport:
        """How the last `read` went."""
        if self._ledger is None:
            raise RuntimeError("report() before read()")
        report = self._ledger.report(self.name)
        warnings = list(self._warnings)
        if report.skipped_packets:
            warnings.append("packets_skipped")
        claimed = self._probed.info.duration_s
        read_through = not self._ledger.satisfied
        if read_through and claimed is not None and report.end_s < claimed * (1 - SHORTER_BY) - 1:
            warnings.append("shorter_than_claimed")
        return ReadReport(
            planned=report.planned,
            read=report.read,
            end_s=report.end_s,
            reader=report.reader,
            skipped_packets=report.skipped_packets,
            gaps_s=report.gaps_s,
            warnings=tuple(warnings),
        )

    def close(self) -> None:
        """Nothing is held between reads."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self, stream: VideoStream, *, keyframes: bool) -> None:
        context = stream.codec_context
        context.options = {"max_pixels": str(self._limits.max_pixels)}
        context.thread_count = self._threads
        context.thread_type = "AUTO"
        if keyframes:
            context.skip_frame = "NONKEY"

    def _frames(
        self,
        container: InputContainer,
        stream: VideoStream,
        ledger: Ledger,
        clock: _Clock,
        *,
        keyframes: bool,
    ) -> Iterator[VideoFrame]:
        """Every frame that decodes, in presentation order; what does not is counted."""
        for packet in self._packets(container, stream, ledger):
            if packet is not None and keyframes and not packet.is_keyframe:
                continue
            if packet is not None and not packet.is_discard:
                clock.promise(packet, stream, ledger)
            try:
                frames = stream.decode(packet)
            except MemoryError as error:
                raise SourceError(
                    "memory_limit", "decoding the file needs more memory than allowed"
                ) from error
            except av.error.EOFError:
                continue
            except (av.error.FFmpegError, ValueError):
                ledger.skipped_packets += 1
                continue
            yield from frames

    def _packets(
        self, container: InputContainer, stream: VideoStream, ledger: Ledger
    ) -> Iterator[Packet[VideoStream] | None]:
        """The packets, then None to flush. A demuxer's error ends the file only if it persists."""
        errors = 0
        while True:
            try:
                for packet in container.demux(stream):
                    if packet.size:
                        errors = 0
                        yield packet
                yield None
                return
            except MemoryError as error:
                raise SourceError(
                    "memory_limit", "reading the file needs more memory than allowed"
                ) from error
            except av.error.FFmpegError:
                errors += 1
                ledger.skipped_packets += 1
                if errors >= MAX_READ_ERRORS:
                    self._warnings.append("ended_by_errors")
                    yield None
                    return


class _Clock:
    """Presentation times from the stream's start, made never to descend."""

    def __init__(self, probed: Probe) -> None:
        self._tick_s = probed.tick_s
        self._frame_s = probed.frame_s
        self._from_first_packet = probed.info.container == "avi"
        self._start: int | None = None
        self._offset_s = 0.0
        self._last_s: float | None = None
        self.jumped = False

    def promise(self, packet: Packet[VideoStream], stream: VideoStream, ledger: Ledger) -> None:
        """Notes the time that a packet promises, if it has one."""
        if self._start is None:
            # AVI has no presentation times: those that FFmpeg makes up begin after the stream does.
            known = None if self._from_first_packet else stream.start_time
            self._start = known if known is not None else packet.pts
        if packet.pts is not None and self._start is not None:
            time_s = (packet.pts - self._start) * self._tick_s + self._offset_s
            if time_s >= 0:
                ledger.promise(time_s)

    def time_of(self, frame: VideoFrame, ledger: Ledger) -> tuple[float, float]:
        """(time_s, duration_s) of the next frame in presentation order."""
        duration_s = float(frame.duration * self._tick_s) if frame.duration else self._frame_s
        if frame.pts is None:
            time_s = 0.0 if self._last_s is None else self._last_s + self._frame_s
        else:
            if self._start is None or (self._last_s is None and frame.pts < self._start):
                self._start = frame.pts
            time_s = (frame.pts - self._start) * self._tick_s + self._offset_s
        if self._last_s is not None and time_s < self._last_s:
            self.jumped = True
            self._offset_s += self._last_s + self._frame_s - time_s
            time_s = self._last_s + self._frame_s
            ledger.forget_promises()
        self._last_s = time_s
        return time_s, duration_s


class _RgbConverter:
    """Stored frames to upright RGB, through FFmpeg's own scale filter.

    The filter picks matrix, range and chroma position of every pixel format as `ffmpeg` does; the
    graph is built anew when a stream changes its size or format on the way.
    """

    def __init__(self) -> None:
        self._made_for: tuple[object, ...] = ()
        self._graph: av.filter.Graph | None = None

    def __call__(self, frame: VideoFrame) -> Rgb:
        look = (
            frame.width,
            frame.height,
            frame.format.name,
            int(frame.colorspace),
            int(frame.color_range),
        )
        if self._graph is None or look != self._made_for:
            self._graph, self._made_for = _rgb_graph(frame), look
        self._graph.push(frame)
        shown = self._graph.pull()
        assert isinstance(shown, VideoFrame)  # noqa: S101 - a graph of video filters yields no other
        return upright(np.asarray(shown.to_ndarray(), np.uint8), orientation(frame))


def _rgb_graph(frame: VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base,
    )
    scale, rgb = graph.add("scale", "flags=bicubic"), graph.add("format", "rgb24")
    sink = graph.add("buffersink")
    source.link_to(scale)
    scale.link_to(rgb)
    rgb.link_to(sink)
    graph.configure()
    return graph
