"""The pool of reader processes: what the rest of vscan reads videos with.

    with ReaderPool(size=2, limits=ReadLimits()) as pool, pool.session(path) as video:
        for batch in video.read(GridRequest(1.0), image=None, pdq=True):
            ...
        video.report.coverage

A file that hangs, crashes or eats memory costs its own process and nothing else.
"""

from __future__ import annotations

import base64
import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vscan.decode import wire
from vscan.decode.process import Deadline, ProcessFailed, ReaderProcess
from vscan.decode.sandbox import OPEN_TIMEOUT_S, ReadLimits
from vscan.errors import SourceError
from vscan.media import FrameBatch, ImageSpec, ReadReport, VideoInfo
from vscan.sampling import FrameRequest, KeyframesRequest

__all__ = ["ReadLimits", "ReaderPool", "VideoSession"]

FILES_PER_PROCESS = 200
RESIDENT_LIMIT = 768 << 20
"""A process that holds more than this many bytes between files is replaced."""
CLOSE_TIMEOUT_S = 5.0
DECORD_SHARE = 0.5
"""Share of a file's time that decord may use; the rest is kept for trying again with PyAV."""


class ReaderPool:
    """Up to `size` reader processes; `session` blocks until one is free. Safe among threads."""

    def __init__(self, size: int, limits: ReadLimits | None = None) -> None:
        if size < 1:
            raise ValueError(f"a pool needs at least one process, got {size}")
        self.limits = limits if limits is not None else ReadLimits()
        cores = os.cpu_count() or 1
        threads = self.limits.threads
        self.threads = threads if threads is not None else max(1, cores // size)
        self._free = threading.Semaphore(size)
        # A process dies with the thread that started it (sandbox.confine), so one that outlives
        # every caller starts them all.
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
    def session(self, path: Path) -> Iterator[VideoSession]:
        """The video at `path`, open in a process of its own until the block ends.

        Raises SourceError where the file cannot be scanned.
        """
        with self._free:
            video = VideoSession(self, path)
            try:
                video.open()
                yield video
            finally:
                video.close()

    def take(self) -> ReaderProcess:
        """An idle process, else a new one. For sessions."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the reader pool is closed")
            process = self._idle.pop() if self._idle else None
            if process is not None and process.alive:
                self._busy.add(process)
                return process
        return self._starter.submit(self._start).result()

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
        process = ReaderProcess(self.limits)
        with self._lock:
            self._busy.add(process)
            closed = self._closed
        if closed:
            process.kill()
        return process


class VideoSession:
    """One open video. Every `read` begins at the start of the file; one at a time."""

    def __init__(self, pool: ReaderPool, path: Path) -> None:
        self._pool = pool
        self._path = path
        self._process: ReaderProcess | None = None
        self._info: VideoInfo | None = None
        self._report: ReadReport | None = None
        self._between_messages = True
        self.not_decord = ""
        """Why decord may not serve this file; empty where it may."""

    @property
    def info(self) -> VideoInfo:
        """What the probe learnt."""
        if self._info is None:
            raise RuntimeError("the session is not open")
        return self._info

    @property
    def reader(self) -> str:
        """The reader that is trusted with this file: `decord` or `pyav`."""
        return "pyav" if self.not_decord else "decord"

    @property
    def report(self) -> ReadReport:
        """How the last `read` went; to be asked after its iterator has ended."""
        if self._report is None:
            raise RuntimeError("no read has ended yet")
        return self._report

    @property
    def process_id(self) -> int | None:
        """The reader process's id, None while there is none."""
        return self._process.pid if self._process is not None else None

    def open(self) -> None:
        """Probes the file in a process. Raises SourceError. The pool calls it."""
        limit_s = self._pool.limits.timeout_s
        self._open(Deadline(limit_s if limit_s is not None else OPEN_TIMEOUT_S))

    def read(
        self, request: FrameRequest, image: ImageSpec | None, pdq: bool
    ) -> Iterator[FrameBatch]:
        """The frames that the request wants, in presentation order, each delivered once.

        Where decord fails, PyAV reads the file again and delivers what was not delivered yet; the
        report's warnings say `reader_fallback`, and `times_uncertain` where decord had delivered
        frames before, whose times may be a few frames early.
        Raises SourceError: `deadline`, `worker_died`, `memory_limit`, `no_frames` …
        """
        self._report = None
        total_s = self._pool.limits.timeout_for(self.info.duration_s)
        reader = "pyav" if isinstance(request, KeyframesRequest) else self.reader
        after_s: float | None = None
        used_s = 0.0
        warnings: tuple[str, ...] = ()
        while True:
            share = DECORD_SHARE if reader == "decord" else 1.0
            deadline = Deadline(total_s * share - used_s)
            try:
                for batch in self._stream(request, image, pdq, reader, after_s, deadline):
                    if len(batch):
                        after_s = float(batch.times_s[-1])
                    yield batch
                break
            except ProcessFailed as failure:
                if reader != "decord":
                    raise _source_error(failure, total_s) from failure
                reader, warnings = "pyav", ("reader_fallback",)
                if after_s is not None:
                    warnings += ("times_uncertain",)
                used_s = deadline.used_s
        self._finish(warnings)

    def close(self) -> None:
        """Gives the process back, or ends it where it is in the middle of something."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if not self._between_messages or not process.alive:
                raise ProcessFailed("worker_died", "left in the middle of a read")
            process.send({"op": "close"})
            header, _ = process.receive(Deadline(CLOSE_TIMEOUT_S))
            process.resident_bytes = int(header["resident_bytes"])
            process.files_served += 1
        except ProcessFailed:
            process.kill()
        self._pool.give_back(process)

    def _open(self, deadline: Deadline) -> None:
        limits = {**asdict(self._pool.limits)}
        try:
            self._process = self._pool.take()
            self._process.send(
                {
                    "op": "open",
                    "path": base64.b64encode(os.fsencode(self._path)).decode("ascii"),
                    "limits": limits,
                    "threads": self._pool.threads,
                }
            )
            header, _ = self._process.receive(deadline)
        except ProcessFailed as failure:
            raise _source_error(failure, deadline.allowed_s) from failure
        if header["op"] == "error":
            raise _said(header)
        self._info = wire.unpack_info(header["info"])
        self.not_decord = str(header["not_decord"])

    def _stream(
        self,
        request: FrameRequest,
        image: ImageSpec | None,
        pdq: bool,
        reader: str,
        after_s: float | None,
        deadline: Deadline,
    ) -> Iterator[FrameBatch]:
        """The batches of one attempt with one reader; the report is kept."""
        if self._process is None or not self._process.alive or not self._between_messages:
            self.close()
            self._between_messages = True
            self._open(deadline)
        process = self._process
        assert process is not None  # noqa: S101 - opened above
        process.send(
            {
                "op": "read",
                "request": wire.pack_request(request),
                "image": wire.pack_image(image),
                "pdq": pdq,
                "reader": reader,
                "after_s": after_s,
            }
        )
        self._between_messages = False
        while True:
            header, payload = process.receive(deadline)
            if header["op"] == "batch":
                yield wire.unpack_batch(header, payload)
                continue
            self._between_messages = True
            if header["op"] == "report":
                self._report = wire.unpack_report(header["report"])
                return
            if header["op"] == "reader_failed":
                raise ProcessFailed("decode_failed", str(header["message"]))
            if header["code"] == "memory_limit":
                process.kill()
                raise ProcessFailed("memory_limit", str(header["message"]))
            raise _said(header)

    def _finish(self, warnings: tuple[str, ...]) -> None:
        """Adds what only the parent knows to the report."""
        report = self.report
        self._report = ReadReport(
            **{**_fields(report), "warnings": (*warnings, *self.info.warnings, *report.warnings)}
        )


def _fields(report: ReadReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__dataclass_fields__}


def _said(header: dict[str, Any]) -> SourceError:
    return SourceError(header["code"], header["message"], remedy=header["remedy"])


def _source_error(failure: ProcessFailed, allowed_s: float) -> SourceError:
    remedies = {
        "deadline": f"allow more than {allowed_s:g} s if the file is worth it",
        "memory_limit": "allow the reader more memory if the file is trusted",
        "worker_died": "the file may be made to crash decoders; look at it with care",
    }
    remedy = remedies.get(failure.code, "")
    return SourceError(failure.code, failure.message, remedy=remedy)
