"""HTTP range requests on a file: what of it is asked for, and the answer (RFC 9110, 13.1.5, 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from starlette.responses import Response, StreamingResponse

from vscan.review.checked_files import CheckedFile

CHUNK_BYTES = 1 << 18
_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d*)-(\d*)[ \t]*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """Bytes from `start` up to, and without, `end`."""

    start: int
    end: int


class CutShortError(Exception):
    """A file that no longer holds what its answer, which is under way, has promised."""


class UnsatisfiableError(ValueError):
    """A range that begins behind the end of the file."""


def span_of(asked: str | None, size: int) -> Span | None:
    """The span that a Range header asks for of a file of `size` bytes; None for all of it.

    What is no range of bytes, and several ranges at once, is answered with the whole file, as a
    server may. Raises UnsatisfiableError.
    """
    told = _ONE_RANGE.fullmatch(asked) if asked is not None else None
    if told is None or told.groups() == ("", ""):
        return None
    first, last = told.groups()
    if len(first) > 18 or len(last) > 18:  # beyond any file, and dear to convert
        raise UnsatisfiableError
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise UnsatisfiableError
        return Span(size - length, size)
    start, end = int(first), min(int(last) + 1 if last else size, size)
    if last and int(last) < start:
        return None
    if start >= size:
        raise UnsatisfiableError
    return Span(start, end)


def ranged(
    file: CheckedFile, *, content_type: str, asked: str | None, if_range: str | None, head: bool
) -> Response:
    """The answer to GET, or HEAD, of a file: 200, 206 or 416. Raises ReviewError.

    asked, if_range: the headers Range and If-Range. A range counts only while the tag in If-Range
    is still the file's; a date there is never taken for the same content.
    """
    size = file.stamp.bytes
    headers = {"Accept-Ranges": "bytes", "ETag": file.etag}
    opened = file.open()
    try:
        # A Range header has no meaning with HEAD (RFC 9110, 14.2).
        valid = not head and if_range in (None, file.etag)
        span = span_of(asked if valid else None, size)
    except UnsatisfiableError:
        opened.close()
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    whole = Span(0, size) if span is None else span
    headers["Content-Length"] = str(whole.end - whole.start)
    if head:
        opened.close()
        return Response(headers=headers, media_type=content_type)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    return StreamingResponse(
        _pieces(opened, whole),
        status_code=200 if span is None else 206,
        headers=headers,
        media_type=content_type,
    )


def _pieces(file: BinaryIO, span: Span) -> Iterator[bytes]:
    with file:
        file.seek(span.start)
        left = span.end - span.start
        while left > 0:
            try:
                piece = file.read(min(left, CHUNK_BYTES))
            except OSError as error:
                raise CutShortError from error
            if not piece:
                raise CutShortError
            left -= len(piece)
            yield piece
