"""What a scan came to, gathered from verdict files for a page: figures, findings, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vscan.decisions.decision import Decision
from vscan.errors import UsageError
from vscan.policies.actions import Action
from vscan.policies.pack import PolicyPack
from vscan.reports.configurations import Configurations, FoundRuns, configurations, found_runs
from vscan.reports.policy_figures import PolicyFigures, policy_figures
from vscan.reports.ruled import Ruled, Rulings, ruled
from vscan.reports.thumbnails import Shot
from vscan.reports.trouble import Trouble, trouble
from vscan.runs import without_secrets
from vscan.storage import scheme_of
from vscan.store.browse import Record, load_records, most_severe_first
from vscan.verdicts import OUTCOMES

MOST_IN_DETAIL = 200
"""Videos that are told in detail, where nothing else is asked for."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The scan in figures."""

    videos: int
    seconds: float
    """Length of all videos of which it is known."""
    unknown_length: int
    outcomes: Mapping[str, int]
    actions: Mapping[str, int]
    """Videos by recommended action, the most severe first."""


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """Everything that the page says; the same files give the same report."""

    title: str
    files: tuple[str, ...]
    overview: Overview
    first: tuple[Record, ...]
    """What needs a person, the most severe first, as many as are told."""
    need_a_person: int
    settled: int
    """Verdicts that would need a person and that a standing decision settles."""
    detailed: tuple[Record, ...]
    """Videos with findings or with evidence set aside that are told in detail."""
    flagged: int
    """Videos with findings."""
    policies: tuple[PolicyFigures, ...]
    pack: PolicyPack | None
    pack_used: bool
    """Whether all verdicts were made under that very pack."""
    rulings: Rulings | None
    ruled: Ruled | None
    trouble: Trouble
    configurations: Configurations
    runs: FoundRuns
    replaced: int
    """Verdicts that a later file replaces."""
    most: int
    """Videos that were to be told in detail."""


def scan_report(
    files: Sequence[Path | str],
    *,
    title: str = "",
    decisions: Iterable[Decision] | None = None,
    pack: PolicyPack | None = None,
    most: int = MOST_IN_DETAIL,
) -> ScanReport:
    """Gathers a report from verdict files, folders of parts and URIs; where two know a source, the
    later one counts.

    decisions: all of a decision log, in its order. pack: for titles, descriptions and thresholds.
    Raises OutputError for a file that holds something else, UsageError where there is no verdict.
    """
    records, replaced = _records(files)
    if not records:
        names = ", ".join(_said(file) for file in files)
        raise UsageError(f"{names}: no verdict in it", remedy="give what `vscan scan -o` wrote")
    rulings = None if decisions is None else Rulings(decisions)
    ordered = most_severe_first(records)
    waiting = [each for each in ordered if each["outcome"] != "clear"]
    open_ones = [each for each in waiting if rulings is None or not rulings.is_settled(each)]
    flagged = [each for each in ordered if each["findings"]]
    return ScanReport(
        title=title or _title(files),
        files=tuple(_said(file) for file in files),
        overview=_overview(records),
        first=tuple(open_ones[:most]),
        need_a_person=len(open_ones),
        settled=len(waiting) - len(open_ones),
        detailed=tuple(flagged[:most]),
        flagged=len(flagged),
        policies=policy_figures(records, pack),
        pack=pack,
        pack_used=pack is not None and {r["provenance"]["pack"] for r in records} == {pack.ref},
        rulings=rulings,
        ruled=None if rulings is None else ruled(records, rulings),
        trouble=trouble(ordered, most),
        configurations=configurations(records),
        runs=found_runs([Path(each) for each in files if str(each) != "-" and _is_local(each)]),
        replaced=replaced,
        most=most,
    )


Shots = Mapping[str, tuple[Shot, ...]]
"""By verdict, its blurred frames."""


def _records(files: Sequence[Path | str]) -> tuple[list[Record], int]:
    latest: dict[str, Record] = {}
    read = 0
    for file in files:
        for record in load_records(file):
            read += 1
            latest.pop(record["source"]["uri"], None)
            latest[record["source"]["uri"]] = record
    return list(latest.values()), read - len(latest)


def _is_local(name: Path | str) -> bool:
    return isinstance(name, Path) or scheme_of(name) is None


def _said(name: Path | str) -> str:
    return str(name) if _is_local(name) else without_secrets(str(name))


def _title(files: Sequence[Path | str]) -> str:
    name = PurePosixPath(_said(files[0])).name
    return f"Scan report: {name}" + (f" and {len(files) - 1} more" if len(files) > 1 else "")


def _overview(records: Sequence[Record]) -> Overview:
    lengths = [record["source"]["duration_s"] for record in records]
    outcomes = Counter(record["outcome"] for record in records)
    actions = Counter(record["action"] for record in records)
    return Overview(
        videos=len(records),
        seconds=sum(each for each in lengths if each is not None),
        unknown_length=sum(each is None for each in lengths),
        outcomes={each: outcomes[each] for each in OUTCOMES},
        actions={str(each): actions[str(each)] for each in reversed(Action)},
    )
