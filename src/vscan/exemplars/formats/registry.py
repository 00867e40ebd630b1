"""The interchange formats by name: how each is read and written, and what it can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from vscan.errors import UsageError
from vscan.exemplars.formats import (
    ncmec_xml,
    pdq_list,
    stopncii_json,
    tat_json,
    tx_csv,
    tx_local_file,
    vpdq_json,
    vpdq_legacy,
    vpdq_text,
)
from vscan.exemplars.formats.record import HashRecord

Videos = Literal["one", "frames", "signal", "none"]
"""How a format holds a video's PDQ hashes: one video a file, each frame as a hash of its own, all
as one vPDQ signal, or not at all."""


@dataclass(frozen=True)
class Format:
    """One interchange format."""

    name: str
    title: str
    read: Callable[[bytes, str], Iterator[HashRecord]]
    """From a file's bytes and its name for messages; raises ExemplarIndexError on the way."""
    write: Callable[[Iterable[HashRecord]], bytes]
    """Raises ExemplarIndexError for a record that the format cannot hold."""
    videos: Videos
    kinds: frozenset[str] | None
    """Hashes of other lists that it takes; None for any. Its own records it always takes."""
    withdrawals: bool = False
    """Whether an entry can say that it is withdrawn."""
    opinions: bool = False
    """Whether an entry can say that it is benign. Where none can, to list is to accuse; of a
    format for one video nobody says anything."""

    def takes(self, record: HashRecord) -> bool:
        """Whether the record can be written in this format."""
        if record.withdrawn and not self.withdrawals:
            return False
        if record.origin == self.name:
            return True
        if not record.signal_type or not record.value:
            return False
        return self.kinds is None or record.kind in self.kinds


_PDQ = frozenset({"pdq"})
_NCMEC = frozenset({"pdq", "md5", "sha1", "sha256", "photodna"})

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            vpdq_text.NAME, "vPDQ, frame,quality,hash,timestamp a line",
            vpdq_text.read, vpdq_text.write, "one", _PDQ, opinions=True,
        ),
        Format(
            vpdq_json.NAME, "vPDQ, JSON array of python-threatexchange",
            vpdq_json.read, vpdq_json.write, "one", _PDQ, opinions=True,
        ),
        Format(
            vpdq_legacy.NAME, "vPDQ, older JSON keyed by frame",
            vpdq_legacy.read, vpdq_legacy.write, "one", _PDQ, opinions=True,
        ),
        Format(
            pdq_list.NAME, "PDQ hashes, one a line",
            pdq_list.read, pdq_list.write, "frames", _PDQ,
        ),
        Format(
            tx_csv.NAME, "python-threatexchange's data set as CSV",
            tx_csv.read, tx_csv.write, "signal", None, opinions=True,
        ),
        Format(
            tx_local_file.NAME, "python-threatexchange's local_file",
            tx_local_file.read, tx_local_file.write, "signal", None,
        ),
        Format(
            ncmec_xml.NAME, "NCMEC hash sharing, XML",
            ncmec_xml.read, ncmec_xml.write, "none", _NCMEC, withdrawals=True,
        ),
        Format(
            stopncii_json.NAME, "StopNCII, JSON",
            stopncii_json.read, stopncii_json.write, "none", frozenset(stopncii_json.NAMES),
            withdrawals=True,
        ),
        Format(
            tat_json.NAME, "Tech Against Terrorism, JSON",
            tat_json.read, tat_json.write, "none", frozenset(tat_json.NAMES), withdrawals=True,
        ),
    )
}  # fmt: skip
"""Every format by name, in the order in which they are told."""


def format_named(name: str) -> Format:
    """The format of that name. Raises UsageError naming those there are."""
    if name not in FORMATS:
        raise UsageError(
            f"{name!r} is no interchange format",
            remedy=f"known: {', '.join(FORMATS)} (docs/formats.md says what each is)",
        )
    return FORMATS[name]
