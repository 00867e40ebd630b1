"""Scores into probabilities: against the reference implementations, and better than raw scores."""

from __future__ import annotations

import numpy as np
import pytest

from vscan.metrics.proportions import wilson
from vscan.metrics.thresholds.probabilities import (
    Probabilities,
    fit_probabilities,
    isotonic,
    log_odds,
    platt,
)
from vscan.metrics.thresholds.reliability import reliability


def made(count: int, seed: int, *, sharp: float = 3.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that are surer than they should be: the log-odds of the truth, times `sharp`."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1.0, 1.5, count)
    violates = rng.random(count) < 1 / (1 + np.exp(-odds))
    scores = np.round(1 / (1 + np.exp(-sharp * odds)), 4)
    return scores, violates, np.ones(count)


def test_agrees_with_the_references() -> None:
    """Sigmoid and isotonic regression are those of scikit-learn, weights included; the tail is that
    of scipy."""
    calibration = pytest.importorskip("sklearn.calibration")
    regression = pytest.importorskip("sklearn.isotonic")
    stats = pytest.importorskip("scipy.stats")
    from vscan.metrics.binomial import upper_tail

    scores, violates, _ = made(400, 1)
    weights = np.random.default_rng(2).integers(1, 5, 400).astype(np.float64)
    slope, intercept = platt(log_odds(scores), violates, weights)
    a, b = calibration._sigmoid_calibration(log_odds(scores), violates.astype(float), weights)
    assert (slope, intercept) == pytest.approx((-a, -b), abs=1e-4)
    reference = regression.IsotonicRegression(out_of_bounds="clip")
    reference.fit(scores, violates.astype(float), sample_weight=weights)
    at, values = isotonic(scores, violates.astype(float), weights)
    asked = np.linspace(0, 1, 1001)
    assert np.interp(asked, at, values) == pytest.approx(reference.predict(asked), abs=1e-9)
    for right, of, share in ((40, 50, 0.7), (1000, 1100, 0.9)):
        assert upper_tail(right, of, share) == pytest.approx(
            stats.binom.sf(right - 1, of, share), rel=1e-9
        )


@pytest.mark.parametrize(("count", "method"), [(300, "platt"), (3000, "isotonic")])
def test_probabilities_are_nearer_to_the_truth(count: int, method: str) -> None:
    """On labels that they were not fitted on both have a lower Brier score and ECE than the raw
    score, and than what knows nothing; few labels get the sigmoid."""
    scores, violates, weights = made(2 * count, 5)
    found = fit_probabilities(scores[:count], violates[:count], weights[:count])
    assert method == found.method
    rest = slice(count, None)
    held = reliability(found.of(scores[rest]), scores[rest], violates[rest], weights[rest])
    raw = reliability(scores[rest], scores[rest], violates[rest], weights[rest])
    assert held.brier < held.brier_raw == raw.brier
    assert held.brier < held.brier_constant
    assert held.ece < raw.ece


def test_where_a_violation_is_as_likely_as_not() -> None:
    """The sigmoid tells the score of even odds; one that stays below a half tells none."""
    scores, violates, weights = made(500, 3)
    found = fit_probabilities(scores, violates, weights)
    assert found.even_at is not None
    below, above = found.of(np.array([found.even_at - 1e-4, found.even_at]))
    assert below < 0.5 <= above
    assert Probabilities("platt", slope=0.0, intercept=-1.0).even_at is None


def test_extreme_labels_stay_finite() -> None:
    """Classes that a score separates, scores of 0 and 1, and equal scores make no infinite slope;
    one class alone is refused."""
    ends = np.array([0.0, 0.0, 1.0, 1.0])
    slope, intercept = platt(log_odds(ends), ends > 0.5, np.ones(4))
    assert np.isfinite([slope, intercept]).all() and slope > 0
    flat = platt(log_odds(np.full(4, 0.3)), ends > 0.5, np.ones(4))
    assert np.isfinite(flat).all()
    with pytest.raises(ValueError, match="one class"):
        fit_probabilities(ends, np.ones(4, np.bool_), np.ones(4))


def test_bins() -> None:
    """Bins are of about equal mass, hold every label once, keep equal probabilities together, and
    have Wilson's interval; labels of different weights have none."""
    p = np.repeat([0.1, 0.5, 0.9], [50, 30, 20])
    violates = np.concatenate(
        [np.arange(n) < n * share for n, share in ((50, 0.1), (30, 0.5), (20, 0.9))]
    )
    held = reliability(p, p, violates, np.ones(100))
    assert [(0.1, 0.1, 50), (0.5, 0.5, 30), (0.9, 0.9, 20)] == [
        (each.probability, each.observed, each.labels) for each in held.bins
    ]
    assert held.ece == 0.0
    assert held.bins[0].low == round(wilson(5, 50).low, 4)
    weighted = reliability(p, p, violates, np.where(p > 0.5, 2.0, 1.0))
    assert {None} == {each.low for each in weighted.bins}
    one = reliability(p[:3], p[:3], violates[:3], np.ones(3))
    assert [3] == [each.labels for each in one.bins]
