"""Dates as people give them to a command: ISO 8601, or `never`."""

from __future__ import annotations

from datetime import UTC, date, datetime

from vscan.errors import UsageError


def expiry(text: str, *, not_before: str | None = None) -> str | None:
    """The moment that `--expires` names, UTC as `2026-11-02T09:30:00Z`; None for `never`.

    A date is its first second, a time without a zone is UTC. not_before: UTC, a moment that it must
    lie after. Raises UsageError.
    """
    if text.strip().lower() == "never":
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"--expires {text!r} is not a date",
            remedy="write it as 2026-12-31 or 2026-12-31T18:00 (UTC), or `never`",
        ) from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    told = moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    if not_before is not None and told <= not_before:
        raise UsageError(
            f"--expires {text} lies in the past: the exemplars would never match",
            remedy="give a later date, or leave it out",
        )
    return told


def day(text: str | None, option: str) -> date | None:
    """The day that an option names, as `2026-11-02`; None where it was not given.

    Raises UsageError.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is not a date", remedy="write it as 2026-11-02"
        ) from error
