"""Carried records: what partners' lists said, kept as they said it, beside what is searched.

Some name a hash that cannot be searched or even computed (MD5, PhotoDNA, TMK); some are what an
exemplar was made of, with the category, tags and feedback that came with it. They decide no match;
they are there to be given back, replaced and withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.manifest import Manifest, RecordsPart
from vscan.exemplars.parts import read_part, write_part

if TYPE_CHECKING:
    from pydantic import TypeAdapter

PART_RECORDS = 8192
"""Records in a file. Only files in which something changed are written again."""

_NOTHING: tuple[object, ...] = ("", None, (), {})
_KEPT = tuple(each.name for each in fields(HashRecord) if each.name not in ("entry", "withdrawn"))
"""Fields that are written down. What is withdrawn is not carried."""


@dataclass(frozen=True)
class CarriedRecord:
    """One record, and the exemplar that was made of it."""

    record: HashRecord
    exemplar: str | None = None
    """Id of the exemplar that it is a sample of; None where nothing of it can be searched."""

    @property
    def key(self) -> tuple[str, ...]:
        """What names the entry: see HashRecord.key. Frames of a video are named by the video,
        since two videos may have a frame in common."""
        if self.exemplar is not None and self.record.time_s is not None:
            return (self.record.origin, self.exemplar)
        return self.record.key


def read_carried(root: Path | str, manifest: Manifest) -> list[CarriedRecord]:
    """Every carried record of the index in the folder or at the URI `root`, in the order it came.

    Raises PartGoneError or ExemplarIndexError, as read_part does.
    """
    return [each for part in manifest.records for each in _read(root, part)]


def without(
    root: Path,
    parts: Sequence[RecordsPart],
    gone: Callable[[CarriedRecord], bool],
    *,
    naming: str | None = None,
) -> list[RecordsPart]:
    """The files without the records that are `gone`; one that held any is written again.

    naming: an exemplar's id that all those records name: files without it are not parsed.
    """
    left = []
    for part in parts:
        if naming is not None and naming.encode() not in read_part(root, part.file):
            left.append(part)
            continue
        held = _read(root, part)
        kept = [each for each in held if not gone(each)]
        if len(kept) == len(held):
            left.append(part)
        elif kept:
            left.append(_write(root, kept))
    return left


def extended(
    root: Path, parts: Sequence[RecordsPart], added: Sequence[CarriedRecord]
) -> list[RecordsPart]:
    """The files and those of `added`; the last one is filled up first."""
    parts, waiting = list(parts), list(added)
    if waiting and parts and parts[-1].count < PART_RECORDS:
        waiting = _read(root, parts.pop()) + waiting
    starts = range(0, len(waiting), PART_RECORDS)
    return parts + [_write(root, waiting[start : start + PART_RECORDS]) for start in starts]


def _write(root: Path, records: Sequence[CarriedRecord]) -> RecordsPart:
    lines = b"".join(_line(each) for each in records)
    return RecordsPart(file=write_part(root, "records", "r", "jsonl", lines), count=len(records))


def _line(carried: CarriedRecord) -> bytes:
    """JSON without what says nothing: a list of a million hashes has a million of these."""
    record = {
        name: value for name in _KEPT if (value := getattr(carried.record, name)) not in _NOTHING
    }
    said: dict[str, Any] = {"record": record}
    if carried.exemplar is not None:
        said["exemplar"] = carried.exemplar
    try:
        return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise ExemplarIndexError(
            f"a record of {carried.record.origin} cannot be kept: {error}",
            remedy="whole numbers beyond 64 bits are the usual cause: mend the entry",
        ) from error


@cache
def _adapter() -> TypeAdapter[CarriedRecord]:
    from pydantic import TypeAdapter

    return TypeAdapter(CarriedRecord)


def _read(root: Path | str, part: RecordsPart) -> list[CarriedRecord]:
    from pydantic import ValidationError

    adapter = _adapter()
    found = []
    for number, line in enumerate(read_part(root, part.file).splitlines(), start=1):
        try:
            found.append(adapter.validate_json(line, strict=True))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise ExemplarIndexError(
                f"{root}/{part.file.path}:{number}: not a carried record: {place}: {first['msg']}"
            ) from error
    return found
