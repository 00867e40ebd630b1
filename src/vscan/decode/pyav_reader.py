"""Reading with PyAV, in file order: serves every file that FFmpeg knows, and damaged ones best."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Self

import av

from vscan.decode.opened import Opened
from vscan.decode.probe import Probe, survey_of
from vscan.decode.reader import Picture
from vscan.decode.sandbox import ReadLimits
from vscan.decode.stream_reading import StreamReading
from vscan.errors import SourceError
from vscan.media import DecodeMode, Part, ReadReport, VideoInfo, one_after_another
from vscan.sampling import EveryRequest, FrameRequest, GridRequest, TimesRequest

STILL_PICTURES = 16
"""Pictures up to which JPEGs one after the other are a still, and no film."""


class PyavReader:
    """A file walked with `demux`, packet by packet: one that does not decode costs only itself.

    Of a file with several video streams all are read, one after the other; each stands on the
    file's timeline behind the one before it, from the next whole second on.
    """

    def __init__(
        self,
        file: BinaryIO,
        probed: Probe,
        limits: ReadLimits,
        threads: int,
        mode: DecodeMode = "exact",
    ) -> None:
        self._mode = mode
        self._file = file
        self._probed = probed
        self._limits = limits
        self._threads = threads
        self._opened: Opened | None = None
        self._readings: list[StreamReading] = []

    @property
    def name(self) -> str:
        """`PyAV` and its version."""
        return f"PyAV {av.__version__}"

    @property
    def info(self) -> VideoInfo:
        """What the probe learnt."""
        return self._probed.info

    def read(self, request: FrameRequest) -> Iterator[tuple[float, Picture]]:
        """As `Reader.read`. Raises SourceError `no_frames` where not one frame decodes."""
        opened = self._open()
        self._readings, start_s = [], 0.0
        if isinstance(request, GridRequest) and self._is_still(opened):
            request = EveryRequest(1)  # its further pictures have no time of their own
        for stream in self._probed.streams:
            own = _from(request, start_s)
            if self._readings and isinstance(own, TimesRequest) and not own.times_s:
                return
            reading = StreamReading(opened, stream, own, start_s, self._mode)
            self._readings.append(reading)
            if stream.decodable:
                yield from reading.frames(self._threads)
                if reading.ledger.satisfied:
                    return
            reading.to_its_end = True
            # Behind all that it has or should have, so that its gaps lie within its own part.
            report = reading.report(self.name)
            end_s = max((report.end_s, *(end for _, end in report.gaps_s)))
            start_s += math.ceil(end_s - 1e-6)
        if not any(reading.ledger.frames_seen for reading in self._readings):
            raise self._nothing_decoded()

    def report(self) -> ReadReport:
        """How the last `read` went."""
        if not self._readings:
            raise RuntimeError("report() before read()")
        reports = [reading.report(self.name) for reading in self._readings]
        if len(self._probed.streams) == 1:
            return reports[0]
        parts = [
            Part(
                reading.stream.index,
                reading.start_s,
                reading.start_s + report.end_s,
                round(report.coverage, 4),
            )
            for reading, report in zip(self._readings, reports, strict=True)
        ]
        return one_after_another(parts, reports)

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

    def _open(self) -> Opened:
        if self._opened is None:
            probed = self._probed
            self._opened = Opened(
                self._file,
                probed.info.container,
                probed.surveyed or survey_of(self._file, probed.streams, self._limits),
                self._limits,
                probed.ready,
            )
        return self._opened

    def _is_still(self, opened: Opened) -> bool:
        """Whether it is a picture's file, which may hold more of them, as a camera's JPEG does."""
        name = self._probed.info.container
        few = all(each.count <= STILL_PICTURES for each in opened.survey.streams.values())
        return name.endswith("_pipe") or (name == "mjpeg" and few)

    def _nothing_decoded(self) -> SourceError:
        if any(reading.stumbles.out_of_memory for reading in self._readings):
            return SourceError("memory_limit", self._limits.out_of_memory)
        failed = sum(reading.ledger.skipped_packets for reading in self._readings)
        large = ""
        if not self._probed.info.width:  # FFmpeg forgets a size that it may not decode
            large = f", perhaps for more pixels than limit max_pixels = {self._limits.max_pixels}"
        return SourceError(
            "no_frames",
            f"not one frame could be decoded ({failed} packets failed{large})",
            remedy="check that the file plays; it may be cut off or encrypted",
        )


def _from(request: FrameRequest, start_s: float) -> FrameRequest:
    """The request as a stream that stands at `start_s` has to answer it."""
    if not isinstance(request, TimesRequest) or not start_s:
        return request
    return TimesRequest(tuple(t - start_s for t in request.times_s if t >= start_s - 1e-9))
