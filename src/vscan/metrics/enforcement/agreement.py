"""Whether reviewers agree with each other, and with answers that were known before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vscan.decisions.decision import Decision
from vscan.metrics.enforcement.agreement_statistics import alpha, kappa
from vscan.metrics.enforcement.answers import Answers, Names, rules
from vscan.metrics.enforcement.cases import Case
from vscan.metrics.enforcement.grouping import Window
from vscan.metrics.figures import Figure, figure, none, share, too_few
from vscan.metrics.moments import moment
from vscan.metrics.proportions import Estimate


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """First and second looks at the same cases; their rulings are uphold, overturn, escalate."""

    policy: str | None
    """Null for all together."""
    pairs: int
    """Second looks, each with the first one that it is about."""
    agreed: Figure
    """Pairs with the same ruling."""
    kappa: Figure
    """Cohen's, between the first looks and the second ones, whoever they were by."""
    alpha: Figure
    """Krippendorff's, of all first and second looks at a case, whoever they were by; `of` counts
    cases that two people or more looked at."""


@dataclass(frozen=True, kw_only=True)
class GoldAccuracy:
    """One reviewer on items whose answer was known."""

    reviewer: str
    right: int
    wrong: int
    unscored: int
    """Escalated, overturned for a reason that leaves it open, or on a whole verdict."""
    unknown: int
    """Gold decisions that no known answer was given for."""
    accuracy: Figure


def agreements(cases: Iterable[Case], *, least: int, seed: int) -> tuple[Agreement, ...]:
    """Of all cases, and by policy; none where there are no second looks."""
    held: dict[str | None, list[Case]] = {}
    for case in cases:
        if any(each.kind == "second" for each in case.decisions):
            held.setdefault(None, []).append(case)
            if case.policy is not None:
                held.setdefault(case.policy, []).append(case)
    order = sorted(held, key=lambda name: (name is not None, name or ""))
    return tuple(_agreement(policy, held[policy], least, seed) for policy in order)


def _agreement(policy: str | None, cases: list[Case], least: int, seed: int) -> Agreement:
    pairs: Counter[tuple[str, str]] = Counter()
    units: list[tuple[str, ...]] = []
    for case in cases:
        firsts = {each.id: each for each in case.decisions if each.kind == "first"}
        latest: dict[str, str] = {}
        for each in case.decisions:
            if each.kind == "second" and each.about in firsts:
                pairs[firsts[each.about].ruling, each.ruling] += 1
            if each.kind in ("first", "second"):
                latest[each.reviewer] = each.ruling
        if len(latest) > 1:
            units.append(tuple(latest.values()))
    total = pairs.total()
    agreed = sum(count for (one, two), count in pairs.items() if one == two)
    one_word = "all rulings are the same: chance alone would agree as well"
    return Agreement(
        policy=policy,
        pairs=total,
        agreed=share(agreed, total, least=least, what="second looks"),
        kappa=_coefficient(kappa(pairs), total, least, "second looks", one_word),
        alpha=_coefficient(
            alpha(units, seed=seed), len(units), least, "cases seen by two", one_word
        ),
    )


def _coefficient(
    estimate: Estimate | None, of: int, least: int, what: str, otherwise: str
) -> Figure:
    if of < least:
        return none(of, too_few(of, least, what))
    if estimate is None:
        return none(of, otherwise)
    if estimate.low == estimate.high:
        # Where nobody disagreed the sample says nothing of how far the value may be off.
        return Figure(value=round(estimate.value, 4), of=of)
    return figure(estimate, of)


def gold_accuracy(
    decisions: Iterable[Decision], known: Answers, window: Window, *, least: int
) -> tuple[GoldAccuracy, ...]:
    """Each reviewer's gold decisions held against known answers: of a case the last one counts."""
    latest: dict[tuple[str, str, str | None], Decision] = {}
    for decision in decisions:
        if decision.kind == "gold" and window.holds(moment(decision.decided_at)):
            latest[decision.reviewer, decision.verdict, decision.policy] = decision
    counts: dict[str, Counter[str]] = {}
    for decision in latest.values():
        counts.setdefault(decision.reviewer, Counter())[_score(decision, known)] += 1
    return tuple(_accuracy(name, counts[name], least) for name in sorted(counts))


def _score(decision: Decision, known: Answers) -> str:
    said = rules(decision)
    if said is None or decision.policy is None:
        return "unscored"
    answer = known.find(Names(decision.verdict, decision.sha256, decision.uri), decision.policy)
    if answer is None:
        return "unknown"
    return "right" if said == answer else "wrong"


def _accuracy(reviewer: str, counts: Mapping[str, int], least: int) -> GoldAccuracy:
    right, wrong = counts["right"], counts["wrong"]
    return GoldAccuracy(
        reviewer=reviewer,
        right=right,
        wrong=wrong,
        unscored=counts["unscored"],
        unknown=counts["unknown"],
        accuracy=share(right, right + wrong, least=least, what="gold items"),
    )
