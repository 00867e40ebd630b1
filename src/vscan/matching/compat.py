"""The yes or no of Meta's own matchers on two lists of frame hashes, for those who must agree.

Sources, both in facebook/ThreatExchange: `pytx` is python-threatexchange's vPDQ signal type
(`extensions/vpdq/vpdq.py`, `vpdq_brute_matcher.py`), `cpp` the vPDQ program `match-hashes-brute`
(`vpdq/cpp/vpdq/cpp/hashing/matchTwoHash.cpp`). They differ:

|               | `pytx`                                  | `cpp`                                |
|---------------|-----------------------------------------|--------------------------------------|
| hashes match  | distance <= 31                          | distance < 31                        |
| counted       | each different hash once, where it      | every frame                          |
|               | stands first                            |                                      |
| left out      | quality below 50, of those              | quality below 50                     |
| yes           | >= 80 % of the query's hashes match     | says only the two percentages: here  |
|               | (and >= 0 % of the other's)             | the same 80 % decide                 |

This is not how vscan decides: a known clip of ten seconds within ten minutes is 1.7 % of the query,
and both say no.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.errors import UsageError
from vscan.hashes.pdq import HASH_BYTES, MIN_QUALITY

_BLOCK_PAIRS = 1 << 21
"""Pairs of hashes compared at once: 64 MB."""


@dataclass(frozen=True)
class MatcherRules:
    """How one of Meta's matchers compares; the defaults are those of its program."""

    name: str
    max_distance: int
    """Bits by which two hashes that match may differ, this many included."""
    unique: bool
    """Whether a hash counts once however often it stands in a list."""
    min_quality: int = MIN_QUALITY
    query_percent: float = 80.0
    """Share of the query's hashes, in percent, from which on it is a match."""
    compared_percent: float = 0.0
    """The same of the other list."""


PYTX = MatcherRules("pytx", max_distance=31, unique=True)
CPP = MatcherRules("cpp", max_distance=30, unique=False)
RULES = {each.name: each for each in (PYTX, CPP)}


@dataclass(frozen=True, eq=False)
class HashList:
    """The frame hashes of one video, in the order of their list."""

    values: NDArray[np.uint8]
    """(N, 32) PDQ, most significant bit first."""
    quality: NDArray[np.uint8]
    """(N,) 0..100."""

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.quality), HASH_BYTES):
            raise ValueError(f"hashes must be (N={len(self.quality)}, 32), got {self.values.shape}")

    def __repr__(self) -> str:
        return f"HashList({len(self.quality)} hashes)"


@dataclass(frozen=True)
class Agreement:
    """What a matcher says of a query and a list that it is compared with."""

    is_match: bool
    query_percent: float
    """Share of the query's counted hashes that match any of the other's, in percent."""
    compared_percent: float
    """Share of the other's that match any of the query's."""
    query_hashes: int
    compared_hashes: int
    """Hashes that were counted."""


def rules_named(name: str) -> MatcherRules:
    """The rules of that name. Raises UsageError naming those there are."""
    if name not in RULES:
        raise UsageError(
            f"{name!r} is none of Meta's matchers", remedy=f"known: {', '.join(RULES)}"
        )
    return RULES[name]


def compare(query: HashList, compared: HashList, rules: MatcherRules) -> Agreement:
    """What the matcher says of two lists.

    A list of which nothing is counted matches nothing (python-threatexchange divides by zero).
    """
    left, right = _counted(query, rules), _counted(compared, rules)
    left_hit, right_hit = np.zeros(len(left), np.bool_), np.zeros(len(right), np.bool_)
    step = max(1, _BLOCK_PAIRS // max(1, len(right)))
    for start in range(0, len(left), step):
        block = left[start : start + step, None, :] ^ right[None]
        near = np.bitwise_count(block).sum(axis=-1, dtype=np.uint16) <= rules.max_distance
        left_hit[start : start + step] = near.any(axis=1)
        right_hit |= near.any(axis=0)
    return _agreement(int(left_hit.sum()), len(left), int(right_hit.sum()), len(right), rules=rules)


def compare_reference(
    query: Iterable[tuple[str, int]], compared: Iterable[tuple[str, int]], rules: MatcherRules
) -> Agreement:
    """The same of (hexadecimal hash, quality) pairs, pair by pair: slow, and plainly right."""
    lists = []
    for pairs in (query, compared):
        kept: dict[object, tuple[str, int]] = {}
        for place, (digits, quality) in enumerate(pairs):
            kept.setdefault(digits.lower() if rules.unique else place, (digits, quality))
        lists.append([digits for digits, quality in kept.values() if quality >= rules.min_quality])
    left, right = lists
    return _agreement(
        sum(any(_distance(one, other) <= rules.max_distance for other in right) for one in left),
        len(left),
        sum(any(_distance(one, other) <= rules.max_distance for other in left) for one in right),
        len(right),
        rules=rules,
    )


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _counted(hashes: HashList, rules: MatcherRules) -> NDArray[np.uint64]:
    """The hashes that count, (N, 4) as 64-bit words."""
    values, quality = hashes.values, hashes.quality
    if rules.unique and len(values):
        _, first = np.unique(values, axis=0, return_index=True)
        first.sort()
        values, quality = values[first], quality[first]
    return np.ascontiguousarray(values[quality >= rules.min_quality]).view(np.uint64)


def _agreement(
    query_hits: int, query: int, compared_hits: int, compared: int, *, rules: MatcherRules
) -> Agreement:
    if not query or not compared:
        return Agreement(False, 0.0, 0.0, query, compared)
    query_percent, compared_percent = query_hits * 100 / query, compared_hits * 100 / compared
    return Agreement(
        query_percent >= rules.query_percent and compared_percent >= rules.compared_percent,
        query_percent,
        compared_percent,
        query,
        compared,
    )
