"""Verdict files read at random: where each source's line stands, for files of any size.

with VerdictFiles([Path("a.jsonl"), Path("b.jsonl")]) as files:
    places = files.latest(0)
    files.line(places["clips/a.mp4"])
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson

from vscan.errors import OutputError
from vscan.store.lines import StoredLine, read_lines

MOST_OPEN = 64
"""Files open at the same time: an array job may leave a thousand."""


@dataclass(frozen=True, slots=True)
class Place:
    """A record in one of several files. Holds no text, so that millions fit into memory."""

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


class VerdictFiles:
    """Verdict files, open for reading."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self.torn: list[Path] = []
        """Of those whose places were asked for, those with a torn last line."""
        self._open: OrderedDict[int, BinaryIO] = OrderedDict()
        self._made_by: dict[bytes, bytes] = {}
        """Each once: a run's lines share one."""

    def latest(self, number: int) -> dict[str, Place]:
        """By URI, the record that counts in the file of that number.

        Raises OutputError where it cannot be read or holds something else.
        """
        found: dict[str, Place] = {}
        end = 0
        try:
            with self.paths[number].open("rb") as file:
                for stored in read_lines(file, name=str(self.paths[number])):
                    end = stored.end
                    place = self._place(number, stored)
                    older = found.get(stored.uri)
                    if older is None or older.gives_way_to(place):
                        found[stored.uri] = place
                if end < os.fstat(file.fileno()).st_size:
                    file.seek(end)
                    if file.read().strip():
                        self.torn.append(self.paths[number])
        except OSError as error:
            raise self._unread(number, error) from error
        return found

    def _place(self, number: int, stored: StoredLine) -> Place:
        provenance = orjson.dumps(stored.record.get("provenance"), option=orjson.OPT_SORT_KEYS)
        made_by = _short(provenance)
        return Place(
            file=number,
            offset=stored.offset,
            size=stored.end - stored.offset,
            final=stored.is_final,
            digest=_short(stored.line),
            made_by=self._made_by.setdefault(made_by, made_by),
        )

    def line(self, place: Place) -> bytes:
        """A record as it stands, with its line end.

        Raises OutputError where the file is no longer what it was when the place was noted.
        """
        line = self._bytes(place.file, place.offset, place.size).rstrip(b"\r\n")
        if _short(line) != place.digest:
            raise OutputError(
                f"{self.paths[place.file]}: changed while it was read",
                remedy="run the same command again when no scan writes to it",
            )
        return line + b"\n"

    def record(self, place: Place) -> dict[str, Any]:
        """A record as plain values."""
        record: dict[str, Any] = orjson.loads(self.line(place))
        return record

    def _bytes(self, number: int, offset: int, size: int) -> bytes:
        try:
            return os.pread(self._file(number).fileno(), size, offset)
        except OSError as error:
            raise self._unread(number, error) from error

    def _file(self, number: int) -> BinaryIO:
        file = self._open.pop(number, None)
        if file is None:
            if len(self._open) >= MOST_OPEN:
                self._open.popitem(last=False)[1].close()
            file = self.paths[number].open("rb")
        self._open[number] = file
        return file

    def _unread(self, number: int, error: OSError) -> OutputError:
        return OutputError(
            f"{self.paths[number]}: cannot be read ({error.strerror})",
            remedy="give files that `vscan scan -o FILE` wrote",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()


def _short(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:8]
