"""How often each policy fired, with which action, and where its scores lie against thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vscan.policies.actions import Action
from vscan.policies.pack import PolicyPack
from vscan.store.browse import Record

BINS = 20
"""Bars of a histogram: each is 0.05 of a score wide, the last one takes in 1.0."""


@dataclass(frozen=True, kw_only=True)
class PolicyFigures:
    """One policy over all verdicts of a report."""

    policy: str
    title: str
    """From the pack; empty where there is none."""
    description: str
    severity: str
    videos: int
    """On which it fired."""
    actions: Mapping[str, int]
    """Those videos by the action that the policy recommends, the most severe first."""
    highest: float
    """The highest score, 0..1."""
    bins: tuple[int, ...]
    """(BINS,) findings by score."""
    thresholds: tuple[tuple[str, float], ...]
    """Action and the score from which it is recommended, the lowest first."""


@dataclass
class _Tally:
    severity: str
    actions: Counter[str] = field(default_factory=Counter)
    bins: list[int] = field(default_factory=lambda: [0] * BINS)
    highest: float = 0.0
    thresholds: set[tuple[str, float]] = field(default_factory=set)


def policy_figures(
    records: Iterable[Record], pack: PolicyPack | None = None
) -> tuple[PolicyFigures, ...]:
    """The policies that fired, those that fired on most videos first.

    pack: gives titles; and thresholds, for policies that it has. Without it the thresholds are
    those that findings name, which lack an action that was never recommended.
    """
    tallies: dict[str, _Tally] = {}
    for record in records:
        for finding in record["findings"]:
            tally = tallies.setdefault(finding["policy"], _Tally(finding["severity"]))
            tally.actions[finding["action"]] += 1
            tally.bins[_bin(finding["score"])] += 1
            tally.highest = max(tally.highest, finding["score"])
            tally.thresholds.add((finding["action"], finding["threshold"]))
    made = (_figures(policy, tally, pack) for policy, tally in tallies.items())
    return tuple(sorted(made, key=lambda each: (-each.videos, each.policy)))


def _figures(policy: str, tally: _Tally, pack: PolicyPack | None) -> PolicyFigures:
    known = pack.policy(policy) if pack is not None and policy in pack else None
    thresholds = tally.thresholds
    if known is not None:
        told = ((str(action), known.thresholds.of(action)) for action in Action)
        thresholds = {(action, at) for action, at in told if at is not None}
    by_action = sorted(tally.actions, key=lambda action: -Action.of(action))
    return PolicyFigures(
        policy=policy,
        title=known.title if known is not None else "",
        description=known.description if known is not None else "",
        severity=tally.severity,
        videos=tally.actions.total(),
        actions={action: tally.actions[action] for action in by_action},
        highest=tally.highest,
        bins=tuple(tally.bins),
        thresholds=tuple(sorted(thresholds, key=lambda each: (each[1], each[0]))),
    )


def _bin(score: float) -> int:
    # In whole ten thousandths, as scores are written: 0.35 * 20 is a little more than 7.
    return min(BINS - 1, max(0, round(score * 10_000) * BINS // 10_000))
