"""The lock of an exemplar index: one writer at a time, and none left behind by a dead one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vscan.errors import ExemplarIndexError

LOCK_NAME = "lock"


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Holds the lock of the index in `path`, which the system releases however the process ends.

    Raises ExemplarIndexError where another process holds it, or the folder cannot be written to.
    """
    try:
        descriptor = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ExemplarIndexError(
            f"{path}: cannot be written to: {error.strerror or error}",
            remedy="check the folder's permissions, or copy the index to a place of your own",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ExemplarIndexError(
                f"{path}: another vscan is writing to this index",
                remedy="wait for it to end and try again; reading goes on meanwhile",
            ) from error
        yield
    finally:
        os.close(descriptor)
