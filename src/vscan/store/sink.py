"""Where a run's verdicts go: what every output can do, and the one that keeps nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from vscan.verdicts import Verdict


class RecordSink(Protocol):
    """Where verdicts go; used from one thread."""

    def is_done(self, verdict_id: str) -> bool:
        """True if a final record of that id is already there."""
        ...

    def outcome_of(self, verdict_id: str) -> str | None:
        """The outcome of the final record of that id; None where it is not there."""
        ...

    def content_of(self, uri: str, version: str) -> str | None:
        """SHA-256 of an object when it had that version, by a final record there; else None."""
        ...

    def done_keys(self) -> Iterable[int]:
        """The keys (`name_keys.key_of`) of the ids of all final records that are there."""
        ...

    def write(self, verdict: Verdict) -> None:
        """Append one record; handed on at once, or with the next part (`RecordParts`)."""
        ...

    def lines(self) -> Iterator[bytes]:
        """The records that earlier runs have left there."""
        ...

    def amend_on_close(self, amend: Callable[[bytes], bytes]) -> None:
        """Lets `amend` write every line anew when the output is finished, where it can be."""
        ...

    def keep_empty(self) -> None:
        """Leave an output also where no record comes."""
        ...

    def finish(self) -> None:
        """Leave the output in its final state: no record comes after this."""
        ...

    def close(self) -> None:
        """Finish where that was not done, and let go of the output."""
        ...


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

    def content_of(self, uri: str, version: str) -> str | None:
        """Always None: a pipe keeps nothing."""
        return None

    def done_keys(self) -> Iterable[int]:
        """None: a pipe keeps nothing."""
        return ()

    def write(self, verdict: Verdict) -> None:
        """Write one record and flush. BrokenPipeError passes through: the reader has gone."""
        self._out.write(verdict.to_line())
        self._out.flush()

    def lines(self) -> Iterator[bytes]:
        """None: a pipe keeps nothing."""
        return iter(())

    def amend_on_close(self, amend: Callable[[bytes], bytes]) -> None:
        """Nothing to do: what was written is gone."""

    def keep_empty(self) -> None:
        """Nothing to do: a stream is there anyway."""

    def finish(self) -> None:
        """Nothing to do: each record was flushed."""

    def close(self) -> None:
        """Nothing to do: the stream is not ours."""
