"""Recall, prevalence and violative view rate, from a probability sample and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vscan.metrics.enforcement.grouping import UNKNOWN
from vscan.metrics.enforcement.picks import Drawn, Picks
from vscan.metrics.enforcement.weighted import (
    Stratum,
    effective,
    part_of_total,
    share_of_all,
)
from vscan.metrics.figures import Figure, figure, none
from vscan.metrics.proportions import Estimate

LEAST_ANSWERED = 0.8
"""Share of the picks of a policy that has to be answered before anything is estimated from them,
and share of the population that these have to stand for before anything is said of the whole (the
weighted response rate)."""
NO_SAMPLE = (
    "needs a probability sample (--sample): a folder, or what reviewers happened to look at, says"
    " nothing of what was missed"
)

ONLY_FLAGGED = "only flagged videos were drawn: what was not flagged is not known"
NO_MARKET = "no market"
"""How the name of a stratum ends whose videos name none."""
MIXED = "a stratum mixes flagged and other videos"


@dataclass(frozen=True, kw_only=True)
class StratumSeen:
    """One stratum of the sample."""

    stratum: str
    flagged: bool | None
    """Whether the policy fires on its videos; null where on some of them."""
    population: int
    sampled: int
    answered: int
    violating: int
    """Of the answered."""


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """What a sample says of the whole that it was drawn from, under one policy."""

    policy: str
    market: str | None
    """Null for all together; a market is told apart where its strata were made for it."""
    population: int
    sampled: int
    answered: int
    """The others are non-response: nothing is known of them, and the estimates take it that within
    a stratum they are like the answered ones."""
    effective: float
    """Answers of a simple random sample that these are worth by their weights alone (Kish)."""
    prevalence: Figure
    """Share of the population that violates the policy, flagged or not."""
    recall: Figure
    """Share of the violating ones that are flagged."""
    precision: Figure
    """Share of the flagged ones that violate."""
    violative_view_rate: Figure
    """Share of all views that are views of violating videos."""
    strata: tuple[StratumSeen, ...]


Answered = list[tuple[Drawn, bool | None]]
"""Picks, and whether each violates; None where nobody has said."""


def sampled(
    picks: Picks, answer: Callable[[Drawn], bool | None], *, least: int, by_market: bool
) -> Iterator[Sampled]:
    """Estimates by policy and, where each stratum is of one market, by market too."""
    told = [(pick, answer(pick)) for pick in picks.drawn]
    for policy in sorted({pick.policy for pick, _ in told}):
        mine = [(pick, so) for pick, so in told if pick.policy == policy]
        yield _sampled(policy, None, mine, least)
        if by_market and markets_apart(mine):
            for market in sorted({pick.market or UNKNOWN for pick, _ in mine}):
                yield _sampled(
                    policy,
                    market,
                    [each for each in mine if (each[0].market or UNKNOWN) == market],
                    least,
                )


def markets_apart(told: Answered) -> bool:
    """Whether every stratum was made for one market, so that its population is known too.

    Its name says so (`weapons/flagged/DE`): that all that were drawn are of one market may be
    chance.
    """
    return all(pick.stratum.endswith(f"/{pick.market or NO_MARKET}") for pick, _ in told)


def _sampled(policy: str, market: str | None, told: Answered, least: int) -> Sampled:
    names = sorted({pick.stratum for pick, _ in told})
    strata = {name: [each for each in told if each[0].stratum == name] for name in names}
    seen = tuple(_seen(name, strata[name]) for name in names)
    answered = sum(each.answered for each in seen)
    why = _why_not(seen, answered, len(told), least)
    by_views = all(pick.views is not None for pick, so in told if so is not None)
    parts = {name: _stratum(each, views=False) for name, each in strata.items() if not why}
    flagged = [parts[each.stratum] for each in seen if each.flagged is True and not why]
    others = [parts[each.stratum] for each in seen if each.flagged is False and not why]
    mixed = any(each.flagged is None for each in seen)
    only = ONLY_FLAGGED if all(each.flagged for each in seen) else None
    unseen = why or only or _too_much_silence(seen)
    split = unseen or (MIXED if mixed else None)

    def tell(reason: str | None, estimate: Callable[[], Estimate | None], nothing: str) -> Figure:
        found = None if reason else estimate()
        return none(answered, reason or nothing) if found is None else figure(found, answered)

    return Sampled(
        policy=policy,
        market=market,
        population=sum(each.population for each in seen),
        sampled=len(told),
        answered=answered,
        effective=round(effective(list(parts.values())), 1) if parts else 0.0,
        prevalence=tell(unseen, lambda: share_of_all(list(parts.values())), ""),
        recall=tell(
            split or (None if flagged else "nothing is flagged under it"),
            lambda: part_of_total(flagged, others),
            "nothing in the sample violates",
        ),
        precision=tell(
            why or (MIXED if mixed else None),
            lambda: share_of_all(flagged) if flagged else None,
            "nothing flagged was drawn",
        ),
        violative_view_rate=tell(
            unseen or (None if by_views else "the views of some answered picks are not known"),
            lambda: _by_views(list(strata.values())),
            "nothing was viewed",
        ),
        strata=seen,
    )  # fmt: skip


def _why_not(seen: Sequence[StratumSeen], answered: int, drawn: int, least: int) -> str | None:
    """Why nothing can be estimated, if so."""
    if answered < LEAST_ANSWERED * drawn:
        return f"{answered} of {drawn} picks are answered, and {LEAST_ANSWERED:.0%} are needed"
    if silent := [each.stratum for each in seen if not each.answered]:
        return f"nothing of {silent[0]} is answered"
    if answered < least:
        return f"too few answers: {answered}, and {least} are needed"
    return None


def _too_much_silence(seen: Sequence[StratumSeen]) -> str | None:
    """Why nothing can be said of the whole where few answered in strata that most of it is in."""
    spoken = sum(each.population * each.answered / each.sampled for each in seen)
    whole = sum(each.population for each in seen)
    if spoken >= LEAST_ANSWERED * whole:
        return None
    return (
        f"the answered picks stand for {spoken / whole:.0%} of the videos, and"
        f" {LEAST_ANSWERED:.0%} are needed"
    )


def _seen(name: str, told: Answered) -> StratumSeen:
    flagged = {pick.flagged for pick, _ in told}
    return StratumSeen(
        stratum=name,
        flagged=flagged.pop() if len(flagged) == 1 else None,
        population=told[0][0].population,
        sampled=len(told),
        answered=sum(so is not None for _, so in told),
        violating=sum(so is True for _, so in told),
    )


def _stratum(told: Answered, *, views: bool) -> Stratum:
    answered = [(pick, so) for pick, so in told if so is not None]
    sizes = tuple(pick.views or 0.0 for pick, _ in answered) if views else ()
    return Stratum(told[0][0].population, tuple(so for _, so in answered), sizes)


def _by_views(strata: list[Answered]) -> Estimate | None:
    parts = [_stratum(each, views=True) for each in strata]
    return share_of_all(parts) if any(sum(part.sizes) for part in parts) else None
