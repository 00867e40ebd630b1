"""Where simulated runs write their verdicts: one seam for every kind of output.

Verdicts in files are here, in parts: `part_outputs.py`. Another kind of output is another class of
this shape: how a run opens it, how it fails, what lies in it, read without vscan's own code, and
how the outputs of all shards become one file.
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
from vscan.runs import SummaryPlace, summary_path
from vscan.shards import Shard
from vscan.store import records
from vscan.store.locked import open_locked
from vscan.store.merging import Merged, merge
from vscan.store.records import RecordFile, RecordSink
from vscan.store.replaced import replacing

OutputFault = Literal[
    "disk_full", "torn_line", "killed_rewriting", "killed_storing", "killed_between"
]


class Outputs(Protocol):
    """A kind of output."""

    faults: tuple[OutputFault, ...]
    """Those that it can have."""
    shared: bool
    """Whether all shards write to one place, and two runs as the same shard, too; else each has a
    place of its own, with a lock."""

    def place(self, folder: Path, name: str) -> Path:
        """Where the shard that has this folder writes; name: of a file, without its suffix."""
        ...

    def summary(self, place: Path, shard: Shard) -> SummaryPlace:
        """Where the summary of a run of that shard goes."""
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

    def lines(self, place: Path, shard: Shard) -> Iterator[bytes]:
        """The whole lines that lie there, in their order, without their ends: all that may be of
        sources of that shard, or were written by it."""
        ...

    def damage(self, place: Path, shard: Shard) -> Iterator[str]:
        """What is wrong with what runs of that shard have left, the last of which ended cleanly."""
        ...

    def merge(self, places: Sequence[Path], output: Path) -> Merged:
        """All of them as one verdict file."""
        ...


class FileOutputs:
    """A JSONL file for each shard, as `-o FILE` writes it."""

    faults: tuple[OutputFault, ...] = ("disk_full", "torn_line", "killed_rewriting")
    shared = False

    def place(self, folder: Path, name: str) -> Path:
        """A file in that folder."""
        return folder / f"{name}.jsonl"

    def summary(self, place: Path, shard: Shard) -> SummaryPlace:
        """Beside the file."""
        return summary_path(place)

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

    def lines(self, place: Path, shard: Shard) -> Iterator[bytes]:
        """Of the file; the beginning of a line at its end is none."""
        if place.exists():
            with place.open("rb") as file:
                yield from (line[:-1] for line in file if line.endswith(b"\n"))

    def damage(self, place: Path, shard: Shard) -> Iterator[str]:
        """A last line that is torn yet."""
        if not place.exists() or place.read_bytes()[-1:] not in (b"", b"\n"):
            yield f"the file of shard {shard} does not end in a whole line"

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
            kill()
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
            kill()

    return replacing_dies


def kill() -> None:
    """Ends this process as SIGKILL does: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)
