"""Whether several groups share one proportion: chi-square or permutations, Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vscan.metrics.proportions import Estimate, wilson

DRAWS = 9_999
"""Permutations; with what was seen itself 10,000 ways."""
FEW = 5.0
"""Expected in a cell, below which chi-square's own distribution is not relied on (Cochran,
Biometrics 10:417, 1954)."""


@dataclass(frozen=True)
class Homogeneity:
    """What a test of one proportion in all groups came to."""

    p: float
    method: str
    """`chi-square` or `permutation`."""
    v: float
    """Cramér's V, 0..1: the size of the difference, whatever the number of cases."""
    furthest: int
    """Place of the group that lies furthest from what all together would let expect, by its
    adjusted residual (Haberman, Biometrics 29:205, 1973)."""


def homogeneity(groups: Sequence[tuple[int, int]], *, seed: int) -> Homogeneity | None:
    """Test whether groups share one proportion; two-sided by nature.

    groups: (part, of), each `of` above 0. Pearson's chi-square with one degree of freedom less than
    there are groups; where less than FEW are expected in a cell, the same statistic held against
    DRAWS random tables with the same margins, with `seed`. None where there are fewer than two
    groups, or where all or none are so.
    """
    parts = np.array([part for part, _ in groups], dtype=np.int64)
    sizes = np.array([of for _, of in groups], dtype=np.int64)
    part, total = int(parts.sum()), int(sizes.sum())
    if len(groups) < 2 or part in (0, total):
        return None
    statistic = float(_chi_square(parts[None, :], sizes)[0])
    share = part / total
    if min(share, 1 - share) * int(sizes.min()) >= FEW:
        p, method = chi_square_tail(statistic, len(groups) - 1), "chi-square"
    else:
        random = np.random.default_rng(seed)
        drawn = random.multivariate_hypergeometric(sizes, part, size=DRAWS, method="marginals")
        as_far = int((_chi_square(drawn, sizes) >= statistic * (1 - 1e-9)).sum())
        # What was seen is one of the ways, so that p is never 0 (Phipson and Smyth, Stat Appl
        # Genet Mol Biol 9:39, 2010).
        p, method = (1 + as_far) / (1 + DRAWS), "permutation"
    deviations = (parts - sizes * share) / np.sqrt(
        sizes * share * (1 - share) * (1 - sizes / total)
    )
    furthest = int(np.argmax(np.abs(deviations)))
    return Homogeneity(p, method, math.sqrt(statistic / total), furthest)


def _chi_square(parts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Pearson's statistic of each row of `parts` against the margins, which all rows share."""
    share = parts[0].sum() / sizes.sum()
    found: np.ndarray = ((parts - sizes * share) ** 2 / (sizes * share * (1 - share))).sum(axis=1)
    return found


def chi_square_tail(statistic: float, degrees: int) -> float:
    """The chance that chi-square with 1 or more degrees of freedom is at least `statistic`.

    By the recurrence in the degrees, Abramowitz and Stegun 26.4.8 from 26.4.4 and 26.4.5.
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    tail = math.exp(-half) if degrees % 2 == 0 else math.erfc(math.sqrt(half))
    for below in range(2 - degrees % 2, degrees, 2):
        tail += math.exp(below / 2 * math.log(half) - half - math.lgamma(below / 2 + 1))
    return min(1.0, tail)


def holm(tests: Mapping[str, float]) -> dict[str, float]:
    """By name, p corrected for the number of tests (Holm, Scand J Stat 6:65, 1979): where all below
    0.05 are called real, the chance that any of them is not is 0.05 at most."""
    corrected: dict[str, float] = {}
    worst = 0.0
    for rank, (name, p) in enumerate(sorted(tests.items(), key=lambda each: (each[1], each[0]))):
        worst = max(worst, min(1.0, (len(tests) - rank) * p))
        corrected[name] = worst
    return corrected


def difference(one: tuple[int, int], other: tuple[int, int]) -> Estimate:
    """First proportion less the second, -1..1, of different things, with a 95 % interval.

    one, other: (part, of). Method 10 of Newcombe, Stat Med 17:873 (1998): the Wilson intervals of
    both, put together. Raises ValueError for counts that make no proportion.
    """
    first, second = wilson(*one), wilson(*other)
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    value = first.value - second.value
    return Estimate(value, max(-1.0, value - below), min(1.0, value + above))
