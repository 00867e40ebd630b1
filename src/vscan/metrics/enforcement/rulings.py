"""What rulings say of verdicts and of each other, by group: precision, overturns, appeals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vscan.metrics.enforcement import cases as so
from vscan.metrics.enforcement.cases import Case
from vscan.metrics.enforcement.grouping import Grouping, Key
from vscan.metrics.enforcement.turnaround import Turnaround, turnaround
from vscan.metrics.figures import Figure, none, share


@dataclass(frozen=True, kw_only=True)
class Rulings:
    """One group's cases, by the time of their first decision.

    A case is a verdict and a policy. Without a policy the group's rates count verdicts instead, for
    the cases of one verdict are not independent: a verdict is so where any of its cases is.
    """

    cases: int
    decisions: int
    upheld: int
    """Cases that stand as violating, of those that the verdict flags."""
    overturned: int
    """Cases that stand as a false positive or as flagged under the wrong policy."""
    undecided: int
    """The other flagged cases: escalated, or overturned for a technical reason or a missed
    segment."""
    not_flagged: int
    """Cases of which the verdict flags nothing, as those of a sample: they are in no precision."""
    precision: Figure
    """Upheld of upheld and overturned."""
    verdict_overturn_rate: Figure
    """Overturned of upheld and overturned: how often the machine's flag did not hold."""
    decision_overturn_rate: Figure
    """First looks whose ruling is not the one that stands, of those that ruled: how often the first
    reviewer's word did not hold."""
    escalation_rate: Figure
    """First looks that were escalated."""
    appeal_rate: Figure
    """Cases with an appeal that was answered, of those with a ruling that could be appealed."""
    appeal_overturn_rate: Figure
    """Decided appeals that changed the ruling."""
    proactive_rate: Figure
    """Upheld cases that were found before anybody reported them, of those of which it is known."""
    report_unknown: int
    """Upheld cases of which it is not known."""
    turnaround: Turnaround


def ruling_groups(cases: Iterable[Case], groups: Grouping, *, least: int) -> dict[Key, Rulings]:
    """By group, the figures of its cases; only of cases whose verdict is known."""
    held: dict[Key, list[Case]] = {}
    for case in cases:
        if case.seen is None:
            continue
        told = groups.policies([] if case.policy is None else [case.policy])
        for market, period in groups.places(case.market, case.first_at):
            for policy in told:
                held.setdefault(Key(policy, market, period), []).append(case)
    return {key: _rulings(mine, least, together=key.policy is None) for key, mine in held.items()}


def _rulings(cases: list[Case], least: int, *, together: bool) -> Rulings:
    def rate(
        counts: Callable[[Case], bool | None],
        what: str,
        join: Callable[[Iterable[bool]], bool] = any,
    ) -> Figure:
        if together:
            what = what.replace("cases", "verdicts")
        told = states(cases, counts, join) if together else _known(map(counts, cases))
        return share(sum(told), len(told), least=least, what=what)

    held, fell = (_known(map(which, cases)) for which in (so.upheld, so.overturned))
    silent = sum(not case.flagged for case in cases)
    known = _known(map(so.proactive, cases))
    proactive = rate(so.proactive, "upheld cases of which it is known")
    if not known:
        why = (
            "source.meta says neither `reported` nor `reported_at`" if sum(held) else
            "nothing is upheld"
        )  # fmt: skip
        proactive = none(0, why)
    return Rulings(
        cases=len(cases),
        decisions=sum(len(case.decisions) for case in cases),
        upheld=sum(held),
        overturned=sum(fell),
        undecided=len(cases) - len(held) - silent,
        not_flagged=silent,
        precision=rate(so.upheld, "decided cases"),
        verdict_overturn_rate=rate(so.overturned, "decided cases", all),
        decision_overturn_rate=rate(so.changed, "cases with a first ruling that is settled"),
        escalation_rate=rate(so.escalated, "cases with a first look"),
        appeal_rate=rate(so.appealed, "cases that could be appealed"),
        appeal_overturn_rate=rate(so.changed_on_appeal, "cases with a decided appeal"),
        proactive_rate=proactive,
        report_unknown=sum(held) - len(known),
        turnaround=turnaround(cases, least=least),
    )


def states(
    cases: Iterable[Case],
    counts: Callable[[Case], bool | None],
    join: Callable[[Iterable[bool]], bool] = any,
) -> list[bool]:
    """What `counts` says of each verdict, put together by `join` from those of its cases that it
    speaks of."""
    found: dict[str, list[bool]] = {}
    for case in cases:
        if (state := counts(case)) is not None:
            found.setdefault(case.verdict, []).append(state)
    return [join(each) for each in found.values()]


def _known(told: Iterable[bool | None]) -> list[bool]:
    return [each for each in told if each is not None]
