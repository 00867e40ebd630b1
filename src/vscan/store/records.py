"""Verdict records on disk: JSON lines that are appended, resumed from, and never truncated."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from vscan.errors import OutputError
from vscan.store.lines import LINE_START, PASSING_ERRORS
from vscan.store.lines import read_lines as read_lines
from vscan.store.locked import open_locked
from vscan.verdicts import Verdict


class RecordSink(Protocol):
    """Where verdicts go; used from one thread."""

    def is_done(self, verdict_id: str) -> bool:
        """True if a final record of that id is already there."""
        ...

    def outcome_of(self, verdict_id: str) -> str | None:
        """The outcome of that final record; None where it is not there."""
        ...

    def write(self, verdict: Verdict) -> None:
        """Append one record and hand it to the system at once."""
        ...

    def lines(self) -> Iterator[bytes]:
        """The records that earlier runs have left there."""
        ...

    def amend_on_close(self, amend: Callable[[bytes], bytes]) -> None:
        """Lets `amend` write every line anew when the output is closed, where it can be."""
        ...

    def close(self) -> None:
        """Leave the output in its final state."""
        ...


class RecordFile:
    """A JSONL file of verdicts that a run appends to and later runs resume.

    Opening takes an exclusive lock (another run on the same file is told so at once), drops a
    torn last line that a killed run left, and learns which ids are done. Records that a newer
    one of the same URI replaces are removed by one atomic rewrite on close; until then readers
    take the last line of a URI.

    Raises OutputError when the file cannot be written, is locked, or holds something else.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self._is_new = not os.path.lexists(path)
        self._file = open_locked(path)
        self._done: dict[str, str] = {}
        self._latest: dict[str, tuple[int, bool]] = {}
        self._superseded: set[int] = set()
        self._amend: Callable[[bytes], bytes] | None = None
        self._broken: OutputError | None = None
        self._is_stale = fresh
        """Whether what the file holds goes when the first new record comes."""
        if fresh:
            self._refuse_foreign()
        else:
            self._learn()

    def _refuse_foreign(self) -> None:
        """Starting over is for verdict files: what was named by mistake is not ours to empty."""
        head = self._file.read(len(LINE_START))
        self._file.seek(0)
        if head != LINE_START[: len(head)]:
            self._file.close()
            raise OutputError(
                f"{self.path}: holds something else than verdicts", remedy="choose another -o"
            )

    def _learn(self) -> None:
        end = 0
        for stored in read_lines(self._file, name=str(self.path)):
            self._note(stored.uri, stored.offset, final=stored.is_final)
            end = stored.end
            if stored.is_final:
                self._done[str(stored.record["id"])] = str(stored.record["outcome"])
        self._file.truncate(end)
        self._file.seek(max(0, end - 1))
        if end and self._file.read(1) != b"\n":
            # An editor took the last newline away; the record before it is whole.
            self._file.write(b"\n")
        self._file.seek(0, os.SEEK_END)

    def _note(self, uri: str, offset: int, *, final: bool) -> None:
        """Settle which of two records of a URI stays: the newer, unless it only says that the
        file could not be had today where the older one is an answer."""
        if uri not in self._latest:
            self._latest[uri] = (offset, final)
            return
        older, older_is_final = self._latest[uri]
        if older_is_final and not final:
            self._superseded.add(offset)
        else:
            self._superseded.add(older)
            self._latest[uri] = (offset, final)

    def is_done(self, verdict_id: str) -> bool:
        """True if this id has a final record here."""
        return verdict_id in self._done

    def outcome_of(self, verdict_id: str) -> str | None:
        """The outcome of this id's final record; None where it has none here."""
        return self._done.get(verdict_id)

    def write(self, verdict: Verdict) -> None:
        """Append one record; it is with the system when this returns.

        Raises OutputError when the disk is full or gone; the file then ends in a whole line.
        """
        offset = 0
        try:
            if self._is_stale:
                # Not before: a run that fails to start, or finds nothing, leaves the old file.
                self._file.truncate(0)
                self._is_stale = False
            offset = self._file.tell()
            self._file.write(verdict.to_line())
            self._file.flush()
        except OSError as error:
            self._broken = OutputError(
                f"{self.path}: cannot write ({error.strerror})",
                remedy="free space or choose another -o, then run the same command: it resumes",
            )
            with contextlib.suppress(OSError):
                self._file.truncate(offset)
            raise self._broken from error
        passing = verdict.error is not None and verdict.error.code in PASSING_ERRORS
        final = verdict.source.sha256 is not None and not passing
        self._note(verdict.source.uri, offset, final=final)
        if final:
            self._done[verdict.id] = verdict.outcome

    def lines(self) -> Iterator[bytes]:
        """The records that it holds now, as they stand, without those that newer ones replace."""
        if self._is_stale:
            return
        offset = 0
        with self.path.open("rb") as file:
            for line in file:
                if offset not in self._superseded:
                    yield line
                offset += len(line)

    def amend_on_close(self, amend: Callable[[bytes], bytes]) -> None:
        """Lets `amend` write every line anew in the one rewrite that closing makes."""
        self._amend = amend

    def close(self) -> None:
        """Remove superseded records, amend the others, sync to disk, release the lock."""
        if self._file.closed:
            return
        try:
            if (self._superseded or self._amend) and self._broken is None:
                self._compact()
            else:
                os.fsync(self._file.fileno())
                if self._is_new and self._file.seek(0, os.SEEK_END) == 0:
                    self.path.unlink()
        except OSError as error:
            if self._broken is None:
                raise OutputError(f"{self.path}: cannot finish ({error.strerror})") from error
        finally:
            with contextlib.suppress(OSError):
                self._file.close()

    def _compact(self) -> None:
        rewritten = self.path.with_name(f".{self.path.name}.{os.getpid()}.rewrite")
        self._file.seek(0)
        offset = 0
        try:
            with rewritten.open("xb") as out:
                for line in self._file:
                    if offset not in self._superseded:
                        out.write(line if self._amend is None else self._amend(line))
                    offset += len(line)
                out.flush()
                os.fsync(out.fileno())
            rewritten.chmod(self.path.stat().st_mode & 0o777)
            rewritten.replace(self.path)
        finally:
            rewritten.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class RecordStream:
    """Verdicts to standard output: nothing to resume from."""

    def __init__(self, out: BinaryIO | None = None) -> None:
        self._out = out or sys.stdout.buffer

    def is_done(self, verdict_id: str) -> bool:
        """Always False: a pipe keeps nothing."""
        return False

    def outcome_of(self, verdict_id: str) -> str | None:
        """Always None: a pipe keeps nothing."""
        return None

    def write(self, verdict: Verdict) -> None:
        """Write one record and flush. BrokenPipeError passes through: the reader has gone."""
        self._out.write(verdict.to_line())
        self._out.flush()

    def lines(self) -> Iterator[bytes]:
        """None: a pipe keeps nothing."""
        return iter(())

    def amend_on_close(self, amend: Callable[[bytes], bytes]) -> None:
        """Nothing to do: what was written is gone."""

    def close(self) -> None:
        """Nothing to do: the stream is not ours."""
