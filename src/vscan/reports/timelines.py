"""Where a video's findings lie on its length, in percent, for a picture; and as rows of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vscan.reports.words import clock
from vscan.store.browse import Record

LEAST_PERCENT = 0.4
"""Width of the shortest mark: a second of a long film must still be seen."""


@dataclass(frozen=True)
class Mark:
    """A span on the timeline."""

    left: str
    """Percent of the video's length, as `12.50`."""
    width: str


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One policy on the timeline."""

    policy: str
    action: str
    segments: tuple[Mark, ...]
    peaks: tuple[str, ...]
    """Percent."""
    evidence: tuple[Mark, ...]
    """Spans of matches, and times of prompts as the shortest of marks."""
    about: str
    """What a screen reader says of the lane."""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """One video's lanes, over its length."""

    end: str
    """The length in words."""
    lanes: tuple[Lane, ...]
    gaps: tuple[Mark, ...]
    """What could not be looked at."""


def timeline(record: Record) -> Timeline | None:
    """The picture of a record's findings; None where the video's length is not known."""
    duration_s = record["source"]["duration_s"]
    if not duration_s or duration_s <= 0:
        return None
    samples = record["samples"] or {"gaps_s": ()}
    return Timeline(
        end=clock(duration_s),
        lanes=tuple(_lane(finding, duration_s) for finding in record["findings"]),
        gaps=tuple(_mark(start, end, duration_s) for start, end in samples["gaps_s"]),
    )


def segment_rows(record: Record) -> Iterator[tuple[str, ...]]:
    """Every segment as text: policy, action, from, to, peak, score; times as people read them and
    in seconds."""
    for finding in record["findings"]:
        for segment in finding["segments"]:
            times = (segment["start_s"], segment["end_s"], segment["peak_s"])
            yield (
                finding["policy"],
                finding["action"],
                *(f"{clock(each)} ({each:.2f})" for each in times),
                f"{segment['score']:.2f}",
            )


def _lane(finding: dict[str, Any], duration_s: float) -> Lane:
    segments = finding["segments"]
    told = "; ".join(
        f"{clock(each['start_s'])} to {clock(each['end_s'])}, peak at {clock(each['peak_s'])}"
        for each in segments
    )
    return Lane(
        policy=finding["policy"],
        action=finding["action"],
        segments=tuple(_mark(each["start_s"], each["end_s"], duration_s) for each in segments),
        peaks=tuple(f"{_percent(each['peak_s'], duration_s):.2f}" for each in segments),
        evidence=tuple(_evidence(each, duration_s) for each in finding["evidence"]),
        about=f"{finding['policy']}, {finding['action']}: {told} of {clock(duration_s)}",
    )


def _evidence(each: dict[str, Any], duration_s: float) -> Mark:
    if each["kind"] == "prompt":
        return _mark(each["time_s"], each["time_s"], duration_s)
    start_s, end_s = each["source_span_s"]
    return _mark(start_s, end_s, duration_s)


def _mark(start_s: float, end_s: float, duration_s: float) -> Mark:
    left, right = _percent(start_s, duration_s), _percent(end_s, duration_s)
    width = max(LEAST_PERCENT, right - left)
    return Mark(f"{min(left, 100 - width):.2f}", f"{width:.2f}")


def _percent(time_s: float, duration_s: float) -> float:
    return min(100.0, max(0.0, 100 * time_s / duration_s))
