"""Where simulated runs write their verdicts: one seam for every kind of output.

Verdicts in files are here. Another kind of output is another class of this shape: how a run opens
it, how it fails, what lies in it, read without vscan's own code, and how the outputs of all shards
become one file.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import FileIO
from pathlib import Path
from typing import Any, Literal, Protocol
from unittest import mock

from bench.scheduler.journal import Journal
from vscan.shards import Shard
from vscan.store import records
from vscan.store.locked import open_locked
from vscan.store.merging import Merged, merge
from vscan.store.records import RecordFile, RecordSink
from vscan.store.replaced import replacing

OutputFault = Literal["disk_full", "torn_line", "killed_rewriting"]
OUTPUT_FAULTS: tuple[OutputFault, ...] = ("disk_full", "torn_line", "killed_rewriting")


class Outputs(Protocol):
    """A kind of output."""

    def place(self, folder: Path, name: str) -> Path:
        """Where the shard of that name writes."""
        ...

    def open(self, place: Path, shard: Shard) -> RecordSink:
        """As a run of that shard opens it."""
        ...

    def failing(
        self, fault: OutputFault, after: int, journal: Journal
    ) -> AbstractContextManager[None]:
        """Within the block the fault happens to this process when `after` lines were written, and
        is noted as `fired`."""
        ...

    def lines(self, place: Path) -> Iterator[bytes]:
        """The whole lines that lie there, in their order, without their ends."""
        ...

    def merge(self, places: Sequence[Path], output: Path) -> Merged:
        """All of them as one verdict file."""
        ...


class FileOutputs:
    """A JSONL file for each shard, as `-o FILE` writes it."""

    def place(self, folder: Path, name: str) -> Path:
        """A file in that folder."""
        return folder / f"{name}.jsonl"

    def open(self, place: Path, shard: Shard) -> RecordSink:
        """Locked and resumed, whichever shard."""
        return RecordFile(place)

    @contextmanager
    def failing(self, fault: OutputFault, after: int, journal: Journal) -> Iterator[None]:
        """Patches what `RecordFile` opens and replaces files with."""
        if fault == "killed_rewriting":
            with mock.patch.object(records, "replacing", _dying(journal)):
                yield
            return
        state = _Failing(fault, after, journal)

        def faulty(descriptor: int, _mode: str) -> FileIO:
            return _FaultyFile(descriptor, state)

        def opened(path: Path) -> FileIO:
            with real(path) as file:  # the lock is of the open file, which the copy shares
                return _FaultyFile(os.dup(file.fileno()), state)

        real = open_locked
        with mock.patch.multiple(records, open_locked=opened, FileIO=faulty):
            yield

    def lines(self, place: Path) -> Iterator[bytes]:
        """Of the file; the beginning of a line at its end is none."""
        if place.exists():
            with place.open("rb") as file:
                yield from (line[:-1] for line in file if line.endswith(b"\n"))

    def merge(self, places: Sequence[Path], output: Path) -> Merged:
        """As `vscan verdicts merge` does."""
        return merge(places, output, force=True)


class _Failing:
    """What is left of a disk, or of a process's life, in lines."""

    def __init__(self, fault: OutputFault, after: int, journal: Journal) -> None:
        self.fault = fault
        self.left = after
        self.journal = journal

    def fire(self) -> None:
        """Never returns."""
        self.journal.note("fired")
        if self.fault == "torn_line":
            _kill()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _FaultyFile(FileIO):
    """A file whose disk takes a third of a line more and then no byte."""

    def __init__(self, descriptor: int, state: _Failing) -> None:
        super().__init__(descriptor, "r+b")
        self._state = state

    def write(self, data: Any, /) -> int:
        self._state.left -= 1
        if self._state.left < 0:
            super().write(memoryview(data)[: len(data) // 3])
            self._state.fire()
        return super().write(data)


def _dying(journal: Journal) -> Any:
    """`replacing`, whose process is killed when all is written and nothing has been replaced."""

    @contextmanager
    def replacing_dies(path: Path) -> Iterator[Any]:
        with replacing(path) as out:
            yield out
            out.flush()
            journal.note("fired")
            _kill()

    return replacing_dies


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
