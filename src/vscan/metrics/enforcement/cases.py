"""Cases: what people ruled on one verdict under one policy, from first look to last appeal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import takewhile

from vscan.decisions.decision import Decision
from vscan.decisions.standing import UNDECIDED, standing
from vscan.metrics.enforcement.answers import rules
from vscan.metrics.enforcement.grouping import Window
from vscan.metrics.enforcement.seen import Seen, Verdicts
from vscan.metrics.moments import moment


@dataclass(frozen=True, eq=False)
class Case:
    """One verdict and policy that people ruled on; gold items are none."""

    verdict: str
    policy: str | None
    """Null for the verdict as a whole."""
    decisions: tuple[Decision, ...]
    """At least one, in the order of the log; no gold items."""
    seen: Seen | None
    """The verdict, where it is among those that were given."""

    @cached_property
    def first_at(self) -> datetime:
        """When it was first decided: its figures belong to that time, whatever came later."""
        return min(moment(each.decided_at) for each in self.decisions)

    @cached_property
    def market(self) -> str | None:
        """That was decided for; else that of the video."""
        told = [each.market for each in reversed(self.decisions) if each.market]
        return told[0] if told else (None if self.seen is None else self.seen.market)

    @cached_property
    def first(self) -> Decision | None:
        """The first look: the last of them, where one was taken back."""
        return next((each for each in reversed(self.decisions) if each.kind == "first"), None)

    @cached_property
    def stands(self) -> Decision | None:
        """The decision that stands; None where the only one is an appeal that was escalated."""
        return next(iter(standing(self.decisions).values()), None)

    @cached_property
    def before_appeal(self) -> Decision | None:
        """What stood before anybody appealed; looks that came later are none that was appealed."""
        before = takewhile(lambda each: each.kind != "appeal", self.decisions)
        return next(iter(standing(before).values()), None)

    @cached_property
    def violates(self) -> bool | None:
        """Whether what stands says that the policy is violated, where the verdict flags it; None
        where it does not flag it, or where that is not decided."""
        return rules(self.stands) if self.flagged and self.stands is not None else None

    @property
    def flagged(self) -> bool:
        """Whether the verdict flags it; not where the verdict is not at hand."""
        if self.seen is None:
            return False
        fired = self.seen.policies
        return bool(fired) if self.policy is None else self.policy in fired

    @property
    def appeals(self) -> tuple[Decision, ...]:
        """Answers to those who objected, escalated ones among them."""
        return tuple(each for each in self.decisions if each.kind == "appeal")


def cases(decisions: Iterable[Decision], verdicts: Verdicts, window: Window) -> list[Case]:
    """The cases that were first decided in the window; what was decided after it is not known.

    decisions: in the order of the log.
    """
    found: dict[tuple[str, str | None], list[Decision]] = {}
    for decision in decisions:
        if decision.kind != "gold" and not window.is_over(moment(decision.decided_at)):
            found.setdefault((decision.verdict, decision.policy), []).append(decision)
    made = (
        Case(verdict, policy, tuple(held), verdicts.by_id.get(verdict))
        for (verdict, policy), held in found.items()
    )
    return [case for case in made if window.holds(case.first_at)]


# Each of these says of one case whether it counts in a rate (None: it does not) and is so.


def upheld(case: Case) -> bool | None:
    """Whether what was flagged violates: of cases that the verdict flags and that are decided."""
    return case.violates


def overturned(case: Case) -> bool | None:
    """The contrary of `upheld`, of the same cases."""
    so = upheld(case)
    return None if so is None else not so


def escalated(case: Case) -> bool | None:
    """Whether the first look handed it on: of cases with a first look."""
    return None if case.first is None else case.first.ruling == UNDECIDED


def changed(case: Case) -> bool | None:
    """Whether what stands is another ruling than the first look's: of cases where both are one."""
    return _differs(case.first, case.stands)


def appealed(case: Case) -> bool | None:
    """Whether there is an answer to an appeal: of cases in which a ruling could be appealed."""
    if case.before_appeal is None or case.before_appeal.ruling == UNDECIDED:
        return None
    return bool(case.appeals)


def changed_on_appeal(case: Case) -> bool | None:
    """Whether the appeal changed what stood before it: of cases with an appeal that is decided."""
    decided = [each for each in case.appeals if each.ruling != UNDECIDED]
    return _differs(case.before_appeal, decided[-1]) if decided else None


def proactive(case: Case) -> bool | None:
    """Whether it was found before anybody reported it: of upheld cases of which that is known.

    Where both times are known they say; `found` is when it was flagged, else first decided on.
    """
    if not upheld(case) or case.seen is None:
        return None
    seen = case.seen
    if seen.reported_at is not None and seen.reported is not False:
        return (seen.flagged_at or case.first_at) < seen.reported_at
    return None if seen.reported is None else not seen.reported


def _differs(before: Decision | None, after: Decision | None) -> bool | None:
    if before is None or after is None or UNDECIDED in (before.ruling, after.ruling):
        return None
    return before.ruling != after.ruling
