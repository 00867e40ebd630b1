"""Times of entries: seconds since 1970 or ISO 8601, as one list wrote and another wants them."""

from __future__ import annotations

from datetime import UTC, datetime

from vscan.exemplars.formats.guards import number


def epoch_s(text: str) -> float | None:
    """Seconds since 1970 that the text means: a number, or a date and time (UTC unless it says).

    None where it is neither. `2025-03-03 23:05:22,587` is read as well as ISO 8601.
    """
    try:
        return number(text)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(text.replace(",", "."))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def iso(text: str) -> str:
    """The time as `2017-10-24T15:00:00Z`, to the second; of no time the beginning of 1970."""
    try:
        when = datetime.fromtimestamp(epoch_s(text) or 0.0, UTC)
    except (ValueError, OverflowError, OSError):
        when = datetime.fromtimestamp(0, UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
