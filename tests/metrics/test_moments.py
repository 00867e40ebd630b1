"""Moments of an input list: what is read as one, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vscan.metrics.moments import moment


@pytest.mark.parametrize(
    "told",
    ["2026-11-02T09:30:00Z", "2026-11-02T09:30:00", " 2026-11-02T10:30:00+01:00 ", 1793611800],
)
def test_one_moment_in_every_spelling(told: object) -> None:
    """With a zone, without one, in another one, as seconds since 1970."""
    assert datetime(2026, 11, 2, 9, 30, tzinfo=UTC) == moment(told)


def test_a_day_is_its_first_second() -> None:
    """A date alone is midnight, UTC."""
    assert datetime(2026, 11, 2, tzinfo=UTC) == moment("2026-11-02")


@pytest.mark.parametrize(
    "told",
    ["", "soon", None, True, [], 1e300, float("nan"), float("inf"), "0001-01-01T00:00:00+14:00"],
)
def test_what_is_no_moment(told: object) -> None:
    """Other words and values, and moments of no year that there is."""
    with pytest.raises(ValueError, match="no moment|Invalid"):
        moment(told)
