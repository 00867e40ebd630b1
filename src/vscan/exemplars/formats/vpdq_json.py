"""python-threatexchange's vPDQ signal: a JSON array of `"hash,quality,timestamp"`, one video.

Source: facebook/ThreatExchange, `python-threatexchange/…/extensions/vpdq/vpdq_util.py`. That
program writes a timestamp with three significant digits (123.456 becomes `1.23e+02`) and reads any
decimal. Here any decimal is read too, and times are written exactly: what python-threatexchange
reads of them is the exact time, and nothing is lost on the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from vscan.exemplars.formats.frames import plain_decimal, quality_of, require_frames
from vscan.exemplars.formats.guards import json_of, number, record, refuse, whole
from vscan.exemplars.formats.record import HashRecord

NAME = "vpdq-json"


def read(data: bytes, where: str) -> Iterator[HashRecord]:
    """The frames, in the file's order. Raises ExemplarIndexError naming the element."""
    document = json_of(data, where)
    if not isinstance(document, list):
        refuse(where, "", 'not a JSON array of "hash,quality,timestamp"')
    for index, element in enumerate(document):
        place = f"[{index}]"
        if not isinstance(element, str) or element.count(",") != 2:
            refuse(where, place, f'not "hash,quality,timestamp" but {json.dumps(element)[:120]}')
        digits, quality_text, time_text = (cell.strip() for cell in element.split(","))
        try:
            quality, time_s = whole(quality_text), number(time_text)
        except ValueError as error:
            refuse(where, place, str(error))
        yield record(
            where,
            place,
            origin=NAME,
            signal_type="pdq",
            value=digits.lower(),
            quality=quality,
            time_s=time_s,
        )


def write(records: Iterable[HashRecord]) -> bytes:
    """The array of one video's frames. Raises ExemplarIndexError for what is no frame."""
    return (signal(require_frames(records, NAME)) + "\n").encode()


def signal(frames: Iterable[HashRecord]) -> str:
    """The array on one line: python-threatexchange's `signal_str` of a video."""
    return json.dumps(
        [f"{each.value},{quality_of(each)},{plain_decimal(each.time_s or 0.0)}" for each in frames]
    )
