"""The decision log: decisions are appended, in a chain of hashes, and never changed.

with DecisionLog(Path("decisions.db"), create=True) as log:
    head = log.append(decision)
    for decision in log.of_verdict("v_…"): ...
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from vscan.decisions.decision import FOLLOWS, Decision, parse_decision
from vscan.decisions.log_file import BEFORE_THE_FIRST, connect, translated
from vscan.errors import DecisionError, DecisionLogError


def chained(previous: str, decision: bytes) -> str:
    """The hash of a row: SHA-256 over the hash before it and the decision's canonical JSON."""
    return hashlib.sha256(previous.encode("ascii") + decision).hexdigest()


class DecisionLog:
    """A log on disk. Several processes may append to it; each append is one transaction, which is
    on the disk when it returns (WAL, synchronous FULL).

    create: make the log where there is no file. Raises DecisionLogError where it is absent, no
    decision log, of another version or damaged, here and in every method.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._connection = connect(path, create=create)

    def append(self, decision: Decision) -> str:
        """Add a decision; the new head, which a reader of `verify` may hold the log against.

        Raises DecisionError where its id is taken, or where what it is about does not fit.
        """
        with self.appending():
            self.add(decision)
            return self.head

    @contextmanager
    def appending(self) -> Iterator[None]:
        """A transaction for several `add`: all of them are in the log when it ends, or none."""
        with translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def add(self, decision: Decision) -> None:
        """Add a decision within `appending`. Raises DecisionError as `append` does."""
        if self.get(decision.id) is not None:
            raise DecisionError(f"{decision.id} is in the log already", remedy="give it another id")
        self._check_about(decision)
        text, previous = decision.canonical(), self.head
        with translated(self.path):
            self._connection.execute(
                "INSERT INTO decisions (seq, decision, previous, hash)"
                " VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM decisions), ?, ?, ?)",
                (text.decode(), previous, chained(previous, text)),
            )

    def _check_about(self, decision: Decision) -> None:
        if decision.about is None:
            return
        earlier = self.get(decision.about)
        if earlier is None:
            raise DecisionError(
                f"{decision.about}, which it is about, is not in the log",
                remedy="`vscan review list` shows the ids of all decisions",
            )
        if earlier.kind not in FOLLOWS[decision.kind]:
            kinds = ", ".join(FOLLOWS[decision.kind])
            raise DecisionError(
                f"{decision.kind} cannot follow {earlier.id}, which is {earlier.kind}",
                remedy=f"it follows one of: {kinds}",
            )
        if (earlier.verdict, earlier.policy) != (decision.verdict, decision.policy):
            raise DecisionError(
                f"{earlier.id}, which it is about, rules on {earlier.verdict} under "
                f"{earlier.policy or 'no policy'}",
                remedy="name the same verdict and policy",
            )
        if decision.kind == "second" and earlier.reviewer == decision.reviewer:
            raise DecisionError(
                f"{earlier.id} is by {earlier.reviewer} as well",
                remedy="a second review is another person's",
            )

    @property
    def head(self) -> str:
        """The hash of the last row; 64 zeros where there is none."""
        with translated(self.path):
            row = self._connection.execute(
                "SELECT hash FROM decisions ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        return BEFORE_THE_FIRST if row is None else str(row[0])

    def get(self, decision_id: str) -> Decision | None:
        """The decision of that id."""
        return next(self._rows("WHERE id = ?", decision_id), None)

    def decisions(self) -> Iterator[Decision]:
        """All of them, in the order in which they came."""
        return self._rows("ORDER BY seq")

    def of_verdict(self, verdict: str) -> Iterator[Decision]:
        """Those on one verdict, in the order in which they came."""
        return self._rows("WHERE verdict = ? ORDER BY seq", verdict)

    def _rows(self, which: str, *values: str) -> Iterator[Decision]:
        query = f"SELECT seq, decision FROM decisions {which}"  # noqa: S608 -- `which` is ours
        with translated(self.path):
            for seq, text in self._connection.execute(query, values):
                try:
                    yield parse_decision(text.encode())
                except (DecisionError, AttributeError) as error:
                    raise DecisionLogError(
                        f"{self.path}: row {seq} is no decision",
                        remedy="see `vscan review verify`; go on from a copy or an export",
                    ) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The database at one moment: what others append meanwhile is not seen."""
        with translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        with translated(self.path):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
