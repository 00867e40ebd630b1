"""What a scan could not see: files that were not read, gaps, warnings, what was set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vscan.errors import ERROR_CODES, WARNING_CODES
from vscan.reports.words import because, clock, when
from vscan.store.browse import Record

MOST_GAPS = 6
"""Gaps of one video that are told; the rest is counted."""
WHAT_TO_DO: dict[str, str] = {
    "not_found": "see whether it was moved or removed, and scan it again",
    "not_a_file": "name the video itself",
    "permission_denied": "let the scan's user or credentials read it, and scan it again",
    "empty_file": "fetch it again: nothing of it arrived",
    "unsupported_format": "have a person look: a known format under another name is a known trick",
    "no_video_stream": "nothing to be looked at; sound is not judged",
    "no_frames": "have a person look: players may show what these readers cannot decode",
    "too_large": "have a person look, or raise the limit that its message names",
    "deadline": "scan it again with a larger --timeout; if it stays, have a person look with care",
    "memory_limit": "have a person look with care: it may be made to exhaust what opens it",
    "worker_died": "have a person look with care: it may be made to crash what opens it",
    "changed_while_read": "scan it again once it is complete",
    "read_failed": "see to the disk or network that it lies on, and scan it again",
    "fetch_failed": "see to the network, the service and whoever writes to it, and scan it again",
    "decode_failed": "have a person look: it is damaged, or somebody did not want it read",
    "store_damaged": "scan it again: its stored tracks are measured anew",
    "signal_not_stored": "scan it again with that signal, or leave the signal out",
    "internal": "report it, with its message: it is an error of vscan itself",
}
"""By error code, what a person should do."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Videos that could not be read for one reason."""

    code: str
    meaning: str
    what_to_do: str
    videos: int
    some: tuple[tuple[str, str], ...]
    """Name and message of some of them."""


@dataclass(frozen=True, kw_only=True)
class Partial:
    """A video of which not everything planned was looked at."""

    uri: str
    coverage: str
    """Of planned samples, as `87 %`."""
    gaps: str


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Everything of that kind."""

    failed: tuple[Failed, ...]
    """The most frequent first."""
    partial: tuple[Partial, ...]
    """Some of them, those of which least was seen first."""
    partly_seen: int
    warnings: tuple[tuple[str, str, int], ...]
    """Code, meaning, videos; the most frequent first."""
    suppressed: tuple[tuple[str, str, str, str], ...]
    """Some: video, policy, when, why."""
    set_aside: int


def trouble(records: Sequence[Record], most: int) -> Trouble:
    """What stands in the way of trusting the scan; of each list at most `most` entries."""
    partly = [each for each in records if _is_partial(each)]
    partly.sort(key=lambda each: (each["samples"]["coverage"], each["source"]["uri"]))
    aside = [
        (each["source"]["uri"], one["policy"], when(one["segments"]), because(one))
        for each in records
        for one in each["suppressed"]
    ]
    return Trouble(
        failed=tuple(_failed(records, most)),
        partial=tuple(_partial(each) for each in partly[:most]),
        partly_seen=len(partly),
        warnings=tuple(_warnings(records)),
        suppressed=tuple(sorted(aside)[:most]),
        set_aside=len(aside),
    )


def _is_partial(record: Record) -> bool:
    samples = record["samples"]
    return samples is not None and (
        samples["read"] < samples["planned"] or "partial_coverage" in record["reasons"]
    )


def _partial(record: Record) -> Partial:
    samples = record["samples"]
    gaps = [f"{clock(start)}–{clock(end)}" for start, end in samples["gaps_s"]]
    more = len(gaps) - MOST_GAPS
    told = [*gaps[:MOST_GAPS], *([f"and {more} more"] if more > 0 else [])]
    return Partial(
        uri=record["source"]["uri"],
        coverage=f"{samples['coverage']:.1%}",
        gaps=", ".join(told) or "no gap between samples; see its warnings",
    )


def _failed(records: Iterable[Record], most: int) -> list[Failed]:
    by_code: dict[str, list[tuple[str, str]]] = {}
    for record in records:
        if "error" in record:
            told = (record["source"]["uri"], record["error"]["message"])
            by_code.setdefault(record["error"]["code"], []).append(told)
    made = [
        Failed(
            code=code,
            meaning=ERROR_CODES.get(code, "a code of another version of vscan"),
            what_to_do=WHAT_TO_DO.get(code, "see its message"),
            videos=len(videos),
            some=tuple(sorted(videos)[:most]),
        )
        for code, videos in by_code.items()
    ]
    return sorted(made, key=lambda each: (-each.videos, each.code))


def _warnings(records: Iterable[Record]) -> list[tuple[str, str, int]]:
    counts = Counter(code for record in records for code in set(record["warnings"]))
    order = sorted(counts, key=lambda code: (-counts[code], code))
    unknown = "a code of another version of vscan"
    return [(code, WARNING_CODES.get(code, unknown), counts[code]) for code in order]
