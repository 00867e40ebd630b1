"""The account of one reading: which frames are wanted, which were promised, which were lost.

A reader says what the packets promise (`promise`) and offers each decoded frame in presentation
order (`offer`); the ledger answers whether the request wants it and draws up the report. A planned
time counts as read when the first frame at or after it was delivered and no packet that failed to
decode promised an earlier one.
"""

from __future__ import annotations

import bisect
import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.media import MAX_GAPS, ReadReport
from vscan.sampling import EveryRequest, FrameRequest, GridRequest, TimesRequest

MIN_TOLERANCE_S = 1e-6
MAX_PATIENCE_S = 0.5
"""How late a frame may come where the one before the moment asked for is lost, at most: its own
duration is the file's word."""


@dataclass(frozen=True)
class _Targets:
    """Planned times as functions, so that a grid needs no list."""

    at: Callable[[int], float]
    """Time in seconds of target k."""
    count_until: Callable[[float], int]
    """How many targets lie at or before a time, tolerance included."""
    counts_until: Callable[[NDArray[np.float64]], NDArray[np.int64]]
    """The same of many times at once, (N,) -> (N,): one by one takes milliseconds a reading."""


def _targets(request: FrameRequest, tolerance_s: float) -> _Targets | None:
    if isinstance(request, GridRequest):
        step = request.step_s
        return _Targets(
            lambda k: k * step,
            lambda t: math.floor((t + tolerance_s) / step) + 1,
            lambda t: np.floor((t + tolerance_s) / step).astype(np.int64) + 1,
        )
    if isinstance(request, TimesRequest):
        times = request.times_s
        return _Targets(
            lambda k: times[k],
            lambda t: bisect.bisect_right(times, t + tolerance_s),
            lambda t: np.searchsorted(np.array(times), t + tolerance_s, "right"),
        )
    return None


def _tolerance_s(tick_s: float) -> float:
    return max(MIN_TOLERANCE_S, min(tick_s / 2, 0.01))


def wanted_of(
    request: FrameRequest, times_s: NDArray[np.float64], tick_s: float
) -> NDArray[np.bool_] | None:
    """(N,) which frames at `times_s` (N,), ascending, a ledger would want if all were offered.

    None for requests that go by other things than time.
    """
    targets = _targets(request, _tolerance_s(tick_s))
    if targets is None:
        return None
    wanted: NDArray[np.bool_] = np.diff(targets.counts_until(times_s), prepend=0) > 0
    return wanted


class Ledger:
    """One request's account. `tick_s` is the stream's time base: its times are multiples of it."""

    def __init__(self, request: FrameRequest, tick_s: float) -> None:
        self._request = request
        self._tolerance_s = _tolerance_s(tick_s)
        self._targets = _targets(request, self._tolerance_s)
        self._every = request.n if isinstance(request, EveryRequest) else 1
        self._promised: list[float] = []
        self._next_target = 0
        self._index = 0
        self._planned = self._read = 0
        self._end_s = 0.0
        self._last_duration_s = 0.0
        self._gaps: list[tuple[float, float]] = []
        self.skipped_packets = 0
        self.frames_seen = 0

    @property
    def satisfied(self) -> bool:
        """Whether no frame to come can be wanted: every one of the request's times was answered."""
        request = self._request
        return isinstance(request, TimesRequest) and self._next_target >= len(request.times_s)

    def promise(self, time_s: float) -> None:
        """A packet says that a frame is shown at `time_s`; called before that frame is offered."""
        heapq.heappush(self._promised, time_s)

    def forget_promises(self) -> None:
        """What was promised no longer holds: the stream's clock jumped."""
        self._promised.clear()

    def offer(self, time_s: float, duration_s: float) -> bool:
        """A frame was decoded; True where the request wants it. Times must not descend."""
        lost = self._lost_before(time_s)
        self.frames_seen += 1
        self._last_duration_s = duration_s
        self._end_s = max(self._end_s, time_s + duration_s)
        if self._targets is not None:
            return self._offer_target(self._targets, time_s, duration_s, lost)
        return self._offer_counted(time_s, lost)

    def last_until(self, end_s: float) -> None:
        """The stream lasts until then, though no frame that was offered does."""
        self._end_s = max(self._end_s, end_s)

    @property
    def end_s(self) -> float:
        """Time at which the last frame seen ends; 0 where none was."""
        return self._end_s

    def report(
        self, reader: str, warnings: tuple[str, ...] = (), claimed_end_s: float | None = None
    ) -> ReadReport:
        """The account so far, with what is still promised counted as lost.

        claimed_end_s: where the stream would end if nothing of it were missing; what is planned
        from its end to there counts as missed.
        """
        lost, self._promised = sorted(self._promised), []
        if lost:
            self._end_s = max(self._end_s, lost[-1] + self._last_duration_s)
            if self._targets is not None:
                missed = self._targets.count_until(lost[-1]) - self._next_target
                if missed > 0:
                    self._miss(self._targets.at(self._next_target), self._end_s, missed)
            else:
                self._miss_counted(lost, self._end_s)
        if claimed_end_s is not None and claimed_end_s > self._end_s:
            self._miss_rest(claimed_end_s)
        return ReadReport(
            planned=self._planned,
            read=self._read,
            end_s=self._end_s,
            reader=reader,
            skipped_packets=self.skipped_packets,
            gaps_s=tuple((round(start, 3), round(end, 3)) for start, end in self._gaps),
            warnings=warnings,
        )

    def _miss_rest(self, claimed_end_s: float) -> None:
        """Counts what is planned between the end of what there is and the claimed end, at least one
        where nothing was seen at all."""
        if self._targets is not None:
            frame_s = self._last_duration_s or self._tolerance_s
            until = self._targets.count_until(claimed_end_s - frame_s)
            missed = max(until, int(not self._planned)) - self._next_target
            if missed > 0:
                start_s = max(self._end_s, self._targets.at(self._next_target))
                self._next_target += missed
                self._miss(start_s, claimed_end_s, missed)
            return
        share = (claimed_end_s - self._end_s) / self._end_s if self._end_s else 1.0
        self._miss(self._end_s, claimed_end_s, max(1, round(self._planned * share)))

    def _lost_before(self, time_s: float) -> list[float]:
        """Promised times before this frame that no frame kept, in order."""
        lost = []
        while self._promised and self._promised[0] <= time_s + self._tolerance_s:
            promised = heapq.heappop(self._promised)
            if promised < time_s - self._tolerance_s:
                lost.append(promised)
        return lost

    def _offer_target(
        self, targets: _Targets, time_s: float, duration_s: float, lost: list[float]
    ) -> bool:
        until = targets.count_until(time_s)
        if until <= self._next_target:
            return False
        first, self._next_target = self._next_target, until
        missed = 0
        if lost:
            # A frame a step late still shows the moment asked for; only a longer wait is a gap.
            patience_s = max(min(2 * duration_s, MAX_PATIENCE_S), self._tolerance_s)
            late = targets.count_until(min(lost[-1], time_s - patience_s))
            missed = min(max(0, late - first), until - first)
        if missed:
            self._miss(targets.at(first), time_s, missed)
        self._planned += until - first - missed
        self._read += until - first - missed
        return True

    def _offer_counted(self, time_s: float, lost: list[float]) -> bool:
        if lost:
            self._miss_counted(lost, time_s)
        wanted = self._index % self._every == 0
        self._index += 1
        if wanted:
            self._planned += 1
            self._read += 1
        return wanted

    def _miss_counted(self, lost: list[float], until_s: float) -> None:
        """Lost frames count in file order as the delivered ones do."""
        before = -(-self._index // self._every)
        self._index += len(lost)
        missed = -(-self._index // self._every) - before
        if missed:
            self._miss(lost[0], until_s, missed)

    def _miss(self, start_s: float, end_s: float, count: int) -> None:
        self._planned += count
        if len(self._gaps) >= MAX_GAPS:
            start_s = self._gaps.pop()[0]
        self._gaps.append((start_s, max(start_s, end_s)))
