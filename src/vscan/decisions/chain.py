"""Whether a decision log is what was written: every row's hash, from the first to the head."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass

from vscan.decisions.decision import parse_decision
from vscan.decisions.log import DecisionLog, chained
from vscan.decisions.log_file import BEFORE_THE_FIRST, SCHEMA
from vscan.errors import DecisionError, UsageError


@dataclass(frozen=True)
class Verified:
    """What walking the chain came to."""

    rows: int
    """Rows that hold, from the first on."""
    head: str
    """Hash of the last of them."""
    problem: str | None
    """The first thing that does not hold; null where the log is whole."""


def verify(log: DecisionLog, *, head: str | None = None) -> Verified:
    """Walks the chain, and looks at the guards and at SQLite's own structure.

    A chain whose last rows were cut off is a chain. head: one that was written down earlier, 64
    hexadecimal digits: it must still be the hash of some row, and all rows up to it are then what
    they were. Raises UsageError where `head` is no hash, DecisionLogError where SQLite cannot read.
    """
    if head is not None and not re.fullmatch("[0-9a-f]{64}", head):
        raise UsageError(
            f"--head {head!r} is no hash", remedy="give the 64 hexadecimal digits as they were told"
        )
    with log.reading() as connection:
        rows, last, seen = 0, BEFORE_THE_FIRST, head in (None, BEFORE_THE_FIRST)
        for row in connection.execute(
            "SELECT seq, CAST(decision AS BLOB), CAST(previous AS BLOB), CAST(hash AS BLOB)"
            " FROM decisions ORDER BY seq"
        ):
            problem = _problem(row, rows, last)
            if problem is not None:
                return Verified(rows, last, problem)
            rows, last = rows + 1, row[3].decode()
            seen = seen or last == head
        if not seen:
            return Verified(
                rows, last, f"no row has the head {head}: the log was cut off or written anew"
            )
        return Verified(rows, last, _guards(connection) or _structure(connection))


def _problem(
    row: tuple[int, bytes | None, bytes | None, bytes | None], rows: int, last: str
) -> str | None:
    """What is wrong with a row. rows: that came before it; last: the hash of the last of them."""
    seq, decision, previous, digest = row
    if seq != rows + 1:
        return f"row {rows + 1} is missing: row {seq} comes after row {rows}"
    if not _holds(decision, previous, digest):
        return f"row {seq} was changed: its hash is not that of what it holds"
    if previous != last.encode():
        return (
            f"row {seq} does not follow row {rows}: a row was removed, put in, swapped or rewritten"
        )
    try:
        known = parse_decision(decision or b"").canonical() == decision
    except DecisionError:
        known = False
    return None if known else f"row {seq} is no decision as vscan writes one"


def _holds(decision: bytes | None, previous: bytes | None, digest: bytes | None) -> bool:
    if decision is None or previous is None or not previous.isascii():
        return False
    return chained(previous.decode(), decision).encode() == digest


def _guards(connection: sqlite3.Connection) -> str | None:
    """Whether the triggers that refuse changes, and all else of the schema, are as they were."""
    query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in SCHEMA:
            fresh.execute(statement)
        expected = dict(fresh.execute(query).fetchall())
    found = dict(connection.execute(query).fetchall())
    changed = sorted(
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    )
    return f"the schema is not what vscan made: {', '.join(changed)}" if changed else None


def _structure(connection: sqlite3.Connection) -> str | None:
    told = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    return None if told == "ok" else f"SQLite finds the file damaged: {told}"
