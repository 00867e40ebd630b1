"""How the reading of one content went: what judging needs beside tracks, as stored JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.digests import Digests
from vscan.media import Part, ReadReport, VideoInfo

_NUMBER = (int, float)


@dataclass(frozen=True, eq=False)
class Reading:
    """How the reading of one content went."""

    digests: Digests
    info: VideoInfo
    report: ReadReport
    """Without `cost_s`, which is not kept."""
    times_s: NDArray[np.float64]
    """(T,) presentation times of every sample in seconds, ascending, each once."""


def info_object(info: VideoInfo) -> dict[str, Any]:
    """A probe's answer as plain values. Raises ValueError for a duration that is no number."""
    if info.duration_s is not None and not math.isfinite(info.duration_s):
        raise ValueError(f"duration_s is {info.duration_s}")
    return {
        "container": info.container,
        "codec": info.codec,
        "width": info.width,
        "height": info.height,
        "duration_s": info.duration_s,
        "rotation": info.rotation,
        "warnings": list(info.warnings),
    }


def info_of(fields: Any) -> VideoInfo:
    """The probe's answer that stored values hold; others are passed over.

    Raises KeyError, TypeError or ValueError where they hold none.
    """
    duration_s = fields["duration_s"]
    return VideoInfo(
        container=_typed(fields["container"], str),
        codec=_typed(fields["codec"], str),
        width=_typed(fields["width"], int),
        height=_typed(fields["height"], int),
        duration_s=None if duration_s is None else _typed(duration_s, _NUMBER),
        rotation=_typed(fields["rotation"], int),
        warnings=_texts(fields["warnings"]),
    )


def report_object(report: ReadReport) -> dict[str, Any]:
    """The report of a reading as plain values. Raises ValueError for times that are no numbers."""
    times = (report.end_s, *(time_s for gap in report.gaps_s for time_s in gap))
    parts = [[part.stream, part.start_s, part.end_s, part.coverage] for part in report.parts]
    if not all(map(math.isfinite, times)):
        raise ValueError(f"times of a report must be finite: {times}")
    return {
        "planned": report.planned,
        "read": report.read,
        "end_s": report.end_s,
        "reader": report.reader,
        "skipped_packets": report.skipped_packets,
        "gaps_s": [list(gap) for gap in report.gaps_s],
        "warnings": list(report.warnings),
        **({"parts": parts} if parts else {}),
    }


def report_of(fields: Any) -> ReadReport:
    """The report that stored values hold; raises as `info_of` does."""
    return ReadReport(
        planned=_typed(fields["planned"], int),
        read=_typed(fields["read"], int),
        end_s=_typed(fields["end_s"], _NUMBER),
        reader=_typed(fields["reader"], str),
        skipped_packets=_typed(fields["skipped_packets"], int),
        gaps_s=tuple(
            (_typed(start_s, _NUMBER), _typed(end_s, _NUMBER))
            for start_s, end_s in fields["gaps_s"]
        ),
        warnings=_texts(fields["warnings"]),
        parts=tuple(
            Part(
                _typed(stream, int),
                _typed(start_s, _NUMBER),
                _typed(end_s, _NUMBER),
                _typed(coverage, _NUMBER),
            )
            for stream, start_s, end_s, coverage in fields.get("parts", ())
        ),
    )


def reading_object(reading: Reading) -> dict[str, Any]:
    """A reading but for its content's SHA-256 and its times, which stand elsewhere."""
    return {
        "md5": reading.digests.md5,
        "bytes": reading.digests.bytes,
        "info": info_object(reading.info),
        "report": report_object(reading.report),
    }


def reading_of(sha256: str, fields: Any) -> tuple[Digests, VideoInfo, ReadReport]:
    """What stored values hold of the reading of a content; raises as `info_of` does."""
    digests = Digests(sha256, _typed(fields["md5"], str), _typed(fields["bytes"], int))
    return digests, info_of(fields["info"]), report_of(fields["report"])


def texts_by_name(fields: Any) -> Mapping[str, str]:
    """A mapping of text to text, as specs are. Raises TypeError where it is none."""
    if type(fields) is not dict or not all(type(each) is str for each in fields.values()):
        raise TypeError("not an object of texts")
    return fields


def _typed(value: Any, kind: type | tuple[type, ...]) -> Any:
    # bool is an int to Python, and not to anybody who writes a width.
    if not isinstance(value, kind) or value is True or value is False:
        raise TypeError(f"{value!r} is of type {type(value).__name__}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if type(value) is not list or not all(type(each) is str for each in value):
        raise TypeError("not a list of texts")
    return tuple(value)
