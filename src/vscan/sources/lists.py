"""Lists of inputs: a name a line, NUL-separated names, or JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import orjson

from vscan.at_hand import at_hand
from vscan.errors import UsageError
from vscan.names import shown
from vscan.remote.fetching import Fetching
from vscan.remote.redacted import redacted

LIST_CHUNK = 1 << 16
MAX_LIST_ENTRY = 1 << 20


def read_list(
    name: str, fetching: Fetching | None = None
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The (name, meta) pairs of a list: `-` is stdin.

    A name a line; blank lines and those that begin with `#` are passed over; a line that begins
    with `{` is a JSON object with `uri` and whatever else goes into the record's `source.meta`.
    Names end with NUL instead where the list begins so (`find -print0`). A list behind a URI is
    fetched first, by `fetching`. Raises UsageError.
    """
    if name == "-":
        yield from _entries(sys.stdin.buffer, "standard input")
        return
    try:
        with at_hand(name, fetching) as path, path.open("rb") as file:
            yield from _entries(file, shown(redacted(name)))
    except OSError as error:
        raise UsageError(
            f"{shown(redacted(name))}: the list cannot be read: {error.strerror}",
            remedy="--from-file takes a text file with a name a line, or - for standard input",
        ) from error


def _entries(file: BinaryIO, where: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    # A name may hold a line end, so one NUL in what comes first settles how names are parted.
    head = file.read1(LIST_CHUNK)  # type: ignore[attr-defined]  # buffered: BufferedReader
    by_line = b"\0" not in head
    for number, text in enumerate(_parted(head, file, b"\n" if by_line else b"\0", where), 1):
        entry = text.removesuffix(b"\r") if by_line else text
        if not entry or (by_line and entry.startswith(b"#")):
            continue
        if by_line and entry.startswith(b"{"):
            yield _object(entry, f"{where}, line {number}")
        else:
            yield os.fsdecode(entry), {}


def _parted(head: bytes, file: BinaryIO, separator: bytes, where: str) -> Iterator[bytes]:
    """The pieces between separators, as they arrive."""
    rest = b""
    part = head
    while part:
        *whole, rest = (rest + part).split(separator)
        yield from whole
        if len(rest) > MAX_LIST_ENTRY:
            raise UsageError(f"{where}: an entry of more than {MAX_LIST_ENTRY} bytes")
        part = file.read1(LIST_CHUNK)  # type: ignore[attr-defined]  # buffered, as above
    if rest:
        yield rest


def _object(text: bytes, where: str) -> tuple[str, Mapping[str, object]]:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(
            f"{where}: not a JSON object: {error}",
            remedy='write {"uri": "clips/a.mp4", "market": "DE"}, or plain names without braces',
        ) from error
    uri = data.pop("uri", None)
    if not isinstance(uri, str) or not uri:
        raise UsageError(f'{where}: the object has no "uri"', remedy='add "uri": "path/to/video"')
    return uri, data
