"""vPDQ's older JSON: an object keyed by frame number, of `quality`, `hash` and `timestamp`.

Source: facebook/ThreatExchange, `OLD_json_to_vpdq` in `…/extensions/vpdq/vpdq_util.py`; it rounds
timestamps to milliseconds as it reads them, vscan does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats.frames import quality_of, require_frames
from vscan.exemplars.formats.guards import (
    json_bytes,
    json_of,
    object_of,
    record,
    refuse,
    text_at,
    whole,
)
from vscan.exemplars.formats.record import MAX_TIME_S, HashRecord

NAME = "vpdq-json-legacy"


def read(data: bytes, where: str) -> Iterator[HashRecord]:
    """The frames, in the file's order. Raises ExemplarIndexError naming frame and field."""
    for key, value in object_of(where, "", json_of(data, where)).items():
        try:
            frame = whole(key)
        except ValueError as error:
            refuse(where, "", f"a key that is no frame number: {error}")
        feature = object_of(where, key, value)
        unknown = sorted(set(feature) - {"quality", "hash", "timestamp"})
        if unknown:
            refuse(where, f"{key}.{unknown[0]}", "no such field in this format")
        quality, time_s = feature.get("quality"), feature.get("timestamp")
        if isinstance(quality, bool) or not isinstance(quality, int):
            refuse(where, f"{key}.quality", "not a whole number")
        if (
            isinstance(time_s, bool)
            or not isinstance(time_s, int | float)
            or abs(time_s) > MAX_TIME_S
        ):
            refuse(where, f"{key}.timestamp", "not a number of seconds")
        yield record(
            where,
            key,
            origin=NAME,
            signal_type="pdq",
            value=text_at(where, key, feature, "hash").lower(),
            quality=quality,
            time_s=float(time_s),
            frame=frame,
        )


def write(records: Iterable[HashRecord]) -> bytes:
    """The object of one video's frames. Frames without a number get their place in the list.

    Raises ExemplarIndexError for what is no PDQ hash with a time, and for two of one frame.
    """
    document = {}
    for place, each in enumerate(require_frames(records, NAME)):
        frame = str(place if each.frame is None else each.frame)
        if frame in document:
            raise ExemplarIndexError(f"{NAME}: two hashes of frame {frame}: one can be held")
        document[frame] = {
            "quality": quality_of(each),
            "hash": each.value,
            "timestamp": each.time_s,
        }
    return json_bytes(document)
