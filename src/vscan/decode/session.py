"""One open video, seen from the parent: asked for frames, and rescued where a reader fails."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

from vscan.decode import wire
from vscan.decode.process import Deadline, ProcessFailed, ReaderProcess
from vscan.decode.sandbox import OPEN_TIMEOUT_S, ReadLimits
from vscan.errors import SourceError
from vscan.media import FrameBatch, Measure, ReadReport, VideoInfo
from vscan.sampling import FrameRequest, KeyframesRequest

CLOSE_TIMEOUT_S = 5.0
DECORD_SHARE = 0.5
"""Share of a file's time that decord may use; the rest is kept for trying again with PyAV."""


class Processes(Protocol):
    """Where a session gets its reader process from, and what that may cost."""

    limits: ReadLimits
    threads: int

    def take(self) -> ReaderProcess:
        """A process that serves nobody else."""
        ...

    def give_back(self, process: ReaderProcess) -> None:
        """The end of its use; it may be dead."""
        ...


class VideoSession:
    """One open video. Every `read` begins at the start of the file; one at a time."""

    def __init__(self, processes: Processes, path: Path) -> None:
        self._processes = processes
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
        limit_s = self._processes.limits.timeout_s
        self._open(Deadline(limit_s if limit_s is not None else OPEN_TIMEOUT_S))

    def read(self, request: FrameRequest, measure: Measure) -> Iterator[FrameBatch]:
        """The frames that the request wants, in presentation order, each delivered once.

        Where decord fails, PyAV reads the file again and delivers what was not delivered yet; the
        report's warnings say `reader_fallback`, and `times_uncertain` where decord had delivered
        frames before, whose times may be a few frames early.
        Raises SourceError: `deadline`, `worker_died`, `memory_limit`, `no_frames` …
        """
        self._report = None
        total_s = self._processes.limits.timeout_for(self.info.duration_s)
        reader = "pyav" if isinstance(request, KeyframesRequest) else self.reader
        after_s: float | None = None
        used_s = 0.0
        warnings: tuple[str, ...] = ()
        while True:
            share = DECORD_SHARE if reader == "decord" else 1.0
            deadline = Deadline(total_s * share - used_s)
            try:
                for batch in self._stream(request, measure, reader, after_s, deadline):
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
        self._processes.give_back(process)

    def _open(self, deadline: Deadline) -> None:
        limits = {**asdict(self._processes.limits)}
        try:
            self._process = self._processes.take()
            self._process.send(
                {
                    "op": "open",
                    "path": base64.b64encode(os.fsencode(self._path)).decode("ascii"),
                    "limits": limits,
                    "threads": self._processes.threads,
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
        measure: Measure,
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
                "measure": wire.pack_measure(measure),
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
        every = (*warnings, *self.info.warnings, *report.warnings)
        self._report = replace(report, warnings=every)


def _said(header: dict[str, Any]) -> SourceError:
    return SourceError(header["code"], header["message"], remedy=header["remedy"])


def _source_error(failure: ProcessFailed, allowed_s: float) -> SourceError:
    remedies = {
        "deadline": f"allow more than {allowed_s:g} s if the file is worth it",
        "memory_limit": "the file needs more memory than a reader may take; look at it with care",
        "worker_died": "the file may be made to crash decoders; look at it with care",
    }
    remedy = remedies.get(failure.code, "")
    return SourceError(failure.code, failure.message, remedy=remedy)
