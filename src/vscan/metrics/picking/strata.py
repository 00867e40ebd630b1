"""A stratified sample: every video may be drawn, with a chance that is known.

Strata are a policy's flagged videos, its near-misses and all others, and on demand their markets.
Within each, videos are drawn alike and without replacement, so a label stands for population /
sampled videos (Horvitz and Thompson, JASA 47, 1952).
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vscan.errors import UsageError
from vscan.metrics.picking.answered import Answered
from vscan.metrics.picking.candidates import Candidate
from vscan.metrics.picking.record import Pick

LEAST = 2
"""Videos drawn of a stratum at least: one alone tells nothing of how they differ."""
KINDS = ("flagged", "near-miss", "rest")


@dataclass
class Stratified:
    """Draws `size` videos; holds no more than that many of each stratum."""

    size: int
    seed: int
    near: Mapping[str, float]
    """By policy the score from which an unflagged video is a near-miss; a policy without one has
    none."""
    by_market: bool = False
    answered: Answered = field(default_factory=Answered)
    population: Counter[str] = field(default_factory=Counter)
    _kept: dict[str, list[tuple[int, str, Candidate]]] = field(default_factory=dict)
    """By stratum a heap of (less its place, URI, candidate): the last place is on top."""

    def see(self, candidate: Candidate) -> None:
        """Count one video under one policy, and keep it where its place is among the first."""
        stratum = self._stratum(candidate)
        self.population[stratum] += 1
        kept = self._kept.setdefault(stratum, [])
        entry = (-candidate.place(self.seed), candidate.uri, candidate)
        if len(kept) < self.size:
            heapq.heappush(kept, entry)
        elif kept and entry[:2] > kept[0][:2]:
            heapq.heapreplace(kept, entry)

    def picks(self) -> Iterator[Pick]:
        """The sample, by stratum. Raises UsageError where it is too small for its strata."""
        names = sorted(self.population, key=_order)
        sizes = allocated([self.population[name] for name in names], self.size)
        for stratum, sampled in zip(names, sizes, strict=True):
            of = self.population[stratum]
            drawn = sorted(self._kept[stratum], key=lambda each: (-each[0], each[1]))[:sampled]
            for _, _, candidate in drawn:
                reason = f"drawn by chance: {sampled} of {of} videos of {stratum}"
                said = self.answered.of(candidate)
                if said is not None:
                    reason += f"; answered already: {said}"
                yield candidate.pick(
                    "stratified",
                    self.seed,
                    stratum=stratum,
                    population=of,
                    sampled=sampled,
                    weight=of / sampled,
                    reason=reason,
                )

    def _stratum(self, candidate: Candidate) -> str:
        kind, near = "rest", self.near.get(candidate.policy or "")
        if candidate.flagged:
            kind = "flagged"
        elif near is not None and candidate.score is not None and candidate.score >= near:
            kind = "near-miss"
        stratum = f"{candidate.policy}/{kind}"
        return f"{stratum}/{candidate.market or 'no market'}" if self.by_market else stratum


def _order(stratum: str) -> tuple[str, int, str]:
    policy, kind, *market = stratum.split("/")
    return policy, KINDS.index(kind), "/".join(market)


def allocated(populations: list[int], size: int) -> list[int]:
    """Videos to draw of each stratum: half of all in equal parts, so that the small strata, which
    hold most of what is looked for, tell something; half by population, so that the large ones do.

    Never more than a stratum holds, and LEAST of each. Raises UsageError where `size` is less than
    that.
    """
    least = [min(LEAST, each) for each in populations]
    total = min(size, sum(populations))
    if total < sum(least):
        raise UsageError(
            f"{size} videos are too few for {len(populations)} strata: {sum(least)} are needed",
            remedy=f"ask for more (-n {sum(least)}), or for one policy (--on)",
        )
    whole = sum(populations)
    wanted = [total * (0.5 / len(populations) + 0.5 * each / whole) for each in populations]
    drawn = [
        max(low, min(each, int(want)))
        for low, each, want in zip(least, populations, wanted, strict=True)
    ]
    places = range(len(populations))
    while sum(drawn) < total:
        room = [at for at in places if drawn[at] < populations[at]]
        drawn[max(room, key=lambda at: (wanted[at] - drawn[at], -at))] += 1
    while sum(drawn) > total:
        spare = [at for at in places if drawn[at] > least[at]]
        drawn[max(spare, key=lambda at: (drawn[at] - wanted[at], -at))] -= 1
    return drawn
