"""Enforcement figures as one object: schema `vscan.metrics/1`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from vscan.metrics.enforcement.agreement import Agreement, GoldAccuracy
from vscan.metrics.enforcement.consistency import Consistency
from vscan.metrics.enforcement.content import Content
from vscan.metrics.enforcement.drift import Drift
from vscan.metrics.enforcement.exposure import Exposure
from vscan.metrics.enforcement.grouping import Dimension, PeriodName
from vscan.metrics.enforcement.rulings import Rulings
from vscan.metrics.enforcement.sampled import Sampled


@dataclass(frozen=True, kw_only=True)
class VerdictsRead:
    """What was read of the verdict files."""

    files: tuple[str, ...]
    videos: int
    """By URI and market, the last line of each."""
    errors: int
    """Of the videos: could not be judged."""
    replaced: int
    """Verdicts that a later file replaces: only decisions on them count."""
    outside: int
    """Videos that are left out, for they were uploaded outside of the days that were asked for, or
    nothing says when."""
    packs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DecisionsRead:
    """What was read of the decision log."""

    log: str
    decisions: int
    """In the days that were asked for; those after them are taken as not made yet."""
    gold: int
    """Of the decisions."""
    cases: int
    """First decided in those days."""
    of_other_verdicts: int
    """Cases whose verdict is in none of the files: they count in figures about reviewers alone."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One policy, market and period; null: all of them together."""

    policy: str | None
    market: str | None
    """`unknown` where nothing says."""
    period: str | None
    """`2026-11-02`, `2026-W45` (ISO 8601) or `2026-11`; of upload for the content, of the first
    decision for the rulings; `unknown` where nothing says."""
    content: Content | None
    """Null where there are no videos."""
    rulings: Rulings | None
    """Null where there are no cases."""


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """How enforcement does: what is flagged, what people made of it, and how sure one may be."""

    schema: Literal["vscan.metrics/1"] = "vscan.metrics/1"
    vscan: str
    """Version that counted."""
    by: tuple[Dimension, ...]
    period: PeriodName
    first_day: str | None
    """UTC, included; null: from the beginning."""
    last_day: str | None
    least: int
    """Cases below which no rate is given."""
    seed: int
    """Of everything that is drawn at random."""
    verdicts: VerdictsRead
    decisions: DecisionsRead | None
    """Null without a log."""
    groups: tuple[Group, ...]
    """Totals before what they are made of."""
    sampled: tuple[Sampled, ...]
    """Empty without a sample."""
    sampled_withheld: str | None
    """Why there are no recall, prevalence and violative view rate; null with a sample."""
    agreement: tuple[Agreement, ...]
    gold: tuple[GoldAccuracy, ...]
    reviewers: tuple[Exposure, ...]
    consistency: Consistency | None
    """Null where no verdict names a market."""
    drift: Drift | None
    """Null where no other run was given."""
    notes: tuple[str, ...]
    """What whoever reads this should know."""

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self)
