"""Whether one pack is enforced alike in all markets, or they differ by more than chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from vscan.metrics.enforcement import cases as so
from vscan.metrics.enforcement.cases import Case
from vscan.metrics.enforcement.grouping import UNKNOWN
from vscan.metrics.enforcement.homogeneity import difference, holm, homogeneity
from vscan.metrics.enforcement.seen import Seen
from vscan.metrics.figures import Figure, figure, share

BEYOND_CHANCE = 0.05
"""Corrected p below which markets are said to differ."""
CAUTION = (
    "a difference between markets is one of what was looked at and how it was ruled on: differing"
    " content may be its cause, not differing enforcement"
)
Measure = Literal["flagged_share", "precision", "decision_overturn_rate"]
_RULED: tuple[tuple[Measure, Callable[[Case], bool | None]], ...] = (
    ("precision", so.upheld),
    ("decision_overturn_rate", so.changed),
)


@dataclass(frozen=True, kw_only=True)
class MarketRate:
    """One market's rate."""

    market: str
    rate: Figure


@dataclass(frozen=True, kw_only=True)
class MarketTest:
    """One measure of one policy in all markets that have enough cases."""

    policy: str
    measure: Measure
    markets: tuple[MarketRate, ...]
    """All of them, those without a rate too: these are not in the test."""
    p: float | None
    """Of the test that the rate is the same in all; null where it was not made."""
    p_corrected: float | None
    """By Holm, over all policies and measures."""
    method: str | None
    """`chi-square`, or `permutation` where little is expected in some market."""
    v: float | None
    """Cramér's V, 0..1: how large the difference is, whatever the number of cases."""
    differs: bool
    """Whether the corrected p is below 0.05."""
    furthest: str | None
    """The market furthest from what all together would let expect."""
    furthest_difference: Figure | None
    """Its rate less that of all others together."""
    withheld: str | None
    """Why there is no test."""


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """Market by market under one pack."""

    pack: str
    """The pack of most of the verdicts that name a market."""
    videos: int
    """Judged under it, in a market that is named."""
    other_packs: int
    """Videos with a market that another pack judged: in none of these figures."""
    without_market: int
    seed: int
    """Of the permutation tests."""
    tests: tuple[MarketTest, ...]
    notes: tuple[str, ...]


_Counts = dict[str, tuple[int, int]]
"""By market: how many are so, of how many."""


def consistency(
    verdicts: Iterable[Seen], cases: Iterable[Case], *, least: int, seed: int
) -> Consistency | None:
    """Rates by market and the tests of whether they are one; None where no verdict has a market.

    A case counts in the market that it was decided for. least: cases that a market needs.
    """
    judged = [seen for seen in verdicts if not seen.is_error]
    placed = [seen for seen in judged if seen.market is not None]
    packs = Counter(seen.pack for seen in placed)
    if not packs:
        return None
    pack = min(packs, key=lambda name: (-packs[name], name))
    mine = [seen for seen in placed if seen.pack == pack]
    of_market = Counter(seen.market or UNKNOWN for seen in mine)
    flagged = Counter((name, seen.market or UNKNOWN) for seen in mine for name in seen.policies)
    ruled = [case for case in cases if case.seen is not None and case.seen.pack == pack]
    tests: list[MarketTest] = []
    for policy in sorted({name for name, _ in flagged}):
        counts = {market: (flagged[policy, market], of) for market, of in of_market.items()}
        tests.append(_test(policy, "flagged_share", counts, least, seed))
        held = [case for case in ruled if case.policy == policy and case.market is not None]
        for measure, which in _RULED:
            tests.append(_test(policy, measure, _counted(held, which), least, seed))
    return Consistency(
        pack=pack,
        videos=len(mine),
        other_packs=len(placed) - len(mine),
        without_market=len(judged) - len(placed),
        seed=seed,
        tests=tuple(_corrected(tests)),
        notes=(CAUTION,),
    )


def _counted(cases: Iterable[Case], which: Callable[[Case], bool | None]) -> _Counts:
    counts: _Counts = {}
    for case in cases:
        if (state := which(case)) is not None:
            part, of = counts.get(case.market or UNKNOWN, (0, 0))
            counts[case.market or UNKNOWN] = (part + state, of + 1)
    return counts


def _test(policy: str, measure: Measure, counts: _Counts, least: int, seed: int) -> MarketTest:
    enough = {market: counts[market] for market in sorted(counts) if counts[market][1] >= least}
    found = homogeneity(list(enough.values()), seed=seed) if len(enough) > 1 else None
    made = MarketTest(
        policy=policy,
        measure=measure,
        markets=tuple(
            MarketRate(market=market, rate=share(*counts[market], least=least, what="cases"))
            for market in sorted(counts)
        ),
        p=None,
        p_corrected=None,
        method=None,
        v=None,
        differs=False,
        furthest=None,
        furthest_difference=None,
        withheld=None,
    )
    if found is None:
        why = (
            "all or none are so in every market"
            if len(enough) > 1
            else f"fewer than two markets have {least} cases"
        )
        return replace(made, withheld=why)
    furthest = list(enough)[found.furthest]
    part, of = enough[furthest]
    others = [one for market, one in enough.items() if market != furthest]
    rest = (sum(each for each, _ in others), sum(each for _, each in others))
    return replace(
        made,
        p=found.p,
        method=found.method,
        v=round(found.v, 4),
        furthest=furthest,
        furthest_difference=figure(difference((part, of), rest), of),
    )


def _corrected(tests: list[MarketTest]) -> Iterable[MarketTest]:
    corrected = holm({f"{at:09}": each.p for at, each in enumerate(tests) if each.p is not None})
    for at, each in enumerate(tests):
        p = corrected.get(f"{at:09}")
        if p is None or each.p is None:
            yield each
        else:
            yield replace(
                each,
                p=float(f"{each.p:.3g}"),
                p_corrected=float(f"{p:.3g}"),
                differs=p < BEYOND_CHANCE,
            )
