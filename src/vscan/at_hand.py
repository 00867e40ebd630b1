"""A file at hand for a name: the local one, or a copy of what lies behind a URI."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vscan.errors import SourceError, UsageError
from vscan.remote.fetching import Fetching
from vscan.remote.objects import is_remote
from vscan.remote.redacted import redacted
from vscan.storage import local_path


@contextmanager
def at_hand(
    name: str, fetching: Fetching | None = None, *, most_bytes: int | None = None
) -> Iterator[Path]:
    """A local file with the content of a path, a `file://` URI or a remote one, for a block.

    Of a remote one there is a copy, of one version, which goes when the block ends. most_bytes: a
    larger object is refused. Raises UsageError where a remote one cannot be had; of a local file
    nothing is asked.
    """
    if not is_remote(name):
        yield local_path(name)
        return
    with tempfile.TemporaryDirectory(prefix="vscan-copy-") as folder:
        copy = Path(folder) / "copy"
        fetch_to(name, copy, fetching, most_bytes=most_bytes)
        yield copy


def fetch_to(
    uri: str, copy: Path, fetching: Fetching | None = None, *, most_bytes: int | None = None
) -> None:
    """Copies a remote file, of one version, to a local one. Raises UsageError."""
    try:
        (fetching or Fetching()).fetch(uri, copy, most_bytes=most_bytes)
    except SourceError as error:
        name = redacted(uri)
        said = error.message if name in error.message else f"{name}: {error.message}"
        raise UsageError(said, remedy=error.remedy) from error


def content_at_hand(name: str, *, limit: int) -> bytes:
    """The whole of a remote file of at most `limit` bytes. Raises UsageError."""
    with at_hand(name, most_bytes=limit) as copy:
        return copy.read_bytes()
