"""Frames of a vPDQ video: what its three forms share, and the whole video as one record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats.record import HashRecord

UNKNOWN_QUALITY = 100
"""Written where a form demands a quality and none is known: such hashes are taken as they are."""


def is_frame(record: HashRecord) -> bool:
    """Whether the record is the PDQ hash of a frame at a known time."""
    return record.kind == "pdq" and record.time_s is not None


def require_frames(records: Iterable[HashRecord], form: str) -> Iterator[HashRecord]:
    """The records, each of which must be a frame. Raises ExemplarIndexError."""
    for each in records:
        if not is_frame(each) or each.withdrawn:
            what = each.signal_type or "an entry without hashes"
            raise ExemplarIndexError(
                f"{form} holds PDQ hashes with times, not {what}",
                remedy="write it in a format for lists, as tx-csv",
            )
        yield each


def quality_of(record: HashRecord) -> int:
    """The frame's quality, UNKNOWN_QUALITY where it has none."""
    return UNKNOWN_QUALITY if record.quality is None else record.quality


def plain_decimal(value: float) -> str:
    """The shortest decimal that means exactly this float: digits and a point, no exponent.

    Every reader of these forms takes it, C++ `atof` and Python `float` alike.
    """
    return format(Decimal(repr(value)), "f")


def split(video: HashRecord) -> list[HashRecord]:
    """The frames of a record of kind `vpdq`; each keeps what was said of the whole."""
    from vscan.exemplars.formats import vpdq_json

    frames = vpdq_json.read(video.value.encode(), video.signal_type)
    return [
        replace(
            video,
            signal_type="pdq",
            value=frame.value,
            quality=frame.quality,
            time_s=frame.time_s,
        )
        for frame in frames
    ]


def pdq_of(records: Iterable[HashRecord]) -> list[HashRecord]:
    """Every PDQ hash of the records, those within vPDQ signals too, in order."""
    hashes = (
        hashed for each in records for hashed in (split(each) if each.kind == "vpdq" else [each])
    )
    return [each for each in hashes if each.kind == "pdq"]


def join(frames: list[HashRecord]) -> HashRecord:
    """The frames of one video as one record of kind `vpdq`, with what is said of the first."""
    from vscan.exemplars.formats import vpdq_json

    return replace(
        frames[0],
        signal_type="vpdq",
        value=vpdq_json.signal(frames),
        quality=None,
        time_s=None,
        frame=None,
    )
