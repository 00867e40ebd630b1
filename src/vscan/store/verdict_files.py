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
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson

from vscan.errors import OutputError
from vscan.store.line_places import Place, Places
from vscan.store.lines import StoredLine, read_lines

MOST_OPEN = 64
"""Files open at the same time: an array job may leave a thousand."""


class VerdictFiles:
    """Verdict files, open for reading."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self.torn: list[Path] = []
        """Of those whose places were asked for, those with a torn last line."""
        self._open: OrderedDict[int, BinaryIO] = OrderedDict()

    def latest(self, number: int) -> Places:
        """By URI, the record that counts in the file of that number.

        Raises OutputError where it cannot be read or holds something else.
        """
        found = Places()
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
        return Place(
            file=number,
            offset=stored.offset,
            size=stored.end - stored.offset,
            final=stored.is_final,
            digest=_short(stored.line),
            made_by=_short(provenance),
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
