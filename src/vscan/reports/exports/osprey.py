"""Osprey: one event for each verdict, as its Kafka input takes them.

The envelope is that of Osprey's own page, https://github.com/roostorg/osprey/blob/main/docs/
integration/data-flow.md ("Getting data in"), and of what reads it, `KafkaInputStream` in
osprey_worker/src/osprey/worker/sinks/sink/input_stream.py: `send_time` (RFC 3339 in UTC), and in
`data` an integer `action_id`, an `action_name` that rules match against, and the event's own fields
in a further `data`, which are here the whole verdict.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from pydantic import Field

from vscan.reports.exports.exporting import Exported, Exporting, Shape, checked, moment
from vscan.store.browse import Record

NAME = "osprey"
ID_DIGITS = 15
"""Hexadecimal digits of the hash that makes an event's id: 60 bits, a positive 64-bit integer."""
RFC_3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$"


class OspreyMap(Shape):
    """What an Osprey installation calls a scanned video."""

    action_name: str = Field(default="video_scanned", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """That rules match against."""
    send_time: str | None = Field(default=None, pattern=RFC_3339)
    """When the events were; default: when the run ended."""


class OspreyAction(Shape):
    """What happened."""

    action_id: int = Field(ge=0, lt=1 << 63)
    action_name: str = Field(min_length=1)
    data: dict[str, Any]


class OspreyEvent(Shape):
    """One message."""

    send_time: str = Field(pattern=RFC_3339)
    data: OspreyAction


def write(given: Exporting, mapped: OspreyMap) -> Exported:
    """One JSON line for each verdict, clear ones and errors too; nothing is left out."""
    at = moment(given, mapped.send_time, "osprey.send_time")
    lines = []
    for record in given.records:
        action = {"action_id": _number(record), "action_name": mapped.action_name, "data": record}
        event = checked(OspreyEvent, {"send_time": at, "data": action}, record["source"]["uri"])
        lines.append(orjson.dumps(event.model_dump(), option=orjson.OPT_APPEND_NEWLINE))
    return Exported(data=b"".join(lines), written=len(lines))


def _number(record: Record) -> int:
    """The same for the same verdict, so that an event that is sent twice can be told."""
    digits = hashlib.sha256(record["id"].encode()).hexdigest()[:ID_DIGITS]
    return int(digits, 16)
