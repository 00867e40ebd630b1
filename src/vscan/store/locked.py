"""Opening an output that one run at a time may write, and that another may just have replaced."""

from __future__ import annotations

import fcntl
import os
from io import FileIO
from pathlib import Path

from vscan.errors import OutputError


def open_locked(path: Path) -> FileIO:
    """The file, made where it is not, with an exclusive lock that ends with it.

    It is unbuffered: what a full disk refuses is not kept to be tried again behind one's back.
    Raises OutputError where it cannot be written, is no regular file, or another run has it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be opened for writing ({error.strerror})",
            remedy="choose another -o, in a folder that exists and that you may write to",
        ) from error
    file = FileIO(descriptor, "r+b")
    lock(file, path)
    if not path.is_file():
        file.close()
        raise OutputError(f"{path}: not a regular file", remedy="leave -o out to write to stdout")
    if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
        # The run that held the lock has just put its rewritten file in this one's place.
        file.close()
        return open_locked(path)
    return file


def lock(file: FileIO, path: Path) -> None:
    """Take the exclusive lock of an open file; OutputError, and the file closed, where another
    run has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise OutputError(
            f"{path}: another run is writing this file",
            remedy="wait for it to end, or choose another -o",
        ) from error
