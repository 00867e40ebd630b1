"""Verdict records on disk: JSON lines that are appended, resumed from, and never truncated."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from vscan.errors import OutputError
from vscan.store.lines import LINE_START
from vscan.store.lines import read_lines as read_lines
from vscan.store.locked import open_locked
from vscan.store.replaced import beside, replacing
from vscan.store.sink import RecordSink as RecordSink
from vscan.store.sink import RecordStream as RecordStream
from vscan.store.staying import Staying
from vscan.verdicts import Verdict


class RecordFile:
    """A JSONL file of verdicts that a run appends to and later runs resume.

    Opening takes an exclusive lock (another run on the same file is told so at once), drops a
    torn last line that a killed run left, removes the records that newer ones of the same URI
    replace by one atomic rewrite, and learns which ids are done. What this run's own records
    replace goes in the same way at the end; until then readers take the last line of a URI.

    Raises OutputError when the file cannot be written, is locked, or holds something else.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self._keep_empty = os.path.lexists(path)
        self._file = open_locked(path)
        self._staying = Staying()
        """By where each line begins in the file."""
        self._amend: Callable[[bytes], bytes] | None = None
        self._broken: OutputError | None = None
        self._finished = False
        self._is_stale = fresh
        """Whether what the file holds goes when the first new record comes."""
        try:
            beside(path).unlink(missing_ok=True)
            if fresh:
                self._refuse_foreign()
            else:
                self._learn()
        except OSError as error:
            self._file.close()
            raise self._unfinished(error) from error
        except OutputError:
            self._file.close()
            raise

    def _refuse_foreign(self) -> None:
        """Starting over is for verdict files: what was named by mistake is not ours to empty."""
        head = self._file.read(len(LINE_START))
        if head != LINE_START[: len(head)]:
            raise OutputError(
                f"{self.path}: holds something else than verdicts", remedy="choose another -o"
            )

    def _learn(self) -> None:
        end = 0
        with self.path.open("rb") as file:
            for stored in read_lines(file, name=str(self.path)):
                self._staying.note_line(stored, stored.offset)
                end = stored.end
        if end != os.fstat(self._file.fileno()).st_size:
            self._file.truncate(end)
        if end and os.pread(self._file.fileno(), 1, end - 1) != b"\n":
            # An editor took the last newline away; the record before it is whole.
            os.pwrite(self._file.fileno(), b"\n", end)
        if self._staying.superseded:
            self._rewrite()

    def is_done(self, verdict_id: str) -> bool:
        """True if this id has a final record here, which no newer one replaces."""
        return self._staying.outcome_of(verdict_id) is not None

    def outcome_of(self, verdict_id: str) -> str | None:
        """The outcome of this id's final record; None where it has none here."""
        return self._staying.outcome_of(verdict_id)

    def done_keys(self) -> Iterable[int]:
        """The keys (`name_keys.key_of`) of the ids of all final records here, as they are now."""
        return self._staying.done_keys()

    def content_of(self, uri: str, version: str) -> str | None:
        """SHA-256 of an object when it had that version, by a final record here; else None."""
        return self._staying.content_of(uri, version)

    def write(self, verdict: Verdict) -> None:
        """Append one record; it is with the system when this returns.

        Raises OutputError when the disk is full or gone; the file then ends in a whole line.
        """
        try:
            if self._is_stale:
                # Not before: a run that fails to start, or finds nothing, leaves the old file.
                self._file.truncate(0)
                self._is_stale = False
            offset = self._append(verdict.to_line())
        except OSError as error:
            self._broken = OutputError(
                f"{self.path}: cannot write ({error.strerror})",
                remedy="free space or choose another -o, then run the same command: it resumes",
            )
            raise self._broken from error
        self._staying.note_verdict(verdict, offset)

    def _append(self, line: bytes) -> int:
        """Where the line begins. An OSError leaves the file as it was."""
        offset = self._file.seek(0, os.SEEK_END)
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(offset)
            raise
        return offset

    def lines(self) -> Iterator[bytes]:
        """The records that it holds now, as they stand, without those that newer ones replace."""
        if self._is_stale:
            return
        for _, line in self._kept():
            yield line

    def _kept(self) -> Iterator[tuple[int, bytes]]:
        offset = 0
        with self.path.open("rb") as file:
            for line in file:
                if offset not in self._staying.superseded:
                    yield offset, line
                offset += len(line)

    def amend_on_close(self, amend: Callable[[bytes], bytes]) -> None:
        """Lets `amend` write every line anew in the one rewrite that finishing makes."""
        self._amend = amend

    def keep_empty(self) -> None:
        """Leave a file also where no record comes: a shard that holds nothing is done, too."""
        self._keep_empty = True

    def finish(self) -> None:
        """Remove superseded records, amend the others, sync to disk; the lock stays.

        Raises OutputError where the system refuses; every line that was written is still there.
        """
        if self._finished or self._file.closed:
            return
        self._finished = True
        if self._broken is not None:
            return
        try:
            if self._staying.superseded or self._amend:
                self._rewrite()
            else:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unfinished(error) from error

    def _unfinished(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path}: cannot be rewritten without the lines that newer ones replace "
            f"({error.strerror})",
            remedy="its lines are whole, and the last one of a source counts; free space and run "
            "the same command again",
        )

    def _rewrite(self) -> None:
        """The lines that stay in a new file, which takes this one's place, and its lock."""
        moved: dict[int, int] = {}
        with replacing(self.path) as out:
            for offset, line in self._kept():
                moved[offset] = out.tell()
                out.write(line if self._amend is None else self._amend(line))
        self._file.close()
        # Of the two it is the new one that bears the lock which others meet from now on.
        self._file = FileIO(os.dup(out.fileno()), "r+b")
        out.close()
        self._staying.moved(moved)

    def close(self) -> None:
        """Finish where that was not done, release the lock; an empty new file goes again."""
        if self._file.closed:
            return
        try:
            self.finish()
            if not self._keep_empty and os.fstat(self._file.fileno()).st_size == 0:
                self.path.unlink()
        finally:
            with contextlib.suppress(OSError):
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
