"""What each provider's file answers to: an object's head, a page of a listing, a range of bytes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from vscan.remote.answers import BadBody
from vscan.remote.places import Place, Selection
from vscan.remote.remote_object import RemoteObject

CONNECT_S = 10
"""Seconds within which a connection must stand."""
SILENCE_S = 30
"""Seconds without a byte after which a request is given up."""
PAGE_KEYS = 1000
"""Keys that a page of a listing holds at most."""
CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Page:
    """One page of a listing."""

    objects: list[RemoteObject]
    following: str | None
    """What the next page is asked for with; None after the last one."""


@dataclass(frozen=True)
class Part:
    """Bytes of an object, on their way."""

    object: RemoteObject
    """The object as this answer tells of it, size of the whole included."""
    start: int
    """Where in the object they begin."""
    length: int | None
    """How many were promised; None where the service did not say (it marks the end instead)."""
    chunks: AsyncIterator[bytes]


class Service(Protocol):
    """A provider. Errors are those of its library, for `answers.answer_of`.

    Every method sends its requests once: `retrying.retried` is what sends them again.
    """

    async def head(self, place: Place) -> RemoteObject:
        """The object of that name, with what pins its content."""

    async def page(self, place: Place, selection: Selection, token: str | None) -> Page:
        """A page of what a bucket holds below `selection.prefix`, in the service's order.

        token: the page before's `following`. Keys are not yet held against the pattern. Raises
        UsageError where the service has no listings.
        """

    def read(
        self, pinned: RemoteObject, place: Place, start: int, end: int | None
    ) -> AbstractAsyncContextManager[Part]:
        """The bytes from `start` up to `end` (exclusive; None: all) of one version of an object.

        A service that knows no ranges answers with the whole. Raises Changed, or the library's
        error with status 412, where the object is of another version.
        """


_CONTENT_RANGE = re.compile(r"bytes\s+(?:(\d+)-(\d+)|\*)/(\d+|\*)", re.IGNORECASE)


def content_range(told: object) -> tuple[int, int, int | None]:
    """Start, length and size of the whole of a Content-Range; the size None where it is `*`.

    Of a range that cannot be satisfied (`bytes */10`) start and length are 0. Raises BadBody.
    """
    match = _CONTENT_RANGE.fullmatch(str(told or "").strip())
    if match is None:
        raise BadBody("an answer with a range that cannot be read")
    first, last, whole = match.groups()
    size = None if whole == "*" else int(whole)
    if first is None:
        return 0, 0, size
    return int(first), int(last) - int(first) + 1, size


def objects_of(place: Place, told: Iterable[tuple[str, int, str | None]]) -> list[RemoteObject]:
    """Objects of (key, bytes, version)."""
    return [
        RemoteObject(uri=place.uri_of(key), bytes=size, version=version)
        for key, size, version in told
    ]
