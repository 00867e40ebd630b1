"""A figure with its 95 % interval, or the reason why none is given."""

from __future__ import annotations

from dataclasses import dataclass

from vscan.metrics.proportions import Estimate, wilson

DECIMALS = 4
"""Of figures without a unit."""
TOO_FEW = "too few"
"""How a reason begins that more cases would mend."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure with its 95 % interval, or why none is given."""

    value: float | None = None
    """0..1 for a rate, -1..1 for a coefficient or a difference, seconds for a time."""
    low: float | None = None
    high: float | None = None
    """Null beside a value where too little was seen to bound it on that side."""
    part: int | None = None
    """Of a rate that is counted: how many are so."""
    of: int
    """How many it rests on."""
    withheld: str | None = None
    """Why there is no value."""


def share(part: int, of: int, *, least: int, what: str) -> Figure:
    """The rate `part` / `of` with Wilson's interval; withheld where `of` is less than `least`.

    what: names in words what `of` counts.
    """
    if of < least:
        return Figure(part=part, of=of, withheld=too_few(of, least, what))
    return figure(wilson(part, of), of, part=part)


def figure(estimate: Estimate, of: int, *, part: int | None = None) -> Figure:
    """An estimate as it stands in a report, rounded to DECIMALS."""
    value, low, high = (round(x, DECIMALS) for x in (estimate.value, estimate.low, estimate.high))
    return Figure(value=value, low=low, high=high, part=part, of=of)


def none(of: int, why: str) -> Figure:
    """No figure, and why."""
    return Figure(of=of, withheld=why)


def too_few(of: int, least: int, what: str) -> str:
    """As `too few decided cases: 3, and 10 are needed`."""
    return f"{TOO_FEW} {what}: {of}, and {least} are needed"
