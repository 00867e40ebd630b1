"""vPDQ's text form: a line `frame,quality,hash,timestamp` for each frame of one video.

Source: facebook/ThreatExchange, `vpdq/cpp/vpdq/cpp/io/vpdqio.cpp`. Times are written with three
decimals, so a time finer than a millisecond is rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vscan.exemplars.formats.frames import quality_of, require_frames
from vscan.exemplars.formats.guards import lines_of, number, record, refuse, whole
from vscan.exemplars.formats.record import HashRecord

NAME = "vpdq-text"
_FIELDS = ("frame", "quality", "hash", "timestamp")


def read(data: bytes, where: str) -> Iterator[HashRecord]:
    """The frames, in the file's order. Raises ExemplarIndexError naming line and field."""
    for line, text in lines_of(data, where):
        cells = [cell.strip() for cell in text.split(",")]
        if len(cells) != len(_FIELDS):
            refuse(where, line, f"{len(cells)} fields where {','.join(_FIELDS)} are expected")
        field = "frame"
        try:
            frame = whole(cells[0])
            field = "quality"
            quality = whole(cells[1])
            field = "timestamp"
            time_s = number(cells[3])
        except ValueError as error:
            refuse(where, line, f"{field}: {error}")
        yield record(
            where,
            line,
            origin=NAME,
            signal_type="pdq",
            value=cells[2].lower(),
            quality=quality,
            time_s=time_s,
            frame=frame,
        )


def write(records: Iterable[HashRecord]) -> bytes:
    """The lines of one video's frames. Frames without a number get their place in the list.

    Raises ExemplarIndexError for what is no PDQ hash with a time.
    """
    lines = []
    for place, each in enumerate(require_frames(records, NAME)):
        frame = place if each.frame is None else each.frame
        lines.append(f"{frame},{quality_of(each)},{each.value},{each.time_s:.3f}\n")
    return "".join(lines).encode()
