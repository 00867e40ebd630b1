"""Verdict lines as enforcement figures need them: what is flagged, and what the list said of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from vscan.intervals import Interval, union
from vscan.metrics.moments import moment
from vscan.store.browse import Record, load_records

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of a verdict."""

    policy: str
    severity: str
    action: str
    score: float
    seconds: float
    """In its segments, where they overlap counted once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One verdict. Times, `reported` and `views` are what `source.meta` says, null where it says
    nothing that can be read."""

    id: str
    uri: str
    sha256: str | None
    outcome: str
    action: str
    pack: str
    market: str | None
    uploaded_at: datetime | None
    flagged_at: datetime | None
    reported_at: datetime | None
    reported: bool | None
    views: float | None
    findings: tuple[Found, ...]
    seconds: float
    """In segments of any policy, where they overlap counted once."""

    @property
    def is_error(self) -> bool:
        """Whether the video could not be judged."""
        return self.outcome == "error"

    @property
    def policies(self) -> set[str]:
        """Those that fire."""
        return {each.policy for each in self.findings}

    @property
    def known_since(self) -> datetime | None:
        """The earliest of uploaded, flagged and reported."""
        told = (self.uploaded_at, self.flagged_at, self.reported_at)
        return min((each for each in told if each is not None), default=None)


@dataclass
class Verdicts:
    """The verdicts of several files."""

    by_source: dict[tuple[str, str | None], Seen] = field(default_factory=dict)
    """By URI and market, the one that counts: the last of the last file."""
    by_id: dict[str, Seen] = field(default_factory=dict)
    """Those that another file replaces too: decisions rule on them."""
    provenance: dict[str, set[str]] = field(default_factory=dict)
    """By field of the provenance, every value that occurs."""
    replaced: int = 0
    unread: dict[str, int] = field(default_factory=dict)
    """By field of `source.meta`, values that are no time, number or truth."""

    def __iter__(self) -> Iterator[Seen]:
        return iter(self.by_source.values())

    def __len__(self) -> int:
        return len(self.by_source)

    def add(self, record: Record) -> None:
        """Take in one verdict line."""
        seen = self._seen(record)
        place = (seen.uri, seen.market)
        self.replaced += self.by_source.pop(place, None) is not None
        self.by_source[place] = self.by_id[seen.id] = seen
        for name, value in record["provenance"].items():
            told = ", ".join(map(str, value)) if isinstance(value, list | dict) else str(value)
            self.provenance.setdefault(name, set()).add(told)

    def _seen(self, record: Record) -> Seen:
        source, meta = record["source"], record["source"]["meta"]
        findings = tuple(_found(each) for each in record["findings"])
        spans = [span for each in record["findings"] for span in _spans(each)]
        market = meta.get("market")
        return Seen(
            id=record["id"],
            uri=source["uri"],
            sha256=source["sha256"],
            outcome=record["outcome"],
            action=record["action"],
            pack=record["provenance"]["pack"],
            market=market if isinstance(market, str) and market else None,
            uploaded_at=self._time(meta, "uploaded_at"),
            flagged_at=self._time(meta, "flagged_at"),
            reported_at=self._time(meta, "reported_at"),
            reported=self._truth(meta, "reported"),
            views=self._number(meta, "views"),
            findings=findings,
            seconds=sum(each.length_s for each in union(spans)),
        )

    def _time(self, meta: Mapping[str, Any], name: str) -> datetime | None:
        value = meta.get(name)
        if value in (None, ""):
            return None
        try:
            return moment(value)
        except ValueError:
            self._cannot_read(name)
            return None

    def _truth(self, meta: Mapping[str, Any], name: str) -> bool | None:
        value = meta.get(name)
        if value in (None, ""):
            return None
        word = str(value).strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        self._cannot_read(name)
        return None

    def _number(self, meta: Mapping[str, Any], name: str) -> float | None:
        value = meta.get(name)
        if value in (None, ""):
            return None
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if 0.0 <= number < math.inf:
            return number
        self._cannot_read(name)
        return None

    def _cannot_read(self, name: str) -> None:
        self.unread[name] = self.unread.get(name, 0) + 1


def load_verdicts(names: Iterable[Path | str]) -> Verdicts:
    """The verdicts of the files, folders of parts and URIs. Raises as `load_records`."""
    verdicts = Verdicts()
    for name in names:
        for record in load_records(name):
            verdicts.add(record)
    return verdicts


def _found(finding: Record) -> Found:
    return Found(
        policy=finding["policy"],
        severity=finding["severity"],
        action=finding["action"],
        score=float(finding["score"]),
        seconds=sum(each.length_s for each in union(_spans(finding))),
    )


def _spans(finding: Record) -> list[Interval]:
    ends = (sorted((float(one["start_s"]), float(one["end_s"]))) for one in finding["segments"])
    return [Interval(start_s, end_s) for start_s, end_s in ends]
