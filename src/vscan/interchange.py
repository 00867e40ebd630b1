"""Exchanging exemplars: lists of hashes read into an exemplar index, and written from one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vscan.errors import ExemplarIndexError

if TYPE_CHECKING:
    from vscan.exemplars.carried import CarriedRecord
    from vscan.exemplars.exemplar import Exemplar, Opinion
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.received import Item, Status
    from vscan.matching.compat import Agreement, HashList

_TRIES = 5


@dataclass(frozen=True)
class ImportedItem:
    """What became of one entry of a list."""

    name: str
    """Of the entry: the file, and its id or hash there."""
    status: Status
    exemplar: str | None
    """Id of the exemplar that its PDQ hashes make; None where nothing of it can be searched."""
    hashes: int
    policy: str | None = None
    """Of that exemplar."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    items: int
    records: int
    left_out: Counter[str]
    """Entries that the format cannot hold, by reason."""


def import_list(
    path: Path,
    file: Path,
    *,
    form: str,
    policy: str,
    opinion: Opinion | None = None,
    note: str = "",
    added_by: str = "",
) -> list[ImportedItem]:
    """Take the list in `file`, of the format named `form`, into the index at `path`, in one step.

    PDQ hashes become exemplars under `policy`; everything else the list says is carried. opinion:
    of every exemplar; by default the list's own, `violating` where it has none. An entry that the
    index has is replaced, a withdrawn one deleted. Returns what became of every entry.

    Raises UsageError where there is no such format, ExemplarIndexError where the list or the index
    is not what it should be, OutputError; the index is then as it was.
    """
    from vscan.exemplars.carried import read_carried
    from vscan.exemplars.formats.guards import MAX_FILE_BYTES
    from vscan.exemplars.formats.registry import format_named
    from vscan.exemplars.received import changes_for, empty_tracks, items_of
    from vscan.exemplars.writer import IndexWriter, utc_now
    from vscan.storage import read_bytes

    read = format_named(form).read
    items = items_of(read(read_bytes(file, limit=MAX_FILE_BYTES), str(file)))
    if not items:
        raise ExemplarIndexError(
            f"{file}: no entries", remedy=f"check that it is whole, and that its format is {form}"
        )
    with IndexWriter(path) as writer:
        if "pdq" not in writer.manifest.signals:
            raise ExemplarIndexError(
                f"{path}: the index {writer.manifest.name!r} holds no pdq, as lists do",
                remedy="import the list into an index that does",
            )
        held = read_carried(path, writer.manifest)
        changes = changes_for(items, held, writer.exemplars)
        others = empty_tracks(writer.manifest)
        if not changes.nothing:
            writer.change(
                add=[
                    (
                        _exemplar(
                            item,
                            file,
                            policy=policy,
                            opinion=opinion or _opinion(item),
                            note=note,
                            added_by=added_by,
                            added_at=utc_now(),
                        ),
                        others if item.track is None else others | {"pdq": item.track},
                    )
                    for item in changes.add.values()
                ],
                remove=changes.remove,
                carry=changes.carry,
                drop=lambda each: each.key in changes.drop,
            )
        return [_told(item, status, file, writer.exemplars) for item, status in changes.said]


def export_list(path: Path, file: Path, *, form: str, exemplars: Collection[str] = ()) -> Exported:
    """Write the index at `path`, or only those `exemplars` of it, as a list in the format `form`.

    `file` is written whole or not at all. Raises UsageError, ExemplarIndexError or OutputError.
    """
    from vscan.exemplars.formats.registry import format_named
    from vscan.exemplars.offered import offer
    from vscan.storage import atomic_write_bytes

    wanted = format_named(form)
    index, carried = _opened(path)
    made = offer(index, carried, wanted, exemplars=exemplars)
    atomic_write_bytes(file, wanted.write(made.records))
    return Exported(made.items, len(made.records), made.left_out)


def compare_lists(query: Path, compared: Path, *, form: str, rules: str) -> Agreement:
    """What Meta's matcher `rules` (`pytx` or `cpp`) says of two lists of one video's frames.

    Raises UsageError or ExemplarIndexError.
    """
    from vscan.matching.compat import compare, rules_named

    matcher = rules_named(rules)
    return compare(_hashes(query, form), _hashes(compared, form), matcher)


def _opened(path: Path) -> tuple[ExemplarIndex, list[CarriedRecord]]:
    """The index and its records, of one moment."""
    from vscan.exemplars.carried import read_carried
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.parts import PartGoneError

    for _ in range(_TRIES):
        index = ExemplarIndex.open(path)
        try:
            return index, read_carried(path, index.manifest)
        except PartGoneError:
            continue  # a writer was faster: its manifest names the files that took their place
    raise ExemplarIndexError(
        f"{path}: changes faster than it can be read", remedy="try again when it is at rest"
    )


def _hashes(file: Path, form: str) -> HashList:
    import numpy as np

    from vscan.exemplars.formats.frames import pdq_of, quality_of
    from vscan.exemplars.formats.guards import MAX_FILE_BYTES
    from vscan.exemplars.formats.registry import format_named
    from vscan.hashes.pdq import HASH_BYTES
    from vscan.matching.compat import HashList
    from vscan.storage import read_bytes

    read = format_named(form).read
    records = read(read_bytes(file, limit=MAX_FILE_BYTES), str(file))
    found = pdq_of(records)
    values = np.frombuffer(bytes.fromhex("".join(each.value for each in found)), np.uint8)
    quality = np.array([quality_of(each) for each in found], np.uint8)
    return HashList(values.reshape(-1, HASH_BYTES), quality)


def _opinion(item: Item) -> Opinion:
    """What the list says of the item: its negative class is content that only looks bad."""
    return "benign" if item.first.category == "NEGATIVE_CLASS" else "violating"


def _exemplar(
    item: Item,
    file: Path,
    *,
    policy: str,
    opinion: Opinion,
    note: str,
    added_by: str,
    added_at: str,
) -> Exemplar:
    from vscan.exemplars.exemplar import Exemplar

    digests = {each.kind: each.value.lower() for each in item.records}
    return Exemplar(
        id=item.exemplar or "",
        source=_name(item, file),
        sha256=digests.get("sha256"),
        md5=digests.get("md5"),
        policy=policy,
        opinion=opinion,
        note=note,
        added_at=added_at,
        added_by=added_by,
    )


def _told(
    item: Item, status: Status, file: Path, exemplars: Mapping[str, Exemplar]
) -> ImportedItem:
    held = exemplars.get(item.exemplar or "")
    return ImportedItem(
        _name(item, file),
        status,
        item.exemplar,
        len(item.records),
        None if held is None else held.policy,
    )


def _name(item: Item, file: Path) -> str:
    from vscan.names import record_uri

    first = item.first
    entry = "/".join(part for part in (first.member_id, first.source_id) if part)
    if not entry and first.time_s is None:
        beginning = first.value.removeprefix('["')
        entry = f"{first.kind}:{beginning[:16]}"
    return record_uri(f"{file}#{entry}" if entry else str(file))
