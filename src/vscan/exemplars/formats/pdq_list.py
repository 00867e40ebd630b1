"""PDQ hash lists: a hash a line, `hash=` before it or not, what is known of it after a comma.

Source: facebook/ThreatExchange, `pdq/cpp/io/hashio.cpp`. PDQ's own hasher writes `quality=N` among
what stands after the comma; it is read as the hash's quality and written back first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats.guards import lines_of, record
from vscan.exemplars.formats.record import HashRecord

NAME = "pdq-list"
_QUALITY = re.compile(r"quality=(100|[0-9]{1,2})")


def read(data: bytes, where: str) -> Iterator[HashRecord]:
    """The hashes, in the file's order. Raises ExemplarIndexError naming the line."""
    for entry, (line, text) in enumerate(lines_of(data, where)):
        digits, _, said = text.partition(",")
        pieces = said.split(",") if said else []
        quality = next((piece for piece in pieces if _QUALITY.fullmatch(piece)), None)
        if quality is not None:
            pieces.remove(quality)
        metadata = ",".join(pieces)
        yield record(
            where,
            line,
            origin=NAME,
            signal_type="pdq",
            value=digits.strip().removeprefix("hash=").lower(),
            quality=None if quality is None else int(quality.removeprefix("quality=")),
            extra={"metadata": metadata} if metadata else {},
            entry=entry,
        )


def write(records: Iterable[HashRecord]) -> bytes:
    """The lines. Of a list of another format, what names the entry there becomes metadata.

    Raises ExemplarIndexError for what is no PDQ hash, or does not fit on a line.
    """
    lines = []
    for each in records:
        if each.kind != "pdq" or each.withdrawn:
            raise ExemplarIndexError(
                f"{NAME} holds PDQ hashes, not {each.signal_type or 'entries without hashes'}"
            )
        quality = [] if each.quality is None else [f"quality={each.quality}"]
        line = ",".join([each.value, *quality, *_metadata(each)])
        if "\n" in line or "\r" in line:
            raise ExemplarIndexError(f"{NAME}: a line end in what is said of {each.value}")
        lines.append(line + "\n")
    return "".join(lines).encode()


def _metadata(record: HashRecord) -> Iterator[str]:
    if record.origin == NAME:
        said = record.extra.get("metadata")
        if said:
            yield str(said)
        return
    if record.source_id:
        yield f"id={record.source_id}"
    if record.time_s is not None:
        yield f"time_s={record.time_s}"
