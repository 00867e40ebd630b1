"""Speeds: read off the hits where they tell, and left at 1 where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from vscan.matching.speeds import fitted_speed, likely_speeds


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.25, 1.5, 2.0])
def test_a_speed_is_read_off_the_hits(speed: float) -> None:
    """The speed at which hits lie on one line is among those tried, within two per cent."""
    source_s = np.arange(0.0, 12.0)
    exemplar_s = np.round(source_s * speed * 4) / 4
    tried = likely_speeds(source_s, exemplar_s, np.zeros(12))
    assert 1.0 == tried[0]
    assert any(each == pytest.approx(speed, rel=0.02) for each in tried)
    assert fitted_speed(source_s, exemplar_s, speed, 0.25) == pytest.approx(speed, rel=0.02)


def test_chance_hits_among_true_ones() -> None:
    """Hits that lie anywhere do not hide the line."""
    rng = np.random.default_rng(1)
    source_s = np.concatenate((np.arange(20.0), rng.uniform(0, 20, 20)))
    exemplar_s = np.concatenate((np.arange(20.0) * 1.25 + 3, rng.uniform(0, 30, 20)))
    difference = np.concatenate((np.full(20, 5.0), np.full(20, 25.0)))
    tried = likely_speeds(source_s, exemplar_s, difference)
    assert any(each == pytest.approx(1.25, rel=0.02) for each in tried)


def test_a_picture_that_stands_still_says_nothing() -> None:
    """Samples that agree with all of an exemplar fit every speed: only 1 is tried."""
    source_s, exemplar_s = (each.ravel() for each in np.meshgrid(np.arange(30.0), np.arange(10.0)))
    assert (1.0,) == likely_speeds(source_s, exemplar_s, np.zeros(300))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_few_hits_are_no_line(count: int) -> None:
    """Without two samples well apart nothing but 1 is tried, and nothing is fitted."""
    source_s = np.linspace(0.0, 0.5 * count, count)
    exemplar_s = np.linspace(0.0, 0.75 * count, count)
    assert (1.0,) == likely_speeds(source_s, exemplar_s, np.zeros(count))
    assert 1.0 == fitted_speed(source_s, exemplar_s, 1.0, 0.25)


def test_a_slope_must_be_beyond_doubt() -> None:
    """Times known to half a second over two seconds do not overrule the speed that was tried."""
    source_s, exemplar_s = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.5, 2.5])
    assert 1.0 == fitted_speed(source_s, exemplar_s, 1.0, 0.5)
    long_s = np.arange(20.0)
    assert fitted_speed(long_s, np.round(long_s * 2.5) / 2, 1.0, 0.5) == pytest.approx(1.25, 0.02)
