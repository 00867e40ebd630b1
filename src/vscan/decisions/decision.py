"""The decision: a person's ruling on a verdict, one JSON line each (`vscan.decision/1`)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import orjson

from vscan.errors import DecisionError

SCHEMA: Literal["vscan.decision/1"] = "vscan.decision/1"
Ruling = Literal["uphold", "overturn", "escalate"]
Reason = Literal["false_positive", "wrong_policy", "missed_segment", "technical"]
Kind = Literal["first", "second", "adjudication", "appeal", "gold"]
FOLLOWS: Mapping[Kind, tuple[Kind, ...]] = {
    "first": (),
    "second": ("first",),
    "adjudication": ("first", "second"),
    "appeal": ("first", "second", "adjudication", "appeal"),
    "gold": (),
}
"""By kind, the kinds of decision that one can be about; none where it stands by itself."""
MOST_CHARACTERS: Mapping[str, int] = {"uri": 65_536, "note": 10_000}
"""Of a text; 256 of the others."""
MOST_SECONDS = 1e9
_RFC_3339_UTC = re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
_FREE = ("uri", "note")
"""Texts that may hold what does not print: names of files, and several lines."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What one person ruled on one verdict, as a whole or under one of its policies.

    Raises DecisionError where the fields do not hold together.
    """

    id: str
    kind: Kind = "first"
    about: str | None = None
    """Id of the decision that this one follows; null for `first` and `gold`."""
    verdict: str
    """The verdict's id."""
    uri: str
    """The source's name, as the verdict has it."""
    sha256: str | None
    """Of the source's bytes; null where the verdict has none, as for a file that cannot be read."""
    policy: str | None = None
    """The policy that is ruled on; null for the whole verdict."""
    ruling: Ruling
    reason: Reason | None = None
    """Why it was overturned (needed then) or escalated; null where it is upheld."""
    segments: tuple[tuple[float, float], ...] = ()
    """Start and end of what was reviewed, seconds of the source."""
    reviewer: str
    market: str | None = None
    seconds_viewed: float | None = None
    """How long the material was on the screen; null where nobody measured it."""
    decided_at: str
    """UTC, RFC 3339, as `2026-11-02T09:30:00Z`."""
    note: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name not in ("segments", "seconds_viewed"):
                self._check_text(field.name, getattr(self, field.name))
        self._check_word("ruling", get_args(Ruling))
        self._check_word("kind", get_args(Kind))
        self._check_reason()
        self._check_about()
        self._check_spans()
        self._check_moment()
        if self.sha256 is not None and (
            len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef")
        ):
            raise DecisionError("sha256 is not 64 hexadecimal digits in lower case")

    def _check_text(self, name: str, value: object) -> None:
        if value is None and name in ("about", "sha256", "policy", "reason", "market"):
            return
        if not isinstance(value, str) or not (value.strip() or name == "note"):
            raise DecisionError(f"{name} is not a text", remedy=f"give {name} as a text")
        if len(value) > (most := MOST_CHARACTERS.get(name, 256)):
            raise DecisionError(f"{name} is longer than {most} characters")
        if any("\ud800" <= one <= "\udfff" for one in value):
            raise DecisionError(f"{name} is not Unicode", remedy="write it in UTF-8")
        if name not in _FREE and not value.isprintable():
            raise DecisionError(f"{name} holds characters that do not print")

    def _check_word(self, name: str, words: tuple[str, ...]) -> None:
        if getattr(self, name) not in words:
            raise DecisionError(
                f"{getattr(self, name)!r} is no {name}", remedy=f"one of: {', '.join(words)}"
            )

    def _check_reason(self) -> None:
        words = ", ".join(get_args(Reason))
        if self.reason is not None:
            self._check_word("reason", get_args(Reason))
        if self.ruling == "overturn" and self.reason is None:
            raise DecisionError("overturn needs a reason", remedy=f"one of: {words}")
        if self.ruling == "uphold" and self.reason is not None:
            raise DecisionError(
                "a verdict that is upheld has no reason", remedy="leave the reason out, or overturn"
            )

    def _check_about(self) -> None:
        if FOLLOWS[self.kind] and self.about is None:
            raise DecisionError(
                f"{self.kind} names no decision that it follows",
                remedy="give the id of that decision as `about`; `vscan review list` shows it",
            )
        if not FOLLOWS[self.kind] and self.about is not None:
            raise DecisionError(f"{self.kind} follows no decision", remedy="leave out `about`")

    def _check_spans(self) -> None:
        for span in self.segments:
            if len(span) != 2 or not all(map(_is_time, span)) or span[0] > span[1]:
                raise DecisionError(
                    f"{list(span)} is no segment",
                    remedy="give start and end in seconds, the start first",
                )
        if self.seconds_viewed is not None and not _is_time(self.seconds_viewed):
            raise DecisionError("seconds_viewed is not a number of seconds, 0 or more")
        # 3 and 3.0 are the same time, and must be the same bytes.
        spans = tuple((float(start), float(end)) for start, end in self.segments)
        object.__setattr__(self, "segments", spans)
        if self.seconds_viewed is not None:
            object.__setattr__(self, "seconds_viewed", float(self.seconds_viewed))

    def _check_moment(self) -> None:
        known = _RFC_3339_UTC.fullmatch(self.decided_at) is not None
        try:
            datetime.fromisoformat(self.decided_at)
        except ValueError:
            known = False
        if not known:
            raise DecisionError(
                f"decided_at {self.decided_at!r} is no moment in UTC",
                remedy="write it as 2026-11-02T09:30:00Z",
            )

    def as_dict(self) -> dict[str, Any]:
        """The record as plain values: every field, in the order of the class."""
        return {"schema": SCHEMA, **asdict(self)}

    def canonical(self) -> bytes:
        """The decision as JSON with sorted keys, without a line end: what the log keeps and hashes.

        The same decision always gives the same bytes.
        """
        return orjson.dumps(self.as_dict(), option=orjson.OPT_SORT_KEYS)

    def to_line(self) -> bytes:
        """One JSON line with its newline."""
        return self.canonical() + b"\n"


_KNOWN = frozenset(field.name for field in fields(Decision))
_NEEDED = tuple(field.name for field in fields(Decision) if field.default is MISSING)


def parse_decision(line: bytes) -> Decision:
    """The decision that a line holds: `parse_decision(d.to_line()) == d`.

    Raises DecisionError where the line is no decision of this version.
    """
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DecisionError(f"no JSON: {error}") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise DecisionError(f"not a decision: its schema is not {SCHEMA}")
    if unknown := sorted(set(record) - _KNOWN - {"schema"}):
        raise DecisionError(
            f"{unknown[0]!r} is no field of a decision", remedy="nothing may be lost: take it out"
        )
    if missing := [name for name in _NEEDED if name not in record]:
        raise DecisionError(f"{', '.join(missing)} is missing")
    values = {name: value for name, value in record.items() if name != "schema"}
    segments = values.get("segments", [])
    if not isinstance(segments, list) or not all(isinstance(span, list) for span in segments):
        raise DecisionError("segments is not a list of [start_s, end_s]")
    return Decision(**values | {"segments": tuple(map(tuple, segments))})


def _is_time(value: object) -> bool:
    """Whether it is a number of seconds from 0 up to what no video comes near."""
    return type(value) in (int, float) and 0 <= value < MOST_SECONDS  # type: ignore[operator]  # a number by the first test


def new_id() -> str:
    """An id that no other decision has."""
    return "d_" + secrets.token_hex(10)


def moment(at: datetime) -> str:
    """A moment as `decided_at` has it, to the second. at: with a time zone."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
