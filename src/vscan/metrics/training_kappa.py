"""Cohen's kappa: how far a trainee agrees with the answers beyond what chance would give."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from vscan.metrics.proportions import Z_95, Estimate


def kappa(pairs: Mapping[tuple[str, str], int]) -> Estimate | None:
    """Kappa, -1..1, with its large-sample 95 % interval, cut at -1 and 1.

    pairs: how often the one said the first word and the other the second. Cohen, Educ Psychol Meas
    20:37 (1960); the standard error is that of Fleiss, Cohen and Everitt, Psychol Bull 72:323
    (1969), equation 13, which supposes neither that kappa is 0 nor that the margins are fixed. None
    where there are no pairs, or both always said the same one word: kappa is then 0 / 0. Where all
    agree the error is 0 and the interval has no width: it says nothing then.
    """
    total = sum(pairs.values())
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (one, other), count in pairs.items():
        first[one] += count
        second[other] += count
    chance = sum(first[word] * second[word] for word in first) / total**2 if total else 1.0
    if chance >= 1.0:
        return None
    agreed = sum(count for (one, other), count in pairs.items() if one == other) / total
    value = (agreed - chance) / (1 - chance)
    squared = -((value - chance * (1 - value)) ** 2)
    for (one, other), count in pairs.items():
        share = count / total
        if one == other:
            squared += share * (1 - (first[one] + second[one]) / total * (1 - value)) ** 2
        else:
            squared += share * ((second[one] + first[other]) / total * (1 - value)) ** 2
    error = math.sqrt(max(0.0, squared) / total) / (1 - chance)
    return Estimate(value, max(-1.0, value - Z_95 * error), min(1.0, value + Z_95 * error))
