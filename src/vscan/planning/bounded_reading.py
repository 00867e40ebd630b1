"""Reading a video as a scan does, but only its beginning where it is long, and what that took."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vscan.decode.process import ProcessFailed
from vscan.decode.workers import ReaderPool, ReadLimits, VideoSession
from vscan.errors import SourceError
from vscan.media import FrameBatch, Measure, ReadReport
from vscan.sampling import FrameRequest, GridRequest, KeyframesRequest, TimesRequest
from vscan.storage import FileStamp

WINDOW_S = 30.0
"""Seconds of a video that are read where every frame is decoded."""
KEYFRAMES_WINDOW = 10
"""Times as much is read where only keyframes are decoded: they are few, and cheap."""
LEAST_STEPS = 8
"""Steps of a grid that are read at least."""
SLACK = 1.25
"""Up to so many times the window a video is read to its end: that says more, and costs little."""
_PROBE = TimesRequest((0.0,))
"""Costs what a reading costs whatever the length that is decoded: the packets are looked over."""


@dataclass(frozen=True)
class Spent:
    """What one reading took, in CPU seconds over all threads, put to the video's whole length."""

    cpu_s: float
    """Of the reader process, and of taking over what it sends."""
    seen_s: float | None
    """Seconds from the start that were read; None: all of it."""
    parent_cpu_s: float
    """CPU seconds of this process alone, for what was read."""


class CpuMeter:
    """CPU seconds of the process that serves a session, of all its threads, and of those before it.

    Linux has a clock of every process, read here as clock_getcpuclockid(3) would find it: it counts
    in nanoseconds, and threads that have ended too. The usage of children (getrusage) is known
    only when they have ended and their start, which a run pays once, is in it. Elsewhere time on
    the wall is taken, which with one decoding thread on a quiet machine is not much more.
    """

    def __init__(self, process_id: int | None) -> None:
        self._process_id = process_id
        self._spent_s = 0.0
        self._since_s = self._last_s = 0.0
        if process_id is not None:
            self._since_s = self._last_s = _clock_s(process_id, 0.0)

    def read_s(self, process_id: int | None) -> float:
        """CPU seconds so far. A process that took another's place counts from its start."""
        if process_id != self._process_id:
            self._spent_s += self._last_s - self._since_s
            self._process_id, self._since_s, self._last_s = process_id, 0.0, 0.0
            if sys.platform != "linux":
                self._since_s = self._last_s = time.monotonic()
        if process_id is not None:
            self._last_s = _clock_s(process_id, self._last_s)
        return self._spent_s + self._last_s - self._since_s


def _clock_s(process_id: int, before_s: float) -> float:
    """The process's CPU clock; `before_s` where the process is gone."""
    if sys.platform != "linux":
        return time.monotonic()
    try:
        return time.clock_gettime((~process_id << 3) | 2)  # MAKE_PROCESS_CPUCLOCK, CPUCLOCK_SCHED
    except OSError:
        return before_s


class BoundedReaders(ReaderPool):
    """One reader process whose sessions read the beginning of long videos, and meter it."""

    def __init__(self, limits: ReadLimits, *, window_s: float = WINDOW_S) -> None:
        super().__init__(1, limits)
        self._window_s = window_s
        self.spent = Spent(0.0, None, 0.0)
        """Of the session that ended last."""

    @contextmanager
    def session(self, path: Path, stamp: FileStamp | None = None) -> Iterator[VideoSession]:
        """As ReaderPool.session; it can answer one request."""
        process_id = self._ready(path)
        with self._free:
            video = _BoundedSession(self, path, stamp, CpuMeter(process_id), self._window_s)
            try:
                video.open()
                yield video
                self.spent = video.spent
            finally:
                video.close()

    def _ready(self, path: Path) -> int | None:
        """A process's id that waits, and has already loaded what reading this file loads."""
        with suppress(ProcessFailed):
            process = self.take()
            fresh = process.files_served == 0
            self.give_back(process)
            if fresh:
                with suppress(SourceError), super().session(path) as video:
                    for _ in video.read(_PROBE, Measure()):
                        pass
            process = self.take()
            self.give_back(process)
            return process.pid
        return None


class _BoundedSession(VideoSession):
    """A session whose one `read` ends where the window does."""

    def __init__(
        self,
        readers: BoundedReaders,
        path: Path,
        stamp: FileStamp | None,
        meter: CpuMeter,
        window_s: float,
    ) -> None:
        super().__init__(readers, path, stamp)
        self._meter = meter
        self._window = window_s
        self._parent_s = 0.0
        self._whole = True
        self.spent = Spent(0.0, None, 0.0)

    def read(self, request: FrameRequest, measure: Measure) -> Iterator[FrameBatch]:
        """As VideoSession.read, of the beginning of the video where it is long."""
        length_s, window_s = self.info.duration_s, self._window_for(request)
        if length_s is None or length_s <= SLACK * window_s:
            yield from self._metered(super().read(request, measure))
            self.spent = Spent(self._spent_s(), None, self._parent_s)
            return
        opened_s = self._spent_s()
        self._read_nothing(request, measure)
        constant_s = self._spent_s() - opened_s
        # Drawn to the end before any is handed on: the process must not run ahead of the meter.
        batches = list(self._beginning(request, measure, window_s))
        decoded_s = max(0.0, self._spent_s() - opened_s - 2 * constant_s)
        seen_s = float(batches[-1].times_s[-1]) if batches else 0.0
        if self._whole or not seen_s:
            self.spent = Spent(opened_s + constant_s + decoded_s, None, self._parent_s)
        else:
            total_s = opened_s + constant_s + decoded_s * max(1.0, length_s / seen_s)
            self.spent = Spent(total_s, seen_s, self._parent_s)
        yield from batches

    def _window_for(self, request: FrameRequest) -> float:
        if isinstance(request, KeyframesRequest):
            return KEYFRAMES_WINDOW * self._window
        if isinstance(request, GridRequest):
            return max(self._window, LEAST_STEPS * request.step_s)
        return self._window

    def _read_nothing(self, request: FrameRequest, measure: Measure) -> None:
        """One frame, by the reader that will serve the request."""
        before = self.not_decord
        if isinstance(request, KeyframesRequest):
            self.not_decord = before or "keyframes"
        for _ in self._metered(super().read(_PROBE, measure)):
            pass
        self.not_decord = before

    def _beginning(
        self, request: FrameRequest, measure: Measure, window_s: float
    ) -> Iterator[FrameBatch]:
        if isinstance(request, GridRequest):
            # Asked for by their times: a reader stops behind the last, where a grid has no end.
            step_s = request.step_s
            times_s = tuple(k * step_s for k in range(int(window_s / step_s) + 1))
            yield from self._metered(super().read(TimesRequest(times_s), measure))
            self._whole = self.report.end_s < times_s[-1]
            return
        with closing(self._metered(super().read(request, measure))) as batches:
            count = 0
            for batch in batches:
                yield batch
                count += len(batch)
                if count > 1 and batch.times_s[-1] >= window_s:
                    end_s = float(batch.times_s[-1])
                    self._report = ReadReport(count, count, end_s, self.reader)
                    self._whole = False
                    return

    def _metered(self, batches: Iterator[FrameBatch]) -> Generator[FrameBatch, None, None]:
        """The batches; this process's share of drawing them is counted too."""
        while True:
            begun = time.process_time()
            batch = next(batches, None)
            self._parent_s += time.process_time() - begun
            self._meter.read_s(self.process_id)
            if batch is None:
                return
            yield batch

    def _spent_s(self) -> float:
        return self._meter.read_s(self.process_id) + self._parent_s
