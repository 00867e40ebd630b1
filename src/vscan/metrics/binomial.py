"""Exact binomial tails, and how many trials it takes to certify a share."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

MOST_NEEDED = 1_000_000
"""Trials up to which a number that would suffice is looked for."""


@lru_cache(maxsize=4)
def _log_factorials(size: int) -> NDArray[np.float64]:
    """(size + 1,) logarithms of 0!, 1!, …"""
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, size + 1, dtype=np.float64)))))


def upper_tail(successes: int, of: int, share: float) -> float:
    """The chance 0..1 of `successes` or more among `of` trials that each succeed with `share`.

    This is the p-value of "the true share is `share` or lower", exact at every number of trials.
    share: above 0 and below 1. Raises ValueError for counts that make no proportion.
    """
    if not 0 <= successes <= of:
        raise ValueError(f"{successes} of {of} is no proportion")
    if successes == 0:
        return 1.0
    size = 1 << max(10, of.bit_length())  # few sizes, so that the logarithms are kept
    logs = _log_factorials(size)
    k = np.arange(successes, of + 1)
    terms = logs[of] - logs[k] - logs[of - k] + k * math.log(share) + (of - k) * math.log1p(-share)
    return min(1.0, float(np.exp(terms).sum()))


def least_flawless(share: float, confidence: float) -> int:
    """Trials that certify `share` at `confidence` where not one of them fails: the least n with
    share ** n <= 1 - confidence, so ln(1 - confidence) / ln(share), rounded up."""
    least = math.ceil(math.log1p(-confidence) / math.log(share) - 1e-9)
    return max(1, least)


def least_at(observed: float, share: float, confidence: float) -> int | None:
    """About how many trials certify `share` at `confidence` where `observed` of them succeed.

    None where no number does: `observed` must be above `share`.
    """
    if not observed > share:
        return None

    def suffices(of: int) -> bool:
        return upper_tail(math.floor(observed * of + 1e-9), of, share) <= 1.0 - confidence

    most = least_flawless(share, confidence)
    while not suffices(most):
        most *= 2
        if most > MOST_NEEDED:
            return None
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if suffices(middle) else (middle, most)
    return most


def hypergeometric_tail(marked: int, drawn: int, all_marked: int, of: int) -> float:
    """The chance 0..1 that `drawn` of `of` things, `all_marked` of which are marked, hold `marked`
    marked ones or more: the one-sided p of Fisher's exact test."""
    if not (0 <= all_marked <= of and 0 <= drawn <= of and 0 <= marked <= min(drawn, all_marked)):
        raise ValueError(f"{marked} of {drawn}, {all_marked} of {of} make no table")
    logs = _log_factorials(1 << max(10, of.bit_length()))
    k = np.arange(max(marked, drawn + all_marked - of), min(drawn, all_marked) + 1)
    ways = logs[all_marked] - logs[k] - logs[all_marked - k]
    others = of - all_marked
    ways = ways + logs[others] - logs[drawn - k] - logs[others - drawn + k]
    total = logs[of] - logs[drawn] - logs[of - drawn]
    return min(1.0, float(np.exp(ways - total).sum()))
