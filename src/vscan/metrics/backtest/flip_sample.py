"""A stratified sample of flips to look at: by policy and direction, the same for the same seed."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from vscan.metrics.backtest.flip import DIRECTIONS, Direction, Flip

Stratum = tuple[str, Direction]
"""A policy, and what became of it."""


@dataclass(frozen=True, kw_only=True)
class StratumCount:
    """Flips of one policy in one direction."""

    policy: str
    change: Direction
    flips: int
    sampled: int


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Some of the flips, chosen so that each policy and direction is among them."""

    asked: int
    seed: int
    strata: tuple[StratumCount, ...]
    """A flip of several policies counts in the stratum of each."""
    flips: tuple[Flip, ...]


@dataclass
class FlipSample:
    """Draws at most `size` flips; keeps that many of each stratum in memory, and no more.

    Each flip has a place in its strata that follows from the seed and its URI alone, so the order
    in which flips come does not matter. Strata take turns, so that a rare one is not lost beside a
    frequent one: figures of the whole come from the counts, not from this sample.
    """

    size: int
    seed: int
    counts: Counter[Stratum] = field(default_factory=Counter)
    _kept: dict[Stratum, list[tuple[int, str, Flip]]] = field(default_factory=dict)
    """By stratum a heap of (less its place, URI, flip): the last place is on top."""

    def see(self, flip: Flip) -> None:
        """Count one flip, and keep it where its place is among the first."""
        for each in flip.policies:
            stratum = (each.policy, each.change)
            self.counts[stratum] += 1
            kept = self._kept.setdefault(stratum, [])
            entry = (-self._place(stratum, flip.uri), flip.uri, flip)
            if len(kept) < self.size:
                heapq.heappush(kept, entry)
            elif kept and entry[:2] > kept[0][:2]:
                heapq.heapreplace(kept, entry)

    def drawn(self) -> Sample:
        """The sample, in the order in which the strata took turns."""
        chosen: dict[str, Flip] = {}
        sampled: Counter[Stratum] = Counter()
        order = sorted(self._kept, key=lambda each: (each[0], DIRECTIONS.index(each[1])))
        turns = {stratum: self._in_order(stratum) for stratum in order}
        while turns and len(chosen) < self.size:
            for stratum in list(turns):
                flip = next((each for each in turns[stratum] if each.uri not in chosen), None)
                if flip is None:
                    del turns[stratum]
                elif len(chosen) < self.size:
                    chosen[flip.uri] = flip
        for flip in chosen.values():
            sampled.update((each.policy, each.change) for each in flip.policies)
        strata = tuple(
            StratumCount(
                policy=stratum[0],
                change=stratum[1],
                flips=self.counts[stratum],
                sampled=sampled[stratum],
            )
            for stratum in order
        )
        return Sample(asked=self.size, seed=self.seed, strata=strata, flips=tuple(chosen.values()))

    def _in_order(self, stratum: Stratum) -> Iterator[Flip]:
        return (flip for _, _, flip in sorted(self._kept[stratum], key=lambda e: (-e[0], e[1])))

    def _place(self, stratum: Stratum, uri: str) -> int:
        text = "\0".join((str(self.seed), *stratum, uri))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
