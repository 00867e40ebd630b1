"""Moments as a list of inputs has them: dates and times as text, or seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(told: object) -> datetime:
    """A moment in UTC: of ISO 8601, in UTC where it names no zone and the first second of a day
    where it names no time; or of a number, seconds since 1970.

    Raises ValueError for anything else, and for what lies outside the years 1 to 9999.
    """
    try:
        if isinstance(told, int | float) and not isinstance(told, bool):
            return datetime.fromtimestamp(told, UTC)
        if isinstance(told, str):
            at = datetime.fromisoformat(told.strip())
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{told!r} is no moment of these years") from error
    raise ValueError(f"{told!r} is no moment")
