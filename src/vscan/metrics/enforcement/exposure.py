"""What reviewers had to look at: hours, by severity and policy, and the longest day of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vscan.decisions.decision import Decision
from vscan.metrics.enforcement.grouping import UNKNOWN, Window
from vscan.metrics.enforcement.seen import Seen, Verdicts
from vscan.metrics.moments import moment
from vscan.policies.actions import SEVERITIES

WHOLE = "(whole verdict)"
"""Stands where a decision is on no single policy."""


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """What one reviewer looked at, as far as `seconds_viewed` was measured; gold items count, for
    they are looked at too."""

    reviewer: str
    decisions: int
    unmeasured: int
    """Decisions without `seconds_viewed`: what they took is in no sum."""
    viewed_s: float
    by_severity: Mapping[str, float]
    """Seconds; of the policy that was ruled on, of a whole verdict the gravest."""
    by_policy: Mapping[str, float]
    longest_day_s: float
    """The most seconds of one day in UTC."""
    longest_day: str | None
    """The first such day; null where nothing was measured."""


@dataclass
class _Held:
    decisions: int = 0
    unmeasured: int = 0
    severities: dict[str, float] = field(default_factory=dict)
    policies: dict[str, float] = field(default_factory=dict)
    days: dict[str, float] = field(default_factory=dict)


def exposures(
    decisions: Iterable[Decision], verdicts: Verdicts, window: Window
) -> tuple[Exposure, ...]:
    """Of each reviewer, those who looked longest first."""
    held: dict[str, _Held] = {}
    for decision in decisions:
        at = moment(decision.decided_at)
        if not window.holds(at):
            continue
        mine = held.setdefault(decision.reviewer, _Held())
        mine.decisions += 1
        if decision.seconds_viewed is None:
            mine.unmeasured += 1
            continue
        severity = _severity(verdicts.by_id.get(decision.verdict), decision.policy)
        for sums, name in (
            (mine.severities, severity),
            (mine.policies, decision.policy or WHOLE),
            (mine.days, at.date().isoformat()),
        ):
            sums[name] = sums.get(name, 0.0) + decision.seconds_viewed
    made = [_exposure(name, mine) for name, mine in held.items()]
    return tuple(sorted(made, key=lambda each: (-each.viewed_s, each.reviewer)))


def _exposure(reviewer: str, mine: _Held) -> Exposure:
    longest = min(mine.days.items(), key=lambda each: (-each[1], each[0]), default=None)
    order = (*reversed(SEVERITIES), *sorted(mine.severities.keys() - {*SEVERITIES}))
    return Exposure(
        reviewer=reviewer,
        decisions=mine.decisions,
        unmeasured=mine.unmeasured,
        viewed_s=round(sum(mine.days.values()), 1),
        by_severity={
            name: round(mine.severities[name], 1) for name in order if name in mine.severities
        },
        by_policy={name: round(mine.policies[name], 1) for name in sorted(mine.policies)},
        longest_day_s=0.0 if longest is None else round(longest[1], 1),
        longest_day=None if longest is None else longest[0],
    )


def _severity(seen: Seen | None, policy: str | None) -> str:
    told = [
        each.severity
        for each in (() if seen is None else seen.findings)
        if policy in (None, each.policy)
    ]
    known = [each for each in SEVERITIES if each in told]
    return known[-1] if known else (told[0] if told else UNKNOWN)
