"""The one place that opens files: sources to read, outputs to write, each error translated once.

A file here is a local one: of what lies behind a URI `at_hand.py` and `scratch.py` make a copy
first. Folders may lie behind a URI: they are read here (`read_under`), written, listed and cleared
by `folders.py`; what fsspec gives and says is in `remote/`.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from vscan.errors import OutputError, SourceError, UsageError
from vscan.remote.answers import remote_error
from vscan.remote.redacted import redacted
from vscan.remote.systems import EXTRAS, file_system, path_of
from vscan.remote.systems import scheme_of as scheme_of

READ_BYTES = 1 << 24
"""At most so much is asked for at once of a file that is longer than it said."""


@dataclass(frozen=True)
class FileStamp:
    """A file at a moment: what differs where it was written to, or where it is another one."""

    device: int
    inode: int
    bytes: int
    modified_ns: int


def local_path(name: str) -> Path:
    """The local path that a name or a `file://` URI means.

    An existing file wins over what its name looks like. Raises UsageError for any other scheme.
    """
    if "\0" in name:
        raise UsageError(f"name with a NUL byte: {name!r}")
    scheme = scheme_of(name)
    if scheme is None or os.path.lexists(name):
        return Path(name)
    if scheme == "file":
        try:
            parts = urlsplit(name)
        except ValueError as error:
            raise UsageError(f"{name}: not a URI: {error}") from error
        if parts.netloc not in ("", "localhost"):
            raise UsageError(f"{name}: a file:// URI must name a file of this machine")
        return Path(unquote(parts.path, errors="surrogateescape"))
    if scheme in EXTRAS:
        raise UsageError(
            f"{redacted(name)}: a file of this machine is wanted here",
            remedy="copy it to this machine and give its path",
        )
    raise UsageError(
        f"{redacted(name)}: {scheme}:// is unknown",
        remedy=f"use a local path, or one of {', '.join(sorted(EXTRAS))}",
    )


def open_source(path: Path) -> BinaryIO:
    """A source, open for reading, unbuffered. Never blocks: a FIFO or device is refused unread.

    Raises SourceError: `not_found`, `not_a_file`, `permission_denied`, `empty_file`, `read_failed`.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        # Opening some devices has effects, so look before opening and again at what was opened.
        _check_regular(path.stat())
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise source_error(error) from error
    try:
        status = os.fstat(descriptor)
        _check_regular(status)
        if status.st_size == 0:
            raise SourceError("empty_file", "the file is empty", remedy="fetch or copy it again")
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def stamp_of(file: BinaryIO) -> FileStamp:
    """Which file it is, and of which moment. Raises SourceError."""
    try:
        status = os.fstat(file.fileno())
    except OSError as error:
        raise source_error(error) from error
    return FileStamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def changed_while_read() -> SourceError:
    """What to say of a file whose stamp is no longer the same: nobody knows what was looked at."""
    return SourceError(
        "changed_while_read",
        "the file changed while it was read",
        remedy="scan it again once nothing writes to it",
    )


def source_error(error: Exception) -> SourceError:
    """What the system says of a source, as a SourceError."""
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SourceError("not_found", "there is no file of this name", remedy="check the path")
    if isinstance(error, IsADirectoryError):
        return SourceError("not_a_file", "it is a folder, not a file")
    if isinstance(error, PermissionError):
        return SourceError(
            "permission_denied", "the file may not be read", remedy="check its permissions"
        )
    return SourceError("read_failed", f"the system cannot read it: {reason}")


def read_bytes(path: Path, *, limit: int) -> bytes:
    """A whole configuration file of at most `limit` bytes. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path}: cannot be read: {reason}", remedy="check the path") from error
    if len(data) > limit:
        raise UsageError(f"{path}: larger than the {limit} bytes that are read")
    return data


def location(name: Path | str) -> Path | str:
    """Where a name means: a local path, or a URI that `read_under` can read below.

    A plain name and a `file://` URI are local, and so is what exists under the name. Raises
    UsageError for a scheme that vscan does not read.
    """
    if isinstance(name, Path):
        return name
    scheme = scheme_of(name)
    if scheme in (None, "file") or "\0" in name or os.path.lexists(name):
        return local_path(name)
    file_system(name)
    return name.rstrip("/")


def read_under(root: Path | str, name: str, *, limit: int | None) -> bytes:
    """At most `limit` + 1 bytes of a file `name` in a folder, as `location` gave it; None: all.

    One byte more than the limit says that the file is longer. Raises FileNotFoundError,
    PermissionError or another OSError that says what the system or the service answered, and
    UsageError where the scheme's extra of vscan is not installed.
    """
    if isinstance(root, Path):
        # Joined as text: a frame store is read by the ten thousand files.
        return _read_regular(f"{root}/{name}", limit)
    uri = f"{root}/{name}"
    system = file_system(uri)
    try:
        if limit is None:
            whole: bytes = system.cat_file(path_of(system, uri))
            return whole
        with system.open(path_of(system, uri), "rb") as file:
            content: bytes = file.read(limit + 1)
    except Exception as error:
        raise remote_error(error) from error
    return content


def _read_regular(path: str, limit: int | None) -> bytes:
    # Opening a FIFO waits for a writer, so look before opening. As few calls as will do.
    status = os.stat(path)  # noqa: PTH116 -- a text: see read_under
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
    most = sys.maxsize if limit is None else limit + 1
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(descriptor, min(most, status.st_size + 1))
        if len(data) == min(most, status.st_size):
            return data
        parts = [data]
        while parts[-1] and (left := most - sum(map(len, parts))):
            parts.append(os.read(descriptor, min(left, READ_BYTES)))
        return b"".join(parts)
    finally:
        os.close(descriptor)


def ensure_folder(path: Path) -> None:
    """Makes a folder and those above it. Raises OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error


def atomic_write_bytes(path: Path, data: bytes, *, mode: int = 0o644, sync: bool = True) -> None:
    """Writes a file whole or not at all: a reader sees the old bytes or the new ones.

    sync: whether to wait until the disk has it. Without, a kill leaves the old or the new bytes as
    well, but a power cut shortly after may leave a shorter or empty file under the name. Raises
    OutputError; what stood there before is then untouched.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    except OSError as error:
        raise output_error(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
        if sync:
            _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise output_error(path, error) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def output_error(path: Path | str, error: OSError) -> OutputError:
    """What the system says of an output, as an OutputError."""
    reason = error.strerror or str(error)
    name = redacted(path) if isinstance(path, str) else path
    place = "folder exists, may be written to, and has room"
    if isinstance(path, str) and scheme_of(path) not in (None, "file"):
        place = "bucket exists, and that these credentials may write to it"
    return OutputError(f"{name}: cannot be written: {reason}", remedy=f"check that the {place}")


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    kinds = [
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ]
    kind = next((name for test, name in kinds if test(status.st_mode)), "something else")
    raise SourceError(
        "not_a_file", f"it is {kind}, not a file", remedy="give a regular file, or copy it into one"
    )


def _sync_folder(folder: Path) -> None:
    """Makes a rename survive a power cut, where the system lets a folder be synced."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
