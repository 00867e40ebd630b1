"""StopNCII's hash records: JSON with `signalType`, `hashValue`, `hashStatus`, cases and feedback.

Source: facebook/ThreatExchange, `…/exchanges/clients/stopncii/api.py`. A record replaces the
earlier one of the same type and value; the statuses `Withdrawn` and `Deleted` take it back. The
cursors of a page are not kept.
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
from vscan.exemplars.formats.record import HashRecord, Json

NAME = "stopncii-json"
WITHDRAWN = ("Withdrawn", "Deleted")
NAMES = {"pdq": "ImagePDQ", "md5": "VideoMD5", "tmk": "VideoTMK", "text": "Text", "url": "URL"}
"""StopNCII's names of the hashes that it takes."""
_OWN = ("lastModtimestamp", "signalType", "hashValue", "hashStatus", "CSPFeedbacks")


def read(data: bytes, where: str) -> Iterator[HashRecord]:
    """The records of a page, or of a bare array of records, in order.

    Raises ExemplarIndexError naming entry and field.
    """
    document = json_of(data, where)
    records = document if isinstance(document, list) else None
    if isinstance(document, dict):
        records = document.get("hashRecords")
    if not isinstance(records, list):
        refuse(where, "", "neither a page with hashRecords nor an array of records")
    for number, each in enumerate(records):
        yield _record(object_of(where, f"hashRecords[{number}]", each), where, number)


def _record(held: dict[str, Json], where: str, number: int) -> HashRecord:
    place = f"hashRecords[{number}]"
    signal_type = text_at(where, place, held, "signalType")
    value = text_at(where, place, held, "hashValue")
    status = text_at(where, place, held, "hashStatus", "")
    feedback = held.get("CSPFeedbacks")
    if feedback is not None and not (
        isinstance(feedback, list) and all(isinstance(each, dict) for each in feedback)
    ):
        refuse(where, f"{place}.CSPFeedbacks", "not an array of objects")
    if not signal_type or not value:
        refuse(where, place, "without a type or without a hash")
    return record(
        where,
        place,
        origin=NAME,
        signal_type=signal_type,
        value=value.lower() if signal_type == NAMES["pdq"] else value,
        status=status,
        withdrawn=status in WITHDRAWN,
        updated=number_text(where, f"{place}.lastModtimestamp", held.get("lastModtimestamp")),
        feedback=tuple(feedback or ()),
        extra={key: value for key, value in held.items() if key not in _OWN},
        entry=number,
    )


def write(records: Iterable[HashRecord]) -> bytes:
    """A page that holds the records and says that there are no more.

    Records of another format are `Active`, or `Withdrawn`, and lose what StopNCII has no place for.
    """
    listed = [_object(each) for each in records]
    latest = max((_seconds(each["lastModtimestamp"]) for each in listed), default=0)
    return json_bytes(
        {
            "count": len(listed),
            "nextSetTimestamp": latest,
            "nextPageToken": None,
            "hasMoreRecords": False,
            "hashRecords": listed,
        }
    )


def _object(each: HashRecord) -> dict[str, Json]:
    if each.origin != NAME:
        return {
            "lastModtimestamp": int(times.epoch_s(each.updated) or 0),
            "signalType": NAMES.get(each.kind, each.signal_type),
            "hashValue": each.value,
            "hashStatus": "Withdrawn" if each.withdrawn else "Active",
            "caseNumbers": {},
        }
    held: dict[str, Json] = {
        "lastModtimestamp": text_number(each.updated) if each.updated else None,
        "signalType": each.signal_type,
        "hashValue": each.value,
        "hashStatus": each.status,
        **each.extra,
    }
    return held | ({"CSPFeedbacks": list(each.feedback)} if each.feedback else {})


def _seconds(value: Json) -> int:
    return int(times.epoch_s(str(value)) or 0)
