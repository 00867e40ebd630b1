"""Reading a video as a scan does, but only its beginning where it is long, and what that took."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vscan.decode.process import ProcessFailed
from vscan.decode.workers import ReaderPool, ReadLimits, VideoSession
from vscan.errors import SourceError
from vscan.media import FrameBatch, Measure, ReadReport
from vscan.planning.cpu_meter import CpuMeter
from vscan.sampling import FrameRequest, GridRequest, KeyframesRequest, TimesRequest
from vscan.storage import FileStamp

WINDOW_S = 30.0
"""Seconds of a video that are read where every frame is decoded."""
KEYFRAMES_WINDOW = 10
"""Times as much is read where nothing but keyframes is decoded: they are few, and cheap."""
LEAST_STEPS = 8
"""Steps of a grid that are read at least."""
SLACK = 1.25
"""Up to so many times the window a video is read to its end: that says more, and costs little."""
_PROBE = TimesRequest((0.0,))
"""Costs what a reading costs whatever the length that is decoded: the packets are looked over."""


@dataclass(frozen=True)
class Spent:
    """What the readings of one session took, in CPU seconds over all threads."""

    cpu_s: float = 0.0
    """Of the reader process, and of taking over what it sends: put to the video's whole length."""
    seen_s: float | None = None
    """Seconds from the start that the samples speak for; None: all of it."""
    parent_cpu_s: float = 0.0
    """Of this process alone, for what was read."""


class BoundedReaders(ReaderPool):
    """One reader process whose sessions read the beginning of long videos, and meter it."""

    def __init__(self, limits: ReadLimits, *, window_s: float = WINDOW_S) -> None:
        super().__init__(1, limits)
        self._window_s = window_s
        self.keyframes_alone = True
        """Whether no other request will follow one for keyframes."""
        self.spent = Spent()
        """In the session that ended last."""

    @contextmanager
    def session(self, path: Path, stamp: FileStamp | None = None) -> Iterator[VideoSession]:
        """As ReaderPool.session. How far the first request is read holds for those after it."""
        process_id = self._ready(path)
        with self._turns.turn():
            video = _BoundedSession(self, path, stamp, CpuMeter(process_id))
            try:
                video.open()
                yield video
                self.spent = video.spent
            finally:
                video.close()

    def window_for(self, request: FrameRequest) -> float:
        """Seconds of a long video that are read to answer a session's first request."""
        if isinstance(request, KeyframesRequest) and self.keyframes_alone:
            return KEYFRAMES_WINDOW * self._window_s
        if isinstance(request, GridRequest):
            return max(self._window_s, LEAST_STEPS * request.step_s)
        return self._window_s

    def _ready(self, path: Path) -> int | None:
        """Id of a process that waits, and has loaded what reading this file loads."""
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
    """A session that reads a long video no further than the window of its first request."""

    def __init__(
        self, readers: BoundedReaders, path: Path, stamp: FileStamp | None, meter: CpuMeter
    ) -> None:
        super().__init__(readers, path, stamp)
        self._window_for = readers.window_for
        self._meter = meter
        self._parent_s = self._told_s = 0.0
        self._asked = self._broken_off = False
        self.spent = Spent()

    def read(self, request: FrameRequest, measure: Measure) -> Iterator[FrameBatch]:
        """As VideoSession.read, of the beginning of the video where it is long."""
        first, self._asked = not self._asked, True
        length_s, seen_s = self.info.duration_s, self.spent.seen_s
        window_s = self._window_for(request)
        if length_s is None or (length_s <= SLACK * window_s if first else seen_s is None):
            yield from self._metered(super().read(request, measure))
            self._add(self._since_told_s(), None)
            return
        if self._broken_off:
            self._begin_again()
        self._add(self._since_told_s(), seen_s)
        self._read_one_frame(request, measure)
        constant_s = self._since_told_s()
        # Drawn to the end before any is handed on: the process must not run ahead of the meter.
        if first:
            batches, read_s, seen_s = self._beginning(request, measure, window_s)
        else:
            batches, read_s = list(self._metered(super().read(request, measure))), seen_s
        decoded_s = max(0.0, self._since_told_s() - constant_s)
        scale = max(1.0, length_s / read_s) if read_s else 1.0
        self._add(constant_s + decoded_s * scale, seen_s)
        yield from batches

    def _beginning(
        self, request: FrameRequest, measure: Measure, window_s: float
    ) -> tuple[list[FrameBatch], float | None, float | None]:
        """The batches up to the window; how far it was read, and how far they speak for it."""
        if isinstance(request, GridRequest):
            # Asked for by their times: a reader stops behind the last, where a grid has no end.
            times_s = tuple(np.arange(0.0, window_s + 1e-6, request.step_s).tolist())
            batches = list(self._metered(super().read(TimesRequest(times_s), measure)))
            if not batches or self.report.end_s < times_s[-1]:
                return batches, None, None
            seen_s = float(batches[-1].times_s[-1])
            return batches, seen_s, seen_s
        batches, count = [], 0
        with closing(self._metered(super().read(request, measure))) as drawn:
            for batch in drawn:
                read_s = float(batch.times_s[-1])
                if read_s < window_s or count + len(batch) < 2:
                    batches.append(batch)
                    count += len(batch)
                    continue
                batches.append(_until(batch, window_s, least=2 - count))
                count += len(batches[-1])
                seen_s = float(batches[-1].times_s[-1])
                self._report = ReadReport(count, count, seen_s, self.reader)
                self._broken_off = True
                return batches, read_s, seen_s
        return batches, None, None

    def _begin_again(self) -> None:
        """A new process in the place of the one that was left in the middle; it is no cost."""
        for _ in super().read(_PROBE, Measure()):
            pass
        self._meter.pass_over(self.process_id)
        self._broken_off = False

    def _read_one_frame(self, request: FrameRequest, measure: Measure) -> None:
        """By the reader that will serve the request."""
        before = self.not_decord
        if isinstance(request, KeyframesRequest):
            self.not_decord = before or "keyframes"
        for _ in self._metered(super().read(_PROBE, measure)):
            pass
        self.not_decord = before

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

    def _since_told_s(self) -> float:
        """CPU seconds since this was asked last."""
        total_s = self._meter.read_s(self.process_id) + self._parent_s
        since_s, self._told_s = total_s - self._told_s, total_s
        return since_s

    def _add(self, cpu_s: float, seen_s: float | None) -> None:
        self.spent = Spent(self.spent.cpu_s + cpu_s, seen_s, self._parent_s)


def _until(batch: FrameBatch, end_s: float, *, least: int) -> FrameBatch:
    """The samples of a batch up to a time, or the `least` first ones."""
    n = max(least, int(np.searchsorted(batch.times_s, end_s, "right")))
    m = int(np.searchsorted(batch.pdq_sample, n))
    hashed = {
        name: getattr(batch, name)[:m]
        for name in ("pdq", "pdq_quality", "pdq_sample", "pdq_region")
    }
    images, keypoints = batch.images[:n], batch.keypoints[:n]
    return replace(batch, times_s=batch.times_s[:n], images=images, keypoints=keypoints, **hashed)
