"""The SQLite file of a decision log: its tables, how it is made and opened, what SQLite says."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vscan.errors import DecisionLogError

APPLICATION = 0x76736C67
"""`vslg` in the file's header: a file without it is no decision log."""
VERSION = 1
BEFORE_THE_FIRST = "0" * 64
"""What stands as `previous` in the first row, and the head of an empty log."""
WAIT_S = 30.0
"""How long an append waits for another process to end its own."""
SCHEMA = (
    """CREATE TABLE decisions (
  seq INTEGER PRIMARY KEY,
  decision TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  id TEXT GENERATED ALWAYS AS (json_extract(decision, '$.id')) VIRTUAL,
  verdict TEXT GENERATED ALWAYS AS (json_extract(decision, '$.verdict')) VIRTUAL
)""",
    "CREATE UNIQUE INDEX decisions_by_id ON decisions (id)",
    "CREATE INDEX decisions_by_verdict ON decisions (verdict)",
    """CREATE TRIGGER decisions_are_not_changed BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'the decision log is append-only'); END""",
    """CREATE TRIGGER decisions_are_not_removed BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'the decision log is append-only'); END""",
    # INSERT OR REPLACE removes rows without asking the trigger for DELETE.
    """CREATE TRIGGER decisions_follow_each_other BEFORE INSERT ON decisions
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM decisions)
  OR EXISTS (SELECT 1 FROM decisions WHERE id = json_extract(NEW.decision, '$.id'))
BEGIN SELECT RAISE(ABORT, 'the decision log is append-only'); END""",
)


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """The log at `path`, open for appending. create: make it where there is no file.

    Raises DecisionLogError where it is absent, no decision log, of another version, or damaged.
    """
    if create and not path.exists():
        _make(path)
    if not path.is_file():
        raise DecisionLogError(
            f"{path}: no such decision log",
            remedy="check the path; `vscan review decide` and `import` make a log",
        )
    with translated(path), _closed_on_error(_connection(path)) as connection:
        ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if not ours:
            raise _foreign(path)
        if version != VERSION:
            raise DecisionLogError(
                f"{path}: a decision log of version {version}, this vscan reads {VERSION}",
                remedy="use the vscan that wrote it, and import what it exports",
            )
        return connection


def _connection(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=WAIT_S)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _make(path: Path) -> None:
    """An empty log that appears under its name whole, for whoever comes first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with translated(path), contextlib.closing(_connection(unfinished)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise DecisionLogError(
            f"{path}: cannot be made ({error.strerror})",
            remedy="choose a folder of a local disk that you may write to",
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Makes the new name survive a power cut, where the system lets a folder be synced."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """What SQLite says of the file at `path`, as DecisionLogError."""
    try:
        yield
    except sqlite3.Error as error:
        raise _told(path, error) from error


def _told(path: Path, error: sqlite3.Error) -> DecisionLogError:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_NOTADB":
        return _foreign(path)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DecisionLogError(
            f"{path}: another process has been writing for {WAIT_S:g} seconds",
            remedy="nothing was written; wait for it to end, and run the same command again",
        )
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return DecisionLogError(
            f"{path}: the system refuses ({error})",
            remedy="nothing was written; free space, or see who may write to the file and folder",
        )
    return DecisionLogError(
        f"{path}: damaged ({error})",
        remedy="keep the file as it is, and go on from a copy or an export",
    )


def _foreign(path: Path) -> DecisionLogError:
    return DecisionLogError(
        f"{path}: not a decision log", remedy="give a file that `vscan review decide` wrote"
    )
