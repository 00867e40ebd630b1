"""The one place that opens files: sources to read, outputs to write, each error translated once.

Sources and outputs are local files for now: a name with a scheme (`s3://…`) is refused with the
extra that it will need. Folders that are only read, as exemplar indexes, may lie behind a URI.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from vscan.errors import OutputError, SourceError, UsageError

EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "az": "azure",
    "abfs": "azure",
    "abfss": "azure",
    "http": "http",
    "https": "http",
}
"""Scheme of a URI -> the extra of vscan that will read it."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def scheme_of(name: str) -> str | None:
    """The scheme of a URI in lower case, None for a plain path."""
    match = _SCHEME.match(name)
    return match.group(1).lower() if match else None


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
        parts = urlsplit(name)
        if parts.netloc not in ("", "localhost"):
            raise UsageError(f"{name}: a file:// URI must name a file of this machine")
        return Path(unquote(parts.path, errors="surrogateescape"))
    extra = EXTRAS.get(scheme)
    wanted = f"reading {scheme}:// will need vscan[{extra}]" if extra else f"{scheme}:// is unknown"
    raise UsageError(
        f"{name}: only local files can be read so far; {wanted}",
        remedy="copy the file to this machine and give its path",
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
    _file_system(name)
    return name.rstrip("/")


def read_under(root: Path | str, name: str, *, limit: int) -> bytes:
    """At most `limit` + 1 bytes of a file `name` in a folder, as `location` gave it.

    One byte more than the limit says that the file is longer. Raises FileNotFoundError,
    PermissionError or another OSError that says what the system or the service answered, and
    UsageError where the scheme's extra of vscan is not installed.
    """
    if isinstance(root, Path):
        path = root / name
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError("it is not a regular file")
        with path.open("rb") as file:
            return file.read(limit + 1)
    uri = f"{root}/{name}"
    system = _file_system(uri)
    try:
        with system.open(system._strip_protocol(uri), "rb") as file:
            content: bytes = file.read(limit + 1)
    except Exception as error:
        raise _remote_error(error) from error
    return content


def _file_system(uri: str) -> Any:
    """fsspec's file system for a URI, by its scheme alone: no chains of several."""
    import fsspec

    scheme = scheme_of(uri) or ""
    extra = EXTRAS.get(scheme)
    if extra is None and scheme != "memory":
        raise UsageError(
            f"{uri}: {scheme}:// is unknown",
            remedy=f"use a local path, or one of {', '.join(sorted(EXTRAS))}",
        )
    try:
        kind = fsspec.get_filesystem_class(scheme)
        return fsspec.filesystem(scheme, **kind._get_kwargs_from_urls(uri))
    except ImportError as error:
        raise UsageError(
            f"{uri}: reading {scheme}:// needs vscan[{extra}]",
            remedy=f"install it: pip install 'vscan[{extra}]'",
        ) from error
    except Exception as error:
        raise UsageError(f"{uri}: cannot be opened: {_one_line(error)}") from error


def _remote_error(error: BaseException) -> OSError:
    """What a service said, as the error that the system has for it."""
    # fsspec calls whatever went wrong over HTTP a file that is not there: the cause knows better.
    error = error.__cause__ or error
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError | NotADirectoryError) or status in (404, 410):
        return FileNotFoundError(_one_line(error))
    if isinstance(error, PermissionError) or status in (401, 403):
        return PermissionError(f"access is denied: {_one_line(error)}")
    return OSError(_one_line(error))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def ensure_folder(path: Path) -> None:
    """Makes a folder and those above it. Raises OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error


def atomic_write_bytes(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Writes a file whole or not at all: a reader sees the old bytes or the new ones.

    Raises OutputError; what stood there before is then untouched.
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
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise output_error(path, error) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def output_error(path: Path, error: OSError) -> OutputError:
    """What the system says of an output, as an OutputError."""
    reason = error.strerror or str(error)
    return OutputError(
        f"{path}: cannot be written: {reason}",
        remedy="check that the folder exists, may be written to, and has room",
    )


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
