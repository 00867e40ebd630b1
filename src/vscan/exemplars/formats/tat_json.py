"""Tech Against Terrorism's hash list: JSON with `hash_digest`, `algorithm`, `ideology`, `deleted`.

Source: facebook/ThreatExchange, `…/exchanges/clients/techagainstterrorism/api.py`. An entry with
`deleted` withdraws the one of the same id. `count` is worked out when writing; the links and the
checkpoint of a page are not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vscan.exemplars.formats import times
from vscan.exemplars.formats.guards import (
    json_bytes,
    json_of,
    number_text,
    object_of,
    record,
    refuse,
    text_at,
    text_number,
)
from vscan.exemplars.formats.record import HashRecord, Json, kind_of

NAME = "tat-json"
NAMES = {"pdq": "PDQ", "md5": "MD5", "sha1": "SHA1", "sha256": "SHA256"}
"""Its names of the hashes that vscan knows."""
_OWN = (
    "hash_digest", "algorithm", "ideology", "file_type", "deleted", "updated_on", "created_on", "id"
)  # fmt: skip


def read(data: bytes, where: str) -> Iterator[HashRecord]:
    """The entries of a page, or of a bare array of entries, in order.

    Raises ExemplarIndexError naming entry and field.
    """
    document = json_of(data, where)
    entries = document if isinstance(document, list) else None
    if isinstance(document, dict):
        entries = document.get("results")
    if not isinstance(entries, list):
        refuse(where, "", "neither a page with results nor an array of entries")
    for number, each in enumerate(entries):
        yield _record(object_of(where, f"results[{number}]", each), where, number)


def _record(held: dict[str, Json], where: str, number: int) -> HashRecord:
    place = f"results[{number}]"
    algorithm = text_at(where, place, held, "algorithm")
    deleted = held.get("deleted", False)
    if not isinstance(deleted, bool):
        refuse(where, f"{place}.deleted", "neither true nor false")
    digest = text_at(where, place, held, "hash_digest")
    if not algorithm or not digest:
        refuse(where, place, "without an algorithm or without a digest")
    return record(
        where,
        place,
        origin=NAME,
        signal_type=algorithm,
        value=digest.lower() if kind_of(algorithm) == "pdq" else digest,
        classification=text_at(where, place, held, "ideology", ""),
        media=text_at(where, place, held, "file_type", ""),
        withdrawn=deleted,
        updated=number_text(where, f"{place}.updated_on", held.get("updated_on")),
        created=number_text(where, f"{place}.created_on", held.get("created_on")),
        source_id=number_text(where, f"{place}.id", held.get("id")),
        extra={key: value for key, value in held.items() if key not in _OWN},
        entry=number,
    )


def write(records: Iterable[HashRecord]) -> bytes:
    """A page that holds the entries and has no next one.

    Records of another format lose what this one has no place for, their ids among it.
    """
    results = [_object(each) for each in records]
    return json_bytes(
        {
            "count": len(results),
            "next": None,
            "previous": None,
            "checkpoint": None,
            "results": results,
        }
    )


def _object(each: HashRecord) -> dict[str, Json]:
    if each.origin != NAME:
        return {
            "hash_digest": each.value,
            "algorithm": NAMES.get(each.kind, each.signal_type),
            "ideology": None,
            "file_type": each.media or None,
            "deleted": each.withdrawn,
            "updated_on": times.epoch_s(each.updated),
            "created_on": None,
            "id": None,
        }
    return {
        "hash_digest": each.value,
        "algorithm": each.signal_type,
        "ideology": each.classification or None,
        "file_type": each.media or None,
        "deleted": each.withdrawn,
        "updated_on": text_number(each.updated) if each.updated else None,
        "created_on": text_number(each.created) if each.created else None,
        "id": text_number(each.source_id) if each.source_id else None,
        **each.extra,
    }
