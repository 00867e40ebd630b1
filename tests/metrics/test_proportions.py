"""Intervals of proportions against published examples and other programs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vscan.metrics.proportions import Estimate, Paired, mcnemar, paired_difference, wilson

counts = st.integers(0, 60)


@pytest.mark.parametrize(
    ("successes", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_wilson_as_published(successes: int, of: int, low: float, high: float) -> None:
    """Table I of Newcombe, Stat Med 17:857 (1998), method 3."""
    found = wilson(successes, of)
    assert (low, high) == (round(found.low, 4), round(found.high, 4))


@settings(deadline=None)
@given(of=st.integers(1, 300), share=st.floats(0, 1))
def test_wilson_is_the_score_interval(of: int, share: float) -> None:
    """Its ends are the proportions from which what was seen lies 1.96 standard errors away."""
    found = wilson(round(of * share), of)
    assert 0 <= found.low <= found.value <= found.high <= 1
    for end in (found.low, found.high):
        if 0 < end < 1:
            error = math.sqrt(end * (1 - end) / of)
            assert abs(found.value - end) / error == pytest.approx(1.959964, abs=1e-5)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # Bentur et al. 2009, in Fagerland, Lydersen, Laake, Stat Med 33:2850 (2014), Table V.
        (Paired(both=1, after=1, before=7, neither=12), -0.507, -0.026),
        # Altman, Machin, Bryant, Gardner: Statistics with Confidence (2000), Table 6.2.
        (Paired(both=14, after=5, before=0, neither=22), 0.011, 0.226),
    ],
)
def test_paired_difference_as_published(table: Paired, low: float, high: float) -> None:
    """Newcombe's method 10 on worked examples of the literature."""
    found = paired_difference(table)
    assert (low, high) == (round(found.low, 3), round(found.high, 3))


@settings(deadline=None)
@given(both=counts, before=counts, after=counts, neither=counts)
def test_paired_difference_holds_together(both: int, before: int, after: int, neither: int) -> None:
    """Within -1..1 around the difference; turned round with the sides, or with what is counted."""
    table = Paired(both, before, after, neither)
    if not table.total:
        return
    found = paired_difference(table)
    assert -1 <= found.low <= found.value <= found.high <= 1
    for turned in (Paired(both, after, before, neither), Paired(neither, after, before, both)):
        other = paired_difference(turned)
        assert (other.value, other.low, other.high) == pytest.approx(
            (-found.value, -found.high, -found.low), abs=1e-9
        )


def test_nothing_changed_is_not_sure() -> None:
    """No pair changed: the difference is 0, and its interval is not empty."""
    assert Estimate(0.0, -0.0664, 0.0664) == Estimate(
        *(round(each, 4) for each in vars(paired_difference(Paired(0, 0, 0, 54))).values())
    )


@settings(deadline=None)
@given(before=st.integers(0, 200), after=st.integers(0, 200))
def test_mcnemar_is_the_exact_binomial_test(before: int, after: int) -> None:
    """The share of all ways to toss a coin for each changed pair that are no more even."""
    changed = before + after
    uneven = [
        math.comb(changed, k)
        for k in range(changed + 1)
        if abs(2 * k - changed) >= abs(before - after)
    ]
    expected = sum(uneven) / 2**changed
    assert expected == pytest.approx(mcnemar(Paired(3, before, after, 4)), rel=1e-12)


def test_mcnemar_worked_by_hand() -> None:
    """Of 8 pairs that changed, 7 one way: (1 + 8) of 256 tosses, and as many the other way."""
    assert 18 / 256 == mcnemar(Paired(both=1, before=7, after=1, neither=12))


@pytest.mark.parametrize(("successes", "of"), [(0, 0), (2, 1), (-1, 3)])
def test_no_proportion(successes: int, of: int) -> None:
    """Counts that make no proportion are refused."""
    with pytest.raises(ValueError, match="no proportion"):
        wilson(successes, of)
