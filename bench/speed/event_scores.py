"""What was found of known events: recall by length, precision of segments, boundaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_INSTANT_S = 1e-3
"""A segment of one sample alone may have no length: it stands for this much."""


@dataclass(frozen=True)
class Event:
    """Something to be found in a video, seconds."""

    policy: str
    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """As drawn: whole seconds."""
        return round(self.end_s - self.start_s, 3)


@dataclass(frozen=True)
class Found:
    """A segment that a scan flagged, seconds."""

    policy: str
    start_s: float
    end_s: float

    def shows(self, event: Event) -> bool:
        """Whether it is of the event's policy and shares time with it."""
        end_s = max(self.end_s, self.start_s + _INSTANT_S)
        same = self.policy == event.policy
        return same and self.start_s < event.end_s and end_s > event.start_s


@dataclass(frozen=True)
class EventScores:
    """How the segments of many videos agree with their events."""

    recall: Mapping[float, tuple[int, int]]
    """By length of the event: how many were found, and of how many."""
    segments: int
    true_segments: int
    """Those that show an event."""
    boundaries_s: tuple[float, ...]
    """Both ends of every event that was found: how far the segments' are off, seconds."""

    @property
    def precision(self) -> float:
        """Share of the segments that show an event; 1 where there is none."""
        return self.true_segments / self.segments if self.segments else 1.0

    def boundary(self, percent: float) -> float:
        """That percentile of `boundaries_s`; not a number where nothing was found."""
        return float(np.percentile(self.boundaries_s, percent)) if self.boundaries_s else np.nan


def score_events(
    events: Mapping[str, Sequence[Event]], found: Mapping[str, Sequence[Found]]
) -> EventScores:
    """Hold what was found against the events, both by video.

    An event is found where a segment of its policy overlaps it. Its boundaries are held against the
    first start and the last end of all segments that do.
    """
    lengths = sorted({event.length_s for each in events.values() for event in each})
    counts = {length: [0, 0] for length in lengths}
    off: list[float] = []
    for video, known in events.items():
        for event in known:
            hits = [each for each in found.get(video, ()) if each.shows(event)]
            counts[event.length_s][1] += 1
            if hits:
                counts[event.length_s][0] += 1
                off.append(abs(min(each.start_s for each in hits) - event.start_s))
                off.append(abs(max(each.end_s for each in hits) - event.end_s))
    segments = [(video, each) for video, those in found.items() for each in those]
    true = sum(_is_true(each, events.get(video, ())) for video, each in segments)
    recall = {length: (hit, of) for length, (hit, of) in counts.items()}
    return EventScores(recall, len(segments), true, tuple(off))


def _is_true(segment: Found, events: Iterable[Event]) -> bool:
    return any(segment.shows(event) for event in events)
