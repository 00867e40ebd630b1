"""Estimates from a stratified sample: a share of the whole, a share of weights, a part of a total.

Each interval puts those of the strata together (MOVER), so that a large stratum in which nothing
was found still counts with what may be in it. A variance taken from the sample would be 0 there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vscan.metrics.proportions import Z_95, Estimate


@dataclass(frozen=True)
class Stratum:
    """What was drawn of one stratum and answered."""

    population: int
    """Of the stratum; at least as many as were answered."""
    said: tuple[bool, ...]
    """Of each answered one whether it is so; at least one."""
    sizes: tuple[float, ...] = ()
    """Of each, what it weighs beside its chance, as its views; all alike where left out."""


def wilson_effective(part: float, of: float) -> Estimate:
    """Wilson's interval of a share 0..1 for a sample that is worth `of` independent ones.

    For surveys: Korn and Graubard, Surv Methodol 24:193 (1998), with Wilson's interval in the place
    of Clopper and Pearson's (Franco, Little, Louis, Slud, J Surv Stat Methodol 7:334, 2019).
    of: above 0; infinite where the share is known.
    """
    if math.isinf(of):
        return Estimate(part, part, part)
    squared = Z_95 * Z_95
    middle = (part + squared / (2 * of)) / (1 + squared / of)
    half = Z_95 / (1 + squared / of) * math.sqrt(part * (1 - part) / of + squared / (4 * of * of))
    return Estimate(part, min(part, max(0.0, middle - half)), max(part, min(1.0, middle + half)))


def within(stratum: Stratum) -> Estimate:
    """The share of one stratum that is so, by size where sizes are given.

    The effective number is Kish's (Survey Sampling, 1965, section 11.7) for unequal sizes, and
    corrected for a population that the sample takes up a good part of: a stratum that was answered
    as a whole is known.
    """
    sizes = stratum.sizes or (1.0,) * len(stratum.said)
    total = sum(sizes)
    if not total:
        return Estimate(0.0, 0.0, 0.0)
    part = sum(size for size, so in zip(sizes, stratum.said, strict=True) if so) / total
    worth = total * total / sum(size * size for size in sizes)
    left = stratum.population - len(stratum.said)
    correction = (stratum.population - 1) / left if left else math.inf
    return wilson_effective(min(1.0, part), worth * correction)


def effective(strata: Sequence[Stratum]) -> float:
    """How many of a simple random sample the answers would be worth by their weights alone, Kish's
    (sum of weights)^2 / sum of squared weights."""
    weights = [
        stratum.population / len(stratum.said) * size
        for stratum in strata
        for size in (stratum.sizes or (1.0,) * len(stratum.said))
    ]
    squares = sum(weight * weight for weight in weights)
    return sum(weights) ** 2 / squares if squares else 0.0


def share_of_all(strata: Sequence[Stratum]) -> Estimate:
    """The share of the whole population that is so: Horvitz and Thompson's total of the strata over
    the population, which is known; of sizes it is the ratio of two such totals (Hajek's).

    The interval: MOVER (Zou and Donner, Stat Med 27:1693, 2008) of Wilson's in each stratum, as for
    stratified proportions in Yan and Su, Stat Biopharm Res 2:329 (2010). With sizes the strata's
    shares of all size are taken as known, though they are estimated. Raises ValueError where there
    is nothing to take a share of.
    """
    masses = [_mass(stratum) for stratum in strata]
    if not sum(masses):
        raise ValueError("a share of nothing")
    return _sum(strata, [mass / sum(masses) for mass in masses])


def part_of_total(inside: Sequence[Stratum], outside: Sequence[Stratum]) -> Estimate | None:
    """The total of what is so in `inside` as a share of the total in both.

    Both totals are Horvitz and Thompson's; the interval is that of their ratio by MOVER (Donner and
    Zou, Stat Methods Med Res 21:347, 2012). None where nothing was so at all.
    """
    found = _sum(inside, [_mass(stratum) for stratum in inside])
    missed = _sum(outside, [_mass(stratum) for stratum in outside])
    total = found.value + missed.value
    if not total:
        return None
    low, high = _ratio(missed, found)
    value = found.value / total
    least = 0.0 if math.isinf(high) else 1.0 / (1.0 + high)
    return Estimate(value, min(value, least), max(value, 1.0 / (1.0 + low)))


def _mass(stratum: Stratum) -> float:
    """The stratum's size in the population, estimated where sizes are given."""
    if not stratum.sizes:
        return float(stratum.population)
    return stratum.population * sum(stratum.sizes) / len(stratum.sizes)


def _sum(strata: Sequence[Stratum], masses: Sequence[float]) -> Estimate:
    each = [within(stratum) for stratum in strata]
    value = sum(m * one.value for m, one in zip(masses, each, strict=True))
    below = math.hypot(*(m * (one.value - one.low) for m, one in zip(masses, each, strict=True)))
    above = math.hypot(*(m * (one.high - one.value) for m, one in zip(masses, each, strict=True)))
    return Estimate(value, max(0.0, value - below), min(sum(masses), value + above))


def _ratio(upper: Estimate, lower: Estimate) -> tuple[float, float]:
    """Ends of the interval of upper / lower, both at least 0 and independent."""
    product = upper.value * lower.value
    low = 0.0
    if lower.high:
        root = product**2 - upper.low * lower.high * (2 * upper.value - upper.low) * (
            2 * lower.value - lower.high
        )
        scale = lower.high * (2 * lower.value - lower.high)
        # Where the lower total may be more than twice what was found the formula turns over: the
        # smallest ratio is then that of the ends themselves.
        low = (product - math.sqrt(max(0.0, root))) / scale if scale > 0 else upper.low / lower.high
    if not lower.low:
        return max(0.0, low), math.inf
    root = product**2 - upper.high * lower.low * (2 * upper.value - upper.high) * (
        2 * lower.value - lower.low
    )
    high = (product + math.sqrt(max(0.0, root))) / (lower.low * (2 * lower.value - lower.low))
    return max(0.0, low), high
