"""The lines of a verdict file as they are read: whole or torn, whose, and final or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from vscan.errors import OutputError
from vscan.store.record_shape import has_shape

LINE_START = b'{"schema":"vscan.verdict/'
"""How every record begins: a last line that begins otherwise is not ours to drop."""
PASSING_ERRORS = frozenset(
    {
        "deadline",
        "memory_limit",
        "too_large",
        "worker_died",
        "store_damaged",
        "fetch_failed",
        "internal",
    }
)
"""Errors that more time, memory or another day may mend: a later run tries such files again."""


def _is_torn(line: bytes) -> bool:
    """Whether a last line without a newline is the beginning of a record, and not a whole one."""
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        # A power cut may leave NULs where the bytes had not come to the disk.
        begun = line.rstrip(b"\0")
        return begun[: len(LINE_START)] == LINE_START[: len(begun)]
    return False


@dataclass(frozen=True)
class StoredLine:
    """One line of a record file, parsed."""

    offset: int
    """Bytes from the start of the file to the line."""
    end: int
    """Bytes from the start of the file to the next line."""
    record: dict[str, Any]
    line: bytes
    """As it stands, without its end."""

    @property
    def uri(self) -> str:
        """The source's name, as written in the record."""
        return str(self.record["source"]["uri"])

    @property
    def is_final(self) -> bool:
        """False for a source whose error may pass: a later run tries it again."""
        error = self.record.get("error")
        hashed = self.record["source"].get("sha256") is not None
        return hashed and (error is None or error.get("code") not in PASSING_ERRORS)


def read_lines(file: BinaryIO, *, name: str) -> Iterator[StoredLine]:
    """The records of a verdict file in file order; a torn last line is passed over.

    Raises OutputError naming the line when a line is not a verdict, or the torn beginning of one.
    """
    offset = 0
    for number, line in enumerate(file, start=1):
        if not line.endswith(b"\n") and _is_torn(line):
            return
        if line.strip():
            try:
                record = orjson.loads(line)
                known = has_shape(record) and record["schema"].startswith("vscan.verdict/")
            except orjson.JSONDecodeError:
                known = False
            if not known:
                raise OutputError(
                    f"{name}: line {number} is not a vscan verdict",
                    remedy="give another file, or mend or remove that line",
                )
            yield StoredLine(offset, offset + len(line), record, line.rstrip(b"\r\n"))
        offset += len(line)
