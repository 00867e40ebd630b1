"""python-threatexchange's `local_file`: `signal_type signal` a line.

Source: facebook/ThreatExchange, `python-threatexchange/…/exchanges/impl/file_api.py`. Its variant
of bare hashes, where the type stands in that program's configuration, is a PDQ list if of PDQ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats.guards import lines_of, record, refuse
from vscan.exemplars.formats.record import HashRecord, kind_of
from vscan.exemplars.formats.tx_csv import name_of

NAME = "tx-local-file"


def read(data: bytes, where: str) -> Iterator[HashRecord]:
    """The hashes, in the file's order. Raises ExemplarIndexError naming the line."""
    for entry, (line, text) in enumerate(lines_of(data, where)):
        signal_type, _, value = text.strip().partition(" ")
        value = value.strip()
        if not value:
            refuse(where, line, f"a type and a hash are expected, got {text[:80]!r}")
        yield record(
            where,
            line,
            origin=NAME,
            signal_type=signal_type,
            value=value.lower() if kind_of(signal_type) == "pdq" else value,
            entry=entry,
        )


def write(records: Iterable[HashRecord]) -> bytes:
    """The lines. Raises ExemplarIndexError for what does not fit on one."""
    lines = []
    for each in records:
        name = name_of(each)
        if not name or not each.value or name.split() != [name]:
            raise ExemplarIndexError(f"{NAME} holds a type and a hash a line, got {name!r}")
        if each.value.strip() != each.value or "\n" in each.value:
            raise ExemplarIndexError(f"{NAME}: {each.value[:80]!r} does not fit on a line")
        lines.append(f"{name} {each.value}\n")
    return "".join(lines).encode()
