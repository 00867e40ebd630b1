"""Intervals of single and of weighted proportions: how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vscan.metrics.enforcement.weighted import (
    Stratum,
    effective,
    part_of_total,
    share_of_all,
    wilson_effective,
    within,
)
from vscan.metrics.proportions import wilson


@pytest.mark.parametrize("of", [30, 100, 1000])
def test_wilson_holds_the_truth_as_often_as_it_says(of: int) -> None:
    """Counted out over all results of the binomial: for shares from 0.05 to 0.95 the mean coverage
    is within 2 points of 95 %, and nowhere below 90 %."""
    ends = [wilson(k, of) for k in range(of + 1)]
    ways = [
        math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) for k in range(of + 1)
    ]
    covered = []
    for share in np.linspace(0.05, 0.95, 181):
        odds = (math.log(share), math.log1p(-share))
        covered.append(
            sum(
                math.exp(ways[k] + k * odds[0] + (of - k) * odds[1])
                for k, end in enumerate(ends)
                if end.low <= share <= end.high
            )
        )
    assert abs(float(np.mean(covered)) - 0.95) < 0.02
    assert min(covered) > 0.90


def test_an_effective_number_is_a_number() -> None:
    """Of whole numbers it is Wilson's interval itself; known shares have no width."""
    for part, of in ((0, 7), (3, 20), (55, 55)):
        one, other = wilson(part, of), wilson_effective(part / of, of)
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-12)
    assert (0.3, 0.3) == (wilson_effective(0.3, math.inf).low, wilson_effective(0.3, math.inf).high)


def test_one_stratum_without_sizes() -> None:
    """A small part of a large population is Wilson's; all of it is known; half lies between."""
    said = (True,) * 6 + (False,) * 14
    large, half, whole = (within(Stratum(of, said)) for of in (10**9, 40, 20))
    plain = wilson(6, 20)
    assert (large.low, large.high) == pytest.approx((plain.low, plain.high), abs=1e-6)
    assert large.low < half.low < 0.3 < half.high < large.high
    assert (0.3, 0.3, 0.3) == (whole.value, whole.low, whole.high)


def test_estimates_worked_by_hand() -> None:
    """Totals weigh each answer by the population over the answers of its stratum."""
    flagged = Stratum(100, (True,) * 8 + (False,) * 2)
    rest = Stratum(900, (True,) * 1 + (False,) * 29)
    assert (80 + 30) / 1000 == pytest.approx(share_of_all([flagged, rest]).value)
    recall = part_of_total([flagged], [rest])
    assert recall is not None
    assert 80 / 110 == pytest.approx(recall.value)
    assert recall.low < 0.6 and recall.high > 0.8
    # 10 answers of weight 10 and 30 of weight 30: 1000^2 / (10 * 100 + 30 * 900).
    assert 1_000_000 / 28_000 == pytest.approx(effective([flagged, rest]))
    viewed = Stratum(4, (True, False), sizes=(30.0, 10.0))
    unseen = Stratum(6, (False, False, False), sizes=(20.0, 0.0, 0.0))
    # 4 * 20 views of which 3 in 4 are of the violating one, and 6 * 20 / 3 views of none.
    assert 60 / 120 == pytest.approx(share_of_all([viewed, unseen]).value)


def test_a_large_stratum_without_a_find_still_counts() -> None:
    """Nothing in 200 of 20,000 leaves room for many more than were found: recall is not sure."""
    flagged, rest = Stratum(100, (True,) * 45 + (False,) * 5), Stratum(20_000, (False,) * 200)
    recall, prevalence = part_of_total([flagged], [rest]), share_of_all([flagged, rest])
    assert recall is not None and 1.0 == recall.value == recall.high
    assert recall.low < 0.25
    assert prevalence.high > 300 / 20_100


def test_nothing_to_tell() -> None:
    """Where nothing violates there is no recall; a share of nothing is an error."""
    assert part_of_total([Stratum(5, (False,))], [Stratum(9, (False,))]) is None
    with pytest.raises(ValueError, match="share of nothing"):
        share_of_all([Stratum(5, (True,), sizes=(0.0,))])


def test_weighted_intervals_hold_the_truth() -> None:
    """Samples of a made population with a rare violation outside of what is flagged: prevalence
    and recall are held by their intervals in 93 to 98.5 % of 600 draws, the share of views, where a
    few videos have most of them, in 88 to 98.5 %."""
    random = np.random.default_rng(3)
    design = ((400, 60, 0.7), (900, 80, 0.08), (20_000, 200, 0.003))
    truth = [random.random(size) < share for size, _, share in design]
    views = [random.lognormal(3.0, 1.0, size) for size, _, _ in design]
    total = sum(int(each.sum()) for each in truth)
    seen = sum(float((each * v).sum()) for each, v in zip(truth, views, strict=True))
    wanted = (
        total / sum(map(len, truth)),
        truth[0].sum() / total,
        seen / sum(float(v.sum()) for v in views),
    )
    held = np.zeros(3)
    for _ in range(600):
        drawn = [random.choice(size, count, replace=False) for size, count, _ in design]
        parts = [
            Stratum(len(so), tuple(so[at].tolist())) for so, at in zip(truth, drawn, strict=True)
        ]
        viewed = [
            Stratum(len(so), tuple(so[at].tolist()), tuple(v[at].tolist()))
            for so, v, at in zip(truth, views, drawn, strict=True)
        ]
        found = (share_of_all(parts), part_of_total(parts[:1], parts[1:]), share_of_all(viewed))
        for at, (one, true) in enumerate(zip(found, wanted, strict=True)):
            held[at] += one is not None and one.low <= true <= one.high
    prevalence, recall, by_views = held / 600
    assert 0.93 <= prevalence <= 0.985
    assert 0.93 <= recall <= 0.985
    assert 0.88 <= by_views <= 0.985
