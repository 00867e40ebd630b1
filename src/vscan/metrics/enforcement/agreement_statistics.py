"""How far people agree beyond chance: Cohen's kappa and Krippendorff's alpha for names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from vscan.metrics.proportions import Z_95, Estimate

RESAMPLES = 1000
"""Of the units, for the interval of alpha."""
_Word = TypeVar("_Word", bound=Hashable)


def kappa(pairs: Mapping[tuple[_Word, _Word], int]) -> Estimate | None:
    """Cohen's kappa, -1..1, of two looks at the same things, with its 95 % interval.

    pairs: how often the first look said one thing and the second another. Cohen, Educ Psychol Meas
    20:37 (1960); the standard error is that of Fleiss, Cohen and Everitt, Psychol Bull 72:323
    (1969), formula 13, which holds where kappa is not 0; the interval is +-1.96 of it, cut at
    -1 and 1. None where both looks always said the same one thing, or there are no pairs: then
    chance alone would agree as well, and kappa is 0 / 0.
    """
    total = sum(pairs.values())
    words = {word for pair in pairs for word in pair}
    if not total:
        return None
    share = {pair: count / total for pair, count in pairs.items()}
    rows = {word: sum(p for (one, _), p in share.items() if one == word) for word in words}
    columns = {word: sum(p for (_, two), p in share.items() if two == word) for word in words}
    agreed = sum(p for (one, two), p in share.items() if one == two)
    chance = sum(rows[word] * columns[word] for word in words)
    if chance >= 1.0 - 1e-12:
        return None
    value = (agreed - chance) / (1.0 - chance)
    spread = 0.0
    for (one, two), p in share.items():
        if one == two:
            spread += p * ((1 - chance) - (columns[one] + rows[one]) * (1 - agreed)) ** 2
        else:
            spread += p * (1 - agreed) ** 2 * (columns[one] + rows[two]) ** 2
    spread -= (agreed * chance - 2 * chance + agreed) ** 2
    error = math.sqrt(max(0.0, spread) / total) / (1 - chance) ** 2
    return Estimate(value, max(-1.0, value - Z_95 * error), min(1.0, value + Z_95 * error))


def alpha(units: Sequence[Sequence[Hashable]], *, seed: int) -> Estimate | None:
    """Krippendorff's alpha for names, up to 1, of any number of observers, some of whom may be
    missing, with its 95 % interval.

    units: what was said of each thing. One that a single observer spoke of counts for nothing.
    Hayes and Krippendorff, Commun Methods Meas 1:77 (2007). The interval is the percentile
    bootstrap over units: RESAMPLES draws of as many units, with `seed`. None where nothing was said
    twice, or where all said the same one thing.
    """
    paired = [Counter(unit) for unit in units if len(unit) > 1]
    words = sorted({word for unit in paired for word in unit}, key=str)
    if len(words) < 2:
        return None
    said = np.array([[unit[word] for word in words] for unit in paired], dtype=np.float64)
    kinds, counts = np.unique(said, axis=0, return_counts=True)
    value = float(_alpha(kinds, counts[None, :])[0])
    random = np.random.default_rng(seed)
    # To draw units is to draw how many there are of each kind.
    drawn = _alpha(kinds, random.multinomial(len(said), counts / len(said), size=RESAMPLES))
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return Estimate(value, min(value, float(low)), max(value, float(high)))


def _alpha(kinds: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Alpha of each row of `counts`: how many units there are of each row of `kinds`, which has how
    often each word was said. NaN where there is but one word."""
    sizes = kinds.sum(axis=1)
    # Within a unit each value is paired with the others, which weigh 1 / (size - 1).
    observed = counts @ ((sizes**2 - (kinds**2).sum(axis=1)) / (sizes - 1))
    totals, all_values = counts @ kinds, counts @ sizes
    expected = (all_values**2 - (totals**2).sum(axis=1)) / (all_values - 1)
    with np.errstate(invalid="ignore"):
        found: np.ndarray = 1.0 - observed / np.where(expected > 0, expected, np.nan)
    return found
