"""Verdict files for people to look through: loaded, filtered, ordered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from vscan.errors import OutputError, UsageError
from vscan.policies.actions import Action
from vscan.store.verdict_places import read_verdicts
from vscan.verdicts import OUTCOMES

Record = dict[str, Any]
"""One verdict as it stands in its line (docs/verdict-schema.json)."""


def load_records(path: Path | str) -> list[Record]:
    """The verdicts of a file in its order, the last one of each source; `-` is stdin, a folder or
    a URI what `verdict_places` says.

    One that only says that a source could not be had today does not count where an older one is an
    answer, as in `records.RecordFile`.
    Raises OutputError when the file cannot be read or holds something else.
    """
    latest: dict[str, Record] = {}
    answered: set[str] = set()
    try:
        for stored in read_verdicts(path):
            if stored.uri in answered and not stored.is_final:
                continue
            latest.pop(stored.uri, None)
            latest[stored.uri] = stored.record
            if stored.is_final:
                answered.add(stored.uri)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be read ({error.strerror})",
            remedy="give the file that `vscan scan -o FILE` wrote",
        ) from error
    return list(latest.values())


@dataclass(frozen=True)
class Filter:
    """Which verdicts, and which of their findings, are wanted. Empty means all."""

    outcomes: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    """Ids, each taking in the ids below it: `weapons` takes in `weapons.firearms`."""
    min_action: str | None = None
    min_score: float = 0.0

    def __post_init__(self) -> None:
        for outcome in self.outcomes:
            if outcome not in OUTCOMES:
                raise UsageError(
                    f"{outcome!r} is no outcome", remedy=f"outcomes: {', '.join(OUTCOMES)}"
                )
        if self.min_action is not None:
            try:
                Action.of(self.min_action)
            except ValueError as error:
                raise UsageError(str(error)) from error

    def findings(self, record: Record) -> list[Record]:
        """The findings of a record that are wanted, in its order."""
        floor = Action.ALLOW if self.min_action is None else Action.of(self.min_action)
        return [
            finding
            for finding in record["findings"]
            if finding["score"] >= self.min_score
            and Action.of(finding["action"]) >= floor
            and (not self.policies or any(_below(finding["policy"], p) for p in self.policies))
        ]

    def accepts(self, record: Record) -> bool:
        """True if the record is wanted at all."""
        if self.outcomes and record["outcome"] not in self.outcomes:
            return False
        if self.policies or self.min_score > 0.0:
            return bool(self.findings(record))
        return self.min_action is None or Action.of(record["action"]) >= Action.of(self.min_action)


def _below(policy: str, wanted: str) -> bool:
    return policy == wanted or policy.startswith(wanted + ".")


def most_severe_first(records: Iterable[Record]) -> list[Record]:
    """Violations, what wants review, errors, what is clear; strongest first, then by URI."""
    order = {"violation": 0, "review": 1, "error": 2, "clear": 3}

    def key(record: Record) -> tuple[int, int, float, str]:
        top = max((finding["score"] for finding in record["findings"]), default=0.0)
        severe = -Action.of(record["action"])
        return (order[record["outcome"]], severe, -top, record["source"]["uri"])

    return sorted(records, key=key)


def find_record(records: list[Record], wanted: str) -> Record:
    """The record whose id, URI, end of URI, or else any part of it is `wanted`.

    Raises UsageError when none or several fit, naming the nearest.
    """
    fitting = (
        [r for r in records if wanted in (r["id"], r["source"]["uri"])]
        or [r for r in records if r["source"]["uri"].endswith("/" + wanted)]
        or [r for r in records if wanted in r["source"]["uri"]]
    )
    if len(fitting) == 1:
        return fitting[0]
    uris = [r["source"]["uri"] for r in records]
    if fitting:
        names = ", ".join(r["source"]["uri"] for r in fitting[:5])
        raise UsageError(f"{wanted!r} fits several videos: {names}", remedy="give the whole name")
    near = get_close_matches(wanted, uris, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UsageError(f"no verdict for {wanted!r} among {len(records)}{hint}")
