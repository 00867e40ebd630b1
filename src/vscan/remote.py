"""What lies behind a URI: fsspec's file system for it, and its errors as the system's own."""

from __future__ import annotations

import re
from typing import Any

from vscan.errors import UsageError

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
"""Scheme of a URI -> the extra of vscan that reads it."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def scheme_of(name: str) -> str | None:
    """The scheme of a URI in lower case, None for a plain path."""
    match = _SCHEME.match(name)
    return match.group(1).lower() if match else None


def file_system(uri: str) -> Any:
    """fsspec's file system for a URI, by its scheme alone: no chains of several.

    Raises UsageError where the scheme is unknown or its extra of vscan is not installed.
    """
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
        raise UsageError(f"{uri}: cannot be opened: {one_line(error)}") from error


def path_of(system: Any, uri: str) -> str:
    """A URI as its file system names it."""
    return str(system._strip_protocol(uri))


def remote_error(error: BaseException) -> OSError:
    """What a service said, as the error that the system has for it."""
    # fsspec calls whatever went wrong over HTTP a file that is not there: the cause knows better,
    # unless it is but the key of a table in memory.
    if error.__cause__ is not None and not isinstance(error.__cause__, LookupError):
        error = error.__cause__
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError | NotADirectoryError) or status in (404, 410):
        return FileNotFoundError(one_line(error))
    if isinstance(error, PermissionError) or status in (401, 403):
        return PermissionError(f"access is denied: {one_line(error)}")
    return OSError(one_line(error))


def one_line(error: BaseException) -> str:
    """What an error says, on one line of at most 300 characters."""
    return " ".join(str(error).split())[:300] or type(error).__name__
