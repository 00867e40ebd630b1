"""Where lines of verdict files stand, a million of them in as few bytes as that takes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from operator import attrgetter

_PACKED = struct.Struct("=IQI?8s8s")
_FIELDS = attrgetter("file", "offset", "size", "final", "digest", "made_by")
"""Of a place, as they are packed."""


@dataclass(frozen=True, slots=True)
class Place:
    """A record in one of several files. Holds no text."""

    file: int
    offset: int
    """Bytes from the start of the file to the line."""
    size: int
    """Of the line with its end, bytes."""
    final: bool
    """False for a source whose error may pass."""
    digest: bytes
    """8 bytes of the line's SHA-256, without its end."""
    made_by: bytes
    """8 bytes of the SHA-256 of its provenance: equal under the same configuration."""

    def gives_way_to(self, newer: Place) -> bool:
        """Whether `newer` stays of two records of a URI: unless it only says that the file could
        not be had, where this one is an answer."""
        return newer.final or not self.final


class Places(MutableMapping[str, Place]):
    """Places by URI. Holds each packed, in a third of the memory: `places[uri]` is made anew."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}

    def __getitem__(self, uri: str) -> Place:
        return Place(*_PACKED.unpack(self._packed[uri]))

    def __setitem__(self, uri: str, place: Place) -> None:
        self._packed[uri] = _PACKED.pack(*_FIELDS(place))

    def __delitem__(self, uri: str) -> None:
        del self._packed[uri]

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)
