"""How much a pack flags: videos by policy and action, what they become, and a reviewer's hours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from vscan.intervals import Interval, union
from vscan.verdicts import ActionName, Outcome, Verdict

MINUTES_PER_REVIEW = 2.0
"""Minutes that a person takes for one flagged video, where nobody has said: an assumption, which
nothing was measured for."""
FlaggedAs = Literal["flagged", "review", "escalate", "remove"]
FLAGGED_AS: tuple[FlaggedAs, ...] = ("flagged", "review", "escalate", "remove")
"""`flagged` is any of the actions that follow it."""
_Count = tuple[str | None, str]


@dataclass(frozen=True, kw_only=True)
class Volume:
    """Videos that are flagged under one policy with one action."""

    policy: str | None
    """Null for a video's verdict as a whole."""
    action: FlaggedAs
    old: int
    new: int
    gained: int
    """Flagged so under the new pack alone."""
    lost: int
    """Flagged so under the old pack alone."""


@dataclass(frozen=True, kw_only=True)
class Transition:
    """Videos that had one outcome and action, and what they have now."""

    old_outcome: Outcome
    old_action: ActionName
    new_outcome: Outcome
    new_action: ActionName
    videos: int


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What one pack gives people to do: every flagged video, for a verdict only recommends."""

    flagged: int
    """Videos whose outcome is review or violation."""
    share: float
    """Of the videos that were compared, 0..1."""
    hours: float
    """At the minutes per review that were assumed."""
    footage_s: float
    """Seconds in flagged segments, where they overlap counted once."""


@dataclass
class VolumeCount:
    """Counts pairs of verdicts as they come; neither of a pair is an error."""

    compared: int = 0
    transitions: Counter[tuple[Outcome, ActionName, Outcome, ActionName]] = field(
        default_factory=Counter
    )
    _old: Counter[_Count] = field(default_factory=Counter)
    _new: Counter[_Count] = field(default_factory=Counter)
    _gained: Counter[_Count] = field(default_factory=Counter)
    _lost: Counter[_Count] = field(default_factory=Counter)
    _footage_s: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def see(self, old: Verdict, new: Verdict) -> None:
        """Count one video."""
        self.compared += 1
        self.transitions[old.outcome, old.action, new.outcome, new.action] += 1
        before, after = _flagged_as(old), _flagged_as(new)
        if before or after:
            self._old.update(before)
            self._new.update(after)
            self._gained.update(after - before)
            self._lost.update(before - after)
            for place, verdict in enumerate((old, new)):
                self._footage_s[place] += footage_s(verdict)

    def volumes(self) -> tuple[Volume, ...]:
        """All that was flagged: videos as a whole first, then each policy by its name."""
        policies = sorted({policy for policy, _ in (self._old | self._new) if policy is not None})
        return tuple(
            Volume(
                policy=policy,
                action=action,
                old=self._old[policy, action],
                new=self._new[policy, action],
                gained=self._gained[policy, action],
                lost=self._lost[policy, action],
            )
            for policy in (None, *policies)
            for action in FLAGGED_AS
            if action == "flagged" or self._old[policy, action] or self._new[policy, action]
        )

    def moves(self) -> tuple[Transition, ...]:
        """What became of all videos, the most frequent first."""
        order = sorted(self.transitions.items(), key=lambda each: (-each[1], each[0]))
        return tuple(
            Transition(
                old_outcome=key[0],
                old_action=key[1],
                new_outcome=key[2],
                new_action=key[3],
                videos=videos,
            )
            for key, videos in order
        )

    def workloads(self, minutes_per_review: float) -> tuple[Workload, Workload]:
        """Under the old pack, and under the new one."""
        old, new = (
            Workload(
                flagged=counted[None, "flagged"],
                share=round(counted[None, "flagged"] / max(1, self.compared), 4),
                hours=round(counted[None, "flagged"] * minutes_per_review / 60, 2),
                footage_s=round(self._footage_s[place], 1),
            )
            for place, counted in enumerate((self._old, self._new))
        )
        return old, new


def footage_s(verdict: Verdict) -> float:
    """Seconds of the video in which any policy fires."""
    spans = [
        Interval(segment.start_s, segment.end_s)
        for finding in verdict.findings
        for segment in finding.segments
    ]
    return sum(each.length_s for each in union(spans))


def _flagged_as(verdict: Verdict) -> set[_Count]:
    found: set[_Count] = set()
    for finding in verdict.findings:
        found |= {(finding.policy, finding.action), (finding.policy, "flagged")}
    if verdict.action != "allow":
        found |= {(None, verdict.action), (None, "flagged")}
    return found
