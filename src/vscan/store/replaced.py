"""A file made anew beside the one whose place it takes: whole, synced, or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO
from pathlib import Path

from vscan.store.locked import lock

PRIVATE = 0o600
"""Mode of a file that its owner alone may read."""


def beside(path: Path) -> Path:
    """Where the new file lies while it is made; a killed run may leave it, the next one uses it."""
    real = path.resolve()
    return real.with_name(f".{real.name}.rewrite")


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[BufferedWriter[FileIO]]:
    """A file to write; it takes the place of `path` when the block ends, unless that raised.

    A link is followed: what it leads to is replaced. The new file has the old one's mode; a private
    one is its owner's alone from the start (0600), whatever the old one's mode was. It is locked
    from the start and stays open when the block has ended, for the caller to go on with or to
    close. Raises OSError where the system refuses, and OutputError where another run is at it.
    """
    real, temporary = path.resolve(), beside(path)
    raw = _made(temporary, path, mode=PRIVATE if private else 0o644)
    out = BufferedWriter(raw)
    try:
        raw.truncate(0)
        yield out
        out.flush()
        with contextlib.suppress(FileNotFoundError):
            if not private:
                os.fchmod(raw.fileno(), real.stat().st_mode & 0o777)
        os.fsync(raw.fileno())
        temporary.replace(real)
    except BaseException:
        temporary.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            raw.close()
        raise
    _sync_folder(real.parent)


def _made(temporary: Path, path: Path, *, mode: int) -> FileIO:
    # Links are not followed here, so that nobody can lay one that leads to another's file.
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    raw = FileIO(os.open(temporary, flags, mode), "r+b")
    lock(raw, path)
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(raw.fileno()), temporary.stat()):
            if mode == PRIVATE:  # A killed run may have left the file with another mode.
                os.fchmod(raw.fileno(), mode)
            return raw
    raw.close()  # Another run has just put it in its place: that is no file to write over.
    return _made(temporary, path, mode=mode)


def _sync_folder(folder: Path) -> None:
    """Makes the new name survive a power cut, where the system lets a folder be synced."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
