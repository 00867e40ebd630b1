"""One open video, seen from the parent: asked for frames, and rescued where a reader fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from vscan import storage
from vscan.decode import wire
from vscan.decode.heard import heard_batch, heard_info, heard_report, listening
from vscan.decode.process import Deadline, ProcessFailed, ReaderProcess
from vscan.decode.sandbox import OPEN_TIMEOUT_S, ReadLimits
from vscan.errors import SourceError
from vscan.media import FrameBatch, Measure, ReadReport, VideoInfo
from vscan.sampling import FrameRequest, GridRequest, KeyframesRequest, TimesRequest
from vscan.storage import FileStamp

CLOSE_TIMEOUT_S = 2.0
DECORD_SHARE = 0.5
"""Share of what is left of a file's time that decord may use; the rest is kept for PyAV."""
CURABLE = ("worker_died", "memory_limit")
"""Ends of a process that an earlier file may have brought on: it left a broken heap, or a full one.
Not `deadline`: the time is spent."""


class Processes(Protocol):
    """Where a session gets its reader process from, and what that may cost."""

    limits: ReadLimits
    threads: int

    def take(self, *, unused: bool = False) -> ReaderProcess:
        """A process that serves nobody else; with `unused`, one that never served a file."""
        ...

    def give_back(self, process: ReaderProcess) -> None:
        """The end of its use; it may be dead."""
        ...


class VideoSession:
    """One open video. Every `read` begins at the start of the file; one at a time.

    All that is asked of a session shares one time limit: of waiting for the process, be it to open
    the file, to read it once or again, or to read it with the other reader.
    """

    def __init__(self, processes: Processes, path: Path, stamp: FileStamp | None = None) -> None:
        self._processes = processes
        self._path = path
        self._file: BinaryIO | None = None
        self._stamp = stamp
        self._process: ReaderProcess | None = None
        self._unused = False
        self._info: VideoInfo | None = None
        self._report: ReadReport | None = None
        self._between_messages = True
        self._used_s = 0.0
        self.not_decord = ""
        """Why decord may not serve this file; empty where it may."""
        self._spares = False
        """Whether PyAV serves plans by time with less decoding, even where decord may serve."""

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
        limit_s = self._processes.limits.timeout_s
        total_s = limit_s if limit_s is not None else OPEN_TIMEOUT_S
        self._file = storage.open_source(self._path)
        self._check_unchanged()
        while True:
            deadline = Deadline(total_s - self._used_s, limit_s=total_s)
            try:
                self._open(deadline)
            except ProcessFailed as failure:
                if not self._tried_again(failure):
                    raise _source_error(failure, total_s) from failure
            else:
                return
            finally:
                self._used_s += deadline.used_s

    def read(self, request: FrameRequest, measure: Measure) -> Iterator[FrameBatch]:
        """The frames that the request wants, in presentation order, each delivered once.

        Where decord fails, PyAV reads the file again and delivers what was not delivered yet; the
        report's warnings say `reader_fallback`, and `times_uncertain` where decord had delivered
        frames before, whose times may be a few frames early. Where a process dies that had served
        other files, the file is tried once more in a new one, so that none pays for another.
        Raises SourceError: `deadline`, `worker_died`, `memory_limit`, `no_frames`,
        `changed_while_read` …
        """
        self._report = None
        total_s = self._processes.limits.timeout_for(self.info.duration_s)
        reader = self._reader_for(request, measure)
        after_s: float | None = None
        warnings: tuple[str, ...] = ()
        while True:
            share = DECORD_SHARE if reader == "decord" else 1.0
            deadline = Deadline((total_s - self._used_s) * share, limit_s=total_s)
            try:
                for batch in self._stream(request, measure, reader, after_s, deadline):
                    if len(batch):
                        after_s = float(batch.times_s[-1])
                    yield batch
                break
            except ProcessFailed as failure:
                if reader == "decord":
                    reader, warnings = "pyav", ("reader_fallback",)
                    if after_s is not None:
                        warnings += ("times_uncertain",)
                elif not self._tried_again(failure):
                    raise _source_error(failure, total_s) from failure
            finally:
                self._used_s += deadline.used_s
        self._finish(warnings)

    def _reader_for(self, request: FrameRequest, measure: Measure) -> str:
        by_time = isinstance(request, (GridRequest, TimesRequest))
        if isinstance(request, KeyframesRequest) or measure.decode == "fast":
            return "pyav"
        return "pyav" if by_time and self._spares else self.reader

    def close(self) -> None:
        """Gives the process back, or ends it where it is in the middle of something."""
        if self._file is not None:
            self._file.close()
        self._let_go()

    def _let_go(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if not self._between_messages or not process.alive:
                raise ProcessFailed("worker_died", "left in the middle of a read")
            process.send({"op": "close"})
            header, _ = process.receive(Deadline(CLOSE_TIMEOUT_S))
            with listening(process):
                process.resident_bytes = int(header["resident_bytes"])
            process.files_served += 1
        except ProcessFailed:
            process.kill()
        self._processes.give_back(process)

    def _open(self, deadline: Deadline) -> None:
        """Hands the file to a process. Raises ProcessFailed, and SourceError of the file's own."""
        assert self._file is not None  # noqa: S101 - `open` opened it
        self._let_go()
        self._between_messages = True
        self._process = process = self._processes.take(unused=self._unused)
        self._file.seek(0)  # the place in the file is shared with the process before
        limits, threads = asdict(self._processes.limits), self._processes.threads
        opening = {"op": "open", "limits": limits, "threads": threads}
        process.send(opening, self._file.fileno())
        header, _ = process.receive(deadline)
        with listening(process):
            if header["op"] == "error":
                raise _said(header)
            self._info = heard_info(header)
            self.not_decord = str(header["not_decord"])
            self._spares = header["spares"] is True

    def _stream(
        self,
        request: FrameRequest,
        measure: Measure,
        reader: str,
        after_s: float | None,
        deadline: Deadline,
    ) -> Iterator[FrameBatch]:
        """The batches of one attempt with one reader; the report is kept."""
        if self._process is None or not self._process.alive or not self._between_messages:
            self._open(deadline)
        process = self._process
        assert process is not None  # noqa: S101 - opened above
        process.send(
            {
                "op": "read",
                "request": wire.pack_request(request),
                "measure": wire.pack_measure(measure),
                "reader": reader,
                "after_s": after_s,
            }
        )
        self._between_messages = False
        while True:
            header, payload = process.receive(deadline)
            with listening(process):
                if header["op"] == "batch":
                    batch = heard_batch(header, payload, measure, after_s)
                else:
                    self._between_messages = True
                    if header["op"] != "report":
                        raise _said(header)
                    self._report = heard_report(header)
                    return
            if len(batch):
                after_s = float(batch.times_s[-1])
            yield batch

    def _tried_again(self, failure: ProcessFailed) -> bool:
        """Whether the process that failed may have been broken by another file: if so, the next
        attempt is made in a process that never served one."""
        if failure.code == "memory_limit" and self._process is not None:
            self._process.kill()  # what is left of it fits no other file either
        served = self._process is not None and self._process.files_served > 0
        if not served or failure.code not in CURABLE:
            return False
        self._unused = True
        return True

    def _check_unchanged(self) -> None:
        """Raises SourceError for a file that was written to, or is another than it was."""
        assert self._file is not None  # noqa: S101 - `open` opened it
        now = storage.stamp_of(self._file)
        if self._stamp is not None and now != self._stamp:
            raise storage.changed_while_read()
        self._stamp = now

    def _finish(self, warnings: tuple[str, ...]) -> None:
        """Adds what only the parent knows to the report."""
        self._check_unchanged()
        report = self.report
        every = (*warnings, *self.info.warnings, *report.warnings)
        self._report = replace(report, warnings=every)


def _said(header: dict[str, Any]) -> Exception:
    """The error that the process told."""
    if header["op"] == "reader_failed":
        return ProcessFailed("decode_failed", str(header["message"]))
    if header["code"] == "memory_limit":
        return ProcessFailed("memory_limit", str(header["message"]))
    return SourceError(str(header["code"]), str(header["message"]), remedy=str(header["remedy"]))


def _source_error(failure: ProcessFailed, allowed_s: float) -> SourceError:
    remedies = {
        "deadline": f"allow more than {allowed_s:g} s if the file is worth it",
        "memory_limit": "the file needs more memory than a reader may take; look at it with care",
        "worker_died": "the file may be made to crash decoders; look at it with care",
    }
    remedy = remedies.get(failure.code, "")
    return SourceError(failure.code, failure.message, remedy=remedy)
