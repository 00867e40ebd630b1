"""What figures are grouped by: policy, market and period, each group with its totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Literal, NamedTuple, cast, get_args

from vscan.errors import UsageError

PeriodName = Literal["day", "week", "month"]
Dimension = Literal["policy", "market", "period"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
UNKNOWN = "unknown"
"""Market of what names none, and period of what has no date."""


class Key(NamedTuple):
    """One group; None for all together."""

    policy: str | None
    market: str | None
    period: str | None


@dataclass(frozen=True)
class Window:
    """Days in UTC, both included; None: open on that side."""

    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.first > self.last:
            raise UsageError(
                f"from {self.first} until {self.last} holds no day", remedy="give the earlier first"
            )

    @property
    def is_open(self) -> bool:
        """Whether every moment lies in it."""
        return self.first is None and self.last is None

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies in it. at: in UTC."""
        return (self.first is None or self.first <= at.date()) and not self.is_over(at)

    def is_over(self, at: datetime) -> bool:
        """Whether a moment lies behind its last day."""
        return self.last is not None and at.date() > self.last


@dataclass(frozen=True)
class Grouping:
    """Which groups there are: every combination of `by`, and the totals over each of them."""

    by: tuple[Dimension, ...] = ("policy",)
    period: PeriodName = "month"

    def places(self, market: str | None, at: datetime | None) -> Iterator[tuple[str | None, ...]]:
        """Market and period of every group that something counts in, whatever its policy."""
        markets = (None, market or UNKNOWN) if "market" in self.by else (None,)
        periods = (None, self._period(at)) if "period" in self.by else (None,)
        yield from product(markets, periods)

    def policies(self, named: Iterable[str]) -> set[str | None]:
        """The policies that are told apart, and None."""
        return {None, *named} if "policy" in self.by else {None}

    def _period(self, at: datetime | None) -> str:
        if at is None:
            return UNKNOWN
        if self.period == "day":
            return at.date().isoformat()
        if self.period == "month":
            return f"{at.year:04}-{at.month:02}"
        year, week, _ = at.isocalendar()
        return f"{year:04}-W{week:02}"


def grouping(by: str, period: str) -> Grouping:
    """The grouping that words name, as `policy,market` and `week`. Raises UsageError."""
    words = [word.strip() for word in by.split(",") if word.strip()]
    if unknown := [word for word in words if word not in DIMENSIONS]:
        raise UsageError(
            f"--by {unknown[0]!r} is nothing to group by",
            remedy=f"one or more of: {', '.join(DIMENSIONS)}",
        )
    if period not in get_args(PeriodName):
        raise UsageError(
            f"--period {period!r} is no period", remedy=f"one of: {', '.join(get_args(PeriodName))}"
        )
    chosen = tuple(each for each in DIMENSIONS if each in words)
    return Grouping(chosen, cast("PeriodName", period))


def in_order(keys: Iterable[Key]) -> list[Key]:
    """Totals before what they are made of, then by name."""
    return sorted(keys, key=lambda key: tuple((each is not None, each or "") for each in key))
