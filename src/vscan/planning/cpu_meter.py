"""CPU seconds of the process that serves a session, read from beside it."""

from __future__ import annotations

import sys
import time


class CpuMeter:
    """Counts the CPU time of all threads of a process, and of processes that take its place.

    Linux has a clock of every process, read here as clock_getcpuclockid(3) would find it: it counts
    in nanoseconds, and threads that have ended too. The usage of children (getrusage) is known
    only when they have ended, and their start, which a run pays once, is in it. Elsewhere time on
    the wall is taken, which with one decoding thread on a quiet machine is not much more.
    """

    def __init__(self, process_id: int | None) -> None:
        self._spent_s = self._since_s = self._last_s = 0.0
        self._start(process_id)

    def read_s(self, process_id: int | None) -> float:
        """Seconds so far. A process that took another's place counts from its start."""
        if process_id != self._process_id:
            self._spent_s += self._last_s - self._since_s
            self._start(process_id)
            if sys.platform == "linux":
                self._since_s = 0.0
        if process_id is not None:
            self._last_s = _clock_s(process_id, self._last_s)
        return self._spent_s + self._last_s - self._since_s

    def pass_over(self, process_id: int | None) -> None:
        """Does not count what was spent since `read_s`, be it by this process or by a new one."""
        self._spent_s += self._last_s - self._since_s
        self._start(process_id)

    def _start(self, process_id: int | None) -> None:
        self._process_id = process_id
        self._since_s = self._last_s = 0.0 if process_id is None else _clock_s(process_id, 0.0)


def _clock_s(process_id: int, before_s: float) -> float:
    """The process's CPU clock; `before_s` where the process is gone."""
    if sys.platform != "linux":
        return time.monotonic()
    try:
        return time.clock_gettime((~process_id << 3) | 2)  # MAKE_PROCESS_CPUCLOCK, CPUCLOCK_SCHED
    except OSError:
        return before_s
