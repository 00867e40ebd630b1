"""Agreement, quantiles and tests against published examples, other programs and counting out."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from vscan.metrics.enforcement.agreement_statistics import alpha, kappa
from vscan.metrics.enforcement.distributions import kolmogorov_smirnov
from vscan.metrics.enforcement.homogeneity import chi_square_tail, difference, holm, homogeneity
from vscan.metrics.enforcement.quantiles import quantile


@pytest.mark.parametrize(
    ("table", "value", "low", "high"),
    [
        # The example of ci.kappa in the R package statpsych, after Fleiss and Paik (2003).
        ((31, 12, 4, 58), 0.6756757, 0.5317210, 0.8196303),
        # A listing of Stata's kapci (analytical) on the mailing list Statalist, 2009-12.
        ((1395, 118, 261, 158), 0.3411969, 0.2896668, 0.3927271),
    ],
)
def test_kappa_as_published(table: tuple[int, ...], value: float, low: float, high: float) -> None:
    """Value and ends of the 95 % interval of two by two tables."""
    cells = dict(zip(itertools.product("ab", "ab"), table, strict=True))
    found = kappa(cells)
    assert found is not None
    assert (value, low, high) == pytest.approx((found.value, found.low, found.high), abs=2e-6)


def test_kappa_of_three_rulings_by_hand() -> None:
    """Agreed 0.7; by chance 0.5 * 0.4 + 0.3 * 0.4 + 0.2 * 0.2 = 0.36."""
    cells = {("u", "u"): 35, ("u", "o"): 10, ("u", "e"): 5, ("o", "o"): 25, ("o", "u"): 5,
             ("e", "e"): 10, ("e", "o"): 5, ("e", "u"): 5}  # fmt: skip
    rows = Counter({"u": 50, "o": 30, "e": 20})
    columns = Counter({"u": 45, "o": 40, "e": 15})
    chance = sum(rows[each] * columns[each] for each in "uoe") / 10_000
    found = kappa(cells)
    assert found is not None
    assert (0.7 - chance) / (1 - chance) == pytest.approx(found.value)


def test_agreement_that_chance_alone_would_have() -> None:
    """One word for everything, and nothing at all, give no coefficient."""
    assert kappa({("u", "u"): 40}) is None and kappa({}) is None
    assert alpha([("u", "u"), ("u", "u")], seed=0) is None and alpha([], seed=0) is None
    assert alpha([("u",), ("o",)], seed=0) is None


def test_alpha_as_published() -> None:
    """Krippendorff's data of four observers and twelve units with values missing: 0.743 for names
    (Krippendorff, Content Analysis, 2004, section 11.3). The same seed, the same interval."""
    told = "11-1,2232,3333,3333,2222,1234,4444,1121,2222,-555,--11,--3-"
    units = [tuple(each.replace("-", "")) for each in told.split(",")]
    found = alpha(units, seed=1)
    assert found is not None
    assert 0.743 == round(found.value, 3)
    assert found.low < 0.6 and found.high > 0.9
    assert found == alpha(units, seed=1) != alpha(units, seed=2)


def test_alpha_of_two_observers_as_published() -> None:
    """Ten units with two values each: 0.095 (Krippendorff, Computing Krippendorff's
    Alpha-Reliability, 2011, example A)."""
    one, other = "0100000010", "1110010000"
    found = alpha(list(zip(one, other, strict=True)), seed=0)
    assert found is not None
    assert 0.095 == round(found.value, 3)


@pytest.mark.parametrize(
    ("size", "share", "low", "high"),
    # Ranks of the usual table for the median; for 0.9 the first size that has an upper end.
    [(10, 0.5, 2, 9), (20, 0.5, 6, 15), (30, 0.5, 10, 21), (5, 0.5, None, None),
     (36, 0.9, 29, 36), (35, 0.9, 28, None)],
)  # fmt: skip
def test_quantiles_are_bounded_by_ranks(
    size: int, share: float, low: int | None, high: int | None
) -> None:
    """The ends are order statistics, or None where no value is extreme enough."""
    found = quantile([float(rank) for rank in range(1, size + 1)], share)
    assert (low, high) == (found.low, found.high)
    assert math.ceil(size * share) == found.value


def test_quantiles_refuse_what_has_none() -> None:
    """An empty sample, and shares at the ends."""
    for ordered, share in (([], 0.5), ([1.0], 0.0), ([1.0], 1.0)):
        with pytest.raises(ValueError, match="no quantile"):
            quantile(ordered, share)


def test_kolmogorov_smirnov_counted_out() -> None:
    """Exact p is the share of all ways to split the values that lie as far apart or further."""
    values = (0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97)
    one = (0.1, 0.2, 0.7)
    found = kolmogorov_smirnov(one, [each for each in values if each not in one])
    ways = []
    for chosen in itertools.combinations(values, 3):
        others = [each for each in values if each not in chosen]
        ways.append(kolmogorov_smirnov(chosen, others).value)
    expected = sum(each >= found.value - 1e-12 for each in ways) / math.comb(8, 3)
    assert expected == pytest.approx(found.p) and "exact" == found.method
    assert 4 / 5 == pytest.approx(found.value)
    assert 1.0 == kolmogorov_smirnov([0.5, 0.5], [0.5]).p
    with pytest.raises(ValueError, match="empty"):
        kolmogorov_smirnov([], [0.5])


def test_tests_as_other_programs_have_them() -> None:
    """Against SciPy: exact and asymptotic p of scores, the tail of chi-square, a table of three
    groups; and permutations against Fisher's exact test."""
    from scipy import stats  # type: ignore[import-untyped]  # has no types

    random = np.random.default_rng(1)
    for m, n in ((9, 14), (100, 120), (900, 901)):
        one, other = random.random(m), random.random(n) ** 1.2
        found = kolmogorov_smirnov(one.tolist(), other.tolist())
        theirs = stats.ks_2samp(one, other, method="exact")
        assert found.method == ("exact" if m < 900 else "asymptotic")
        assert theirs.pvalue == pytest.approx(found.p, abs=1e-9 if m < 900 else 1e-3)
        assert theirs.statistic == pytest.approx(found.value)
    for statistic, degrees in ((3.84, 1), (5.99, 2), (30.0, 10), (0.1, 7), (0.0, 3)):
        assert stats.chi2.sf(statistic, degrees) == pytest.approx(
            chi_square_tail(statistic, degrees)
        )
    table = homogeneity([(10, 100), (20, 100), (30, 90)], seed=0)
    theirs = stats.chi2_contingency([[10, 20, 30], [90, 80, 60]], correction=False)
    assert table is not None and ("chi-square", 2) == (table.method, table.furthest)
    assert theirs.pvalue == pytest.approx(table.p)
    few = homogeneity([(1, 10), (6, 11)], seed=0)
    assert few is not None and "permutation" == few.method
    assert stats.fisher_exact([[1, 6], [9, 5]]).pvalue == pytest.approx(few.p, abs=0.01)
    assert few == homogeneity([(1, 10), (6, 11)], seed=0)


def test_groups_that_cannot_differ() -> None:
    """One group, and all or none in every group, are no test."""
    for groups in ([(3, 9)], [(0, 9), (0, 7)], [(9, 9), (7, 7)]):
        assert homogeneity(groups, seed=0) is None


def test_holm_by_hand() -> None:
    """The smallest times all, the next times one less, and never smaller than the one before."""
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert {"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06} == pytest.approx(found)
    assert {"a": 1.0} == holm({"a": 1.0}) and {} == holm({})


def test_difference_as_published() -> None:
    """Newcombe, Stat Med 17:873 (1998), Table II, method 10: 56 of 70 against 48 of 80, and 0 of 10
    against 0 of 10."""
    found = difference((56, 70), (48, 80))
    assert (0.2, 0.0524, 0.3339) == tuple(round(each, 4) for each in vars(found).values())
    nothing = difference((0, 10), (0, 10))
    assert (-0.2775, 0.2775) == (round(nothing.low, 4), round(nothing.high, 4))
