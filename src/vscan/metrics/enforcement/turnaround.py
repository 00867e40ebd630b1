"""How long people took: from when a video was known until it was first decided on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vscan.metrics.enforcement.cases import Case
from vscan.metrics.enforcement.quantiles import quantile
from vscan.metrics.figures import Figure, none, too_few


@dataclass(frozen=True, kw_only=True)
class Turnaround:
    """Seconds from the earliest of `uploaded_at`, `flagged_at` and `reported_at` in `source.meta`
    to the first decision of a case."""

    p50_s: Figure
    p90_s: Figure
    undated: int
    """Cases of which no such time is known."""
    backward: int
    """Cases that were decided before that time, by what the clocks said: in neither figure."""


def turnaround(cases: Iterable[Case], *, least: int) -> Turnaround:
    """Of some cases; their intervals take each case as independent of the others."""
    told: list[float] = []
    undated = backward = 0
    for case in cases:
        since = None if case.seen is None else case.seen.known_since
        if since is None:
            undated += 1
        elif case.first_at < since:
            backward += 1
        else:
            told.append((case.first_at - since).total_seconds())
    told.sort()
    return Turnaround(
        p50_s=_figure(told, 0.5, least),
        p90_s=_figure(told, 0.9, least),
        undated=undated,
        backward=backward,
    )


def _figure(ordered: list[float], share: float, least: int) -> Figure:
    if not ordered:
        return none(0, "source.meta says neither uploaded_at nor flagged_at nor reported_at")
    if len(ordered) < least:
        return none(len(ordered), too_few(len(ordered), least, "dated cases"))
    found = quantile(ordered, share)
    return Figure(value=found.value, low=found.low, high=found.high, of=len(ordered))
