"""The pool of reader processes: what the rest of vscan reads videos with.

    with ReaderPool(size=2, limits=ReadLimits()) as pool, pool.session(path) as video:
        for batch in video.read(GridRequest(1.0), Measure(pdq=True)):
            ...
        video.report.coverage

A file that hangs, crashes or eats memory costs its own process and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from vscan.decode.process import ProcessFailed, ReaderProcess
from vscan.decode.sandbox import ReadLimits
from vscan.decode.session import VideoSession
from vscan.decode.turns import Turns
from vscan.errors import NotBegun
from vscan.storage import FileStamp

__all__ = ["ReadLimits", "ReaderPool", "VideoSession"]

MAX_THREADS = 8
"""Each further thread of a decoder holds further frames in memory."""
FILES_PER_PROCESS = 200
RESIDENT_LIMIT = 768 << 20
"""A process that holds more than this many bytes between files is replaced."""


class ReaderPool:
    """Up to `size` reader processes; `session` blocks until one is free. Safe among threads."""

    def __init__(
        self,
        size: int,
        limits: ReadLimits | None = None,
        *,
        stalls: Callable[[], None] = lambda: None,
        resumes: Callable[[], None] = lambda: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """stalls, resumes: told of callers that wait for a process, see Turns. stopping: once it is
        true no further session is begun."""
        if size < 1:
            raise ValueError(f"a pool needs at least one process, got {size}")
        self.limits = limits if limits is not None else ReadLimits()
        threads = self.limits.threads
        self.threads = threads if threads is not None else threads_each(size)
        self._stopping = stopping
        self._turns = Turns(size, stalls=stalls, resumes=resumes)
        # A process dies with the thread that started it (sandbox.limit_process), so one that
        # outlives every caller starts them all.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="vscan-readers")
        self._lock = threading.Lock()
        self._idle: list[ReaderProcess] = []
        self._busy: set[ReaderProcess] = set()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process at once; sessions still open fail with `worker_died`."""
        with self._lock:
            self._closed = True
            processes = [*self._idle, *self._busy]
            self._idle.clear()
        for process in processes:
            process.kill()
        self._starter.shutdown(wait=False)

    @contextlib.contextmanager
    def session(self, path: Path, stamp: FileStamp | None = None) -> Iterator[VideoSession]:
        """The video at `path`, open in a process of its own until the block ends.

        stamp: of the file that is meant, as when it was hashed. Raises SourceError where the file
        cannot be scanned, `changed_while_read` where it is not that one any more;
        NotBegun where the pool is to stop.
        """
        with self._turns.turn():
            if self._stopping():
                raise NotBegun(f"{path}: not begun")
            video = VideoSession(self, path, stamp)
            try:
                video.open()
                yield video
            finally:
                video.close()

    def take(self, *, unused: bool = False) -> ReaderProcess:
        """An idle process, else a new one; with `unused` always a new one. For sessions.

        Raises ProcessFailed where none can be started.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the reader pool is closed")
            dead = [process for process in self._idle if not process.alive]
            self._idle = [process for process in self._idle if process not in dead]
            process = self._idle.pop() if self._idle and not unused else None
            if process is not None:
                self._busy.add(process)
        for each in dead:  # the system may end a process that does nothing; its pipes are ours
            each.kill()
        return process if process is not None else self._starter.submit(self._start).result()

    def give_back(self, process: ReaderProcess) -> None:
        """A process that a session has done with; one that is worn out is ended. For sessions."""
        worn = process.files_served >= FILES_PER_PROCESS or process.resident_bytes > RESIDENT_LIMIT
        with self._lock:
            self._busy.discard(process)
            keep = process.alive and not worn and not self._closed
            if keep:
                self._idle.append(process)
        if not keep:
            process.kill()

    def _start(self) -> ReaderProcess:
        try:
            process = ReaderProcess(self.limits)
        except OSError as error:
            raise ProcessFailed(
                "worker_died", f"no reader process can be started: {error.strerror}"
            ) from error
        _offer_first(process.pid)
        with self._lock:
            self._busy.add(process)
            closed = self._closed
        if closed:
            process.kill()
        return process


def _offer_first(pid: int) -> None:
    """Has the system end this process before the run, where memory is short: see proc(5)."""
    with contextlib.suppress(OSError):  # no such file beside Linux; it may be gone already
        Path(f"/proc/{pid}/oom_score_adj").write_bytes(b"1000")


def threads_each(size: int) -> int:
    """Decoding threads per process: the cores shared out, within what a decoder makes use of."""
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return min(MAX_THREADS, max(1, cores // size))
