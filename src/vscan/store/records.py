"""Verdict records on disk: JSON lines that are appended, resumed from, and never truncated."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from vscan.errors import OutputError
from vscan.store.lines import LINE_START, PASSING_ERRORS
from vscan.store.lines import read_lines as read_lines
from vscan.store.locked import open_locked
from vscan.store.replaced import beside, replacing
from vscan.store.sink import RecordSink as RecordSink
from vscan.store.sink import RecordStream as RecordStream
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
        self._latest: dict[str, tuple[int, str]] = {}
        """By URI, where the line that stays begins, and its id."""
        self._done: dict[str, str] = {}
        """Outcome by id, of the lines that stay and are final."""
        self._superseded: set[int] = set()
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
                outcome = str(stored.record["outcome"]) if stored.is_final else None
                self._note(stored.uri, stored.offset, str(stored.record["id"]), outcome)
                end = stored.end
        if end != os.fstat(self._file.fileno()).st_size:
            self._file.truncate(end)
        if end and os.pread(self._file.fileno(), 1, end - 1) != b"\n":
            # An editor took the last newline away; the record before it is whole.
            os.pwrite(self._file.fileno(), b"\n", end)
        if self._superseded:
            self._rewrite()

    def _note(self, uri: str, offset: int, verdict_id: str, outcome: str | None) -> None:
        """Settle which of two records of a URI stays: the newer, unless it only says that the
        file could not be had today where the older one is an answer.

        outcome: of a record that is final. Only what stays is done: a record that goes must be
        made again where its configuration is asked for again.
        """
        if uri in self._latest:
            older, older_id = self._latest[uri]
            if outcome is None and older_id in self._done:
                self._superseded.add(offset)
                return
            self._superseded.add(older)
            self._done.pop(older_id, None)
        self._latest[uri] = (offset, verdict_id)
        if outcome is not None:
            self._done[verdict_id] = outcome

    def is_done(self, verdict_id: str) -> bool:
        """True if this id has a final record here, which no newer one replaces."""
        return verdict_id in self._done

    def outcome_of(self, verdict_id: str) -> str | None:
        """The outcome of this id's final record; None where it has none here."""
        return self._done.get(verdict_id)

    def done_ids(self) -> Iterator[str]:
        """The ids of all final records here, as they are now."""
        return iter(tuple(self._done))

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
        passing = verdict.error is not None and verdict.error.code in PASSING_ERRORS
        final = verdict.source.sha256 is not None and not passing
        self._note(verdict.source.uri, offset, verdict.id, verdict.outcome if final else None)

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
                if offset not in self._superseded:
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
            if self._superseded or self._amend:
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
        self._latest = {uri: (moved[at], name) for uri, (at, name) in self._latest.items()}
        self._superseded = set()

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
