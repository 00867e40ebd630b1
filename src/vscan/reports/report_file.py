"""A file that a report goes to: proven writable before the work, there only when it is whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from vscan.errors import OutputError, UsageError
from vscan.storage import output_error
from vscan.store.locked import open_locked
from vscan.store.replaced import replacing


class _Unfinished(Exception):  # noqa: N818 -- no error: it tells `replacing` to leave nothing
    pass


class ReportFile:
    """Bytes for one file, which takes its place with `finish`, or not at all with `close`.

    Beside it lies a locked new file from the start, so a place where it cannot be written is
    refused before the work, and so is a second run that writes the same file. What goes wrong while
    it is written is told by `finish`, for a full disk must not cost what is printed as well.
    """

    def __init__(
        self,
        path: Path,
        *,
        option: str,
        force: bool = False,
        inputs: Sequence[Path] = (),
        private: bool = False,
    ) -> None:
        """force: whether a file that is there is replaced; one of `inputs` never is. private: its
        owner alone may read it (0600).

        option: the command's option that names the file, for messages. Raises UsageError for a file
        that may not be replaced, OutputError for one that cannot be written.
        """
        self.path, self._option, self._force = path, option, force
        self._failed: OSError | None = None
        self._refuse(inputs)
        with ExitStack() as stack:
            try:
                if path.exists():
                    # The lock keeps a scan from appending to what is about to be replaced.
                    stack.enter_context(closing(open_locked(path.resolve())))
                self._out = stack.enter_context(replacing(path, private=private))
            except OSError as error:
                raise output_error(path, error) from error
            self._stack = stack.pop_all()

    def write(self, data: bytes) -> None:
        """Append bytes; nothing where that failed before."""
        if self._failed is None:
            try:
                self._out.write(data)
            except OSError as error:
                self._failed = error

    def finish(self) -> None:
        """Put the file in its place. Raises OutputError where it cannot be, or not be written."""
        if self._failed is not None:
            self.close()
            raise output_error(self.path, self._failed) from self._failed
        if not self._force and os.path.lexists(self.path):
            self.close()
            raise self._taken("has been made by another program meanwhile", OutputError)
        try:
            self._stack.close()
            self._out.close()
        except OSError as error:
            raise output_error(self.path, error) from error

    def close(self) -> None:
        """Leave nothing behind of a file that was not finished."""
        with suppress(_Unfinished), self._stack:
            raise _Unfinished

    def _refuse(self, inputs: Sequence[Path]) -> None:
        path = self.path
        try:
            status = path.stat()
        except FileNotFoundError:
            if os.path.lexists(path) and not self._force:
                raise self._taken("exists already", UsageError) from None
            return
        except OSError as error:
            raise output_error(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise OutputError(
                f"{path}: not a regular file",
                remedy=f"name a file with {self._option}",
            )
        if any(each.exists() and each.samefile(path) for each in inputs):
            raise UsageError(
                f"{path}: is one of the files to read",
                remedy=f"name another file with {self._option}",
            )
        if not self._force:
            raise self._taken("exists already", UsageError)

    def _taken(self, problem: str, kind: type[UsageError]) -> UsageError:
        return kind(
            f"{self.path}: {problem}",
            remedy=f"name another file with {self._option}, or add --force",
        )
