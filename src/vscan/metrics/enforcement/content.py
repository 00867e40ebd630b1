"""What verdicts flag, by group: videos, errors, actions, seconds, and the share that is flagged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from vscan.metrics.enforcement.grouping import Grouping, Key
from vscan.metrics.enforcement.seen import Seen
from vscan.metrics.figures import Figure, share


@dataclass(frozen=True, kw_only=True)
class Content:
    """Videos of one group, by the time of their upload, and what is flagged of them."""

    videos: int
    """With errors."""
    errors: int
    """Could not be judged: a person has to look, and they are in no rate."""
    flagged: int
    """With any action; under the group's policy where it has one."""
    review: int
    """Of the flagged, by action."""
    escalate: int
    remove: int
    segments_s: float
    """Seconds in flagged segments, where they overlap counted once."""
    flagged_share: Figure
    """Of the videos that could be judged."""


@dataclass
class _Counts:
    videos: int = 0
    errors: int = 0


def content_groups(seen: Iterable[Seen], groups: Grouping, *, least: int) -> dict[Key, Content]:
    """By group, what is flagged; a policy has a group wherever there are videos at all."""
    totals: dict[tuple[str | None, ...], _Counts] = {}
    actions: dict[Key, Counter[str]] = {}
    seconds: dict[Key, float] = {}
    policies: set[str | None] = {None}
    for each in seen:
        flagged: dict[str | None, str] = {}
        if each.action != "allow" and not each.is_error:
            flagged[None] = each.action
        spent: dict[str | None, float] = {None: each.seconds}
        told = groups.policies(each.policies)
        policies |= told
        for finding in each.findings:
            if finding.policy in told:
                flagged[finding.policy] = finding.action
                spent[finding.policy] = finding.seconds
        for market, period in groups.places(each.market, each.uploaded_at):
            counts = totals.setdefault((market, period), _Counts())
            counts.videos += 1
            counts.errors += each.is_error
            for policy, action in flagged.items():
                key = Key(policy, market, period)
                actions.setdefault(key, Counter())[action] += 1
                seconds[key] = seconds.get(key, 0.0) + spent[policy]
    return {
        (key := Key(policy, market, period)): _content(
            counts, actions.get(key, Counter()), seconds.get(key, 0.0), least
        )
        for (market, period), counts in totals.items()
        for policy in policies
    }


def _content(counts: _Counts, actions: Counter[str], seconds: float, least: int) -> Content:
    judged = counts.videos - counts.errors
    return Content(
        videos=counts.videos,
        errors=counts.errors,
        flagged=actions.total(),
        review=actions["review"],
        escalate=actions["escalate"],
        remove=actions["remove"],
        segments_s=round(seconds, 1),
        flagged_share=share(actions.total(), judged, least=least, what="videos that were judged"),
    )
