"""The local file that an object is fetched into: for this user alone, written off the loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from vscan.errors import OutputError

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


class ScratchFile:
    """A file, empty and of mode 0600 on entry. Every method raises OutputError where the system
    cannot write."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        try:
            descriptor = os.open(self._path, _FLAGS, 0o600)
            # Buffered for its lock: a write that is still under way when the fetch is cancelled is
            # waited for, and does not end in another file that got the same number.
            self._file = os.fdopen(descriptor, "wb")
            os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What `finish` did not write is of a file that nobody wants any more.
        with contextlib.suppress(OSError):
            self._file.close()

    def rewind(self, position: int) -> None:
        """Goes on at a position; what stood behind it is gone."""
        try:
            self._file.seek(position)
            self._file.truncate()
        except OSError as error:
            raise self._unwritable(error) from error

    async def write(self, data: bytearray) -> None:
        """Writes all of it, in a thread: a slow disk must not stop the other fetches."""
        try:
            await asyncio.to_thread(self._file.write, data)
        except OSError as error:
            raise self._unwritable(error) from error

    async def finish(self) -> None:
        """Writes what is still in memory."""
        try:
            await asyncio.to_thread(self._file.flush)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._path}: the fetched object cannot be written: {error.strerror or error}",
            remedy="free space, or name a folder that has room for the scratch files",
        )


def remove(path: Path) -> None:
    """Takes a file away that is not whole; all is well where it is gone, or cannot be removed."""
    with contextlib.suppress(OSError):
        path.unlink()
