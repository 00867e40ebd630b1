"""Times of entries, from one list's way of writing to another's."""

from __future__ import annotations

import pytest

from vscan.exemplars.formats import times


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1704901040.25", 1704901040.25),
        ("2017-10-24T15:00:00Z", 1508857200.0),
        ("2025-03-03 23:05:22,500", 1741043122.5),
        ("2017-10-24T17:00:00+02:00", 1508857200.0),
        ("yesterday", None),
        ("", None),
    ],
)
def test_every_writing_of_a_time(text: str, seconds: float | None) -> None:
    """Seconds, ISO 8601 and Tech Against Terrorism's own; without a zone it is UTC."""
    assert seconds == times.epoch_s(text)


@pytest.mark.parametrize(
    ("text", "iso"),
    [("1508857200", "2017-10-24T15:00:00Z"), ("never", "1970-01-01T00:00:00Z"),
     ("1e300", "1970-01-01T00:00:00Z")],
)  # fmt: skip
def test_iso(text: str, iso: str) -> None:
    """To the second, in UTC; no time is the beginning of time."""
    assert iso == times.iso(text)
