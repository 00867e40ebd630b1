"""Two verdict files held against each other, source by source, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vscan.store.differences import Difference, difference, only_in, provenance_changes
from vscan.store.verdict_files import VerdictFiles


@dataclass
class Totals:
    """What a comparison comes to; complete when its differences have been drawn."""

    sources: int = 0
    """That one file or both know."""
    changed: int = 0
    """Of which something differs."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Sources by what differs (`Difference.kinds`); one may count under several."""
    flips: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Sources of both files by outcome before and after, where it changed."""
    provenance: Counter[tuple[str, str | None, str | None]] = field(default_factory=Counter)
    """Sources by what differs in how they were judged: name, before, after."""
    torn: list[Path] = field(default_factory=list)
    """Files whose torn last line was left out."""


def compare(
    before: Path,
    after: Path,
    *,
    totals: Totals,
    tolerance_s: float,
    score_tolerance: float = 0.0,
) -> Iterator[Difference]:
    """Every source whose verdicts differ, in the order of the URIs; counts them in `totals`.

    A source's last line counts, as for whoever reads one of the files. Both files are read twice,
    and two records are held at a time. Raises OutputError where a file cannot be read.
    """
    with VerdictFiles([before, after]) as files:
        old, new = files.latest(0), files.latest(1)
        totals.torn = files.torn
        for uri in sorted({*old, *new}):
            totals.sources += 1
            if uri not in new:
                found = only_in(files.record(old[uri]), "a")
            elif uri not in old:
                found = only_in(files.record(new[uri]), "b")
            elif old[uri].digest == new[uri].digest:
                continue
            else:
                one, other = files.record(old[uri]), files.record(new[uri])
                for name, (was, now) in provenance_changes(one, other).items():
                    totals.provenance[name, was, now] += 1
                found = difference(
                    one, other, tolerance_s=tolerance_s, score_tolerance=score_tolerance
                )
            if found.kinds:
                _count(found, totals)
                yield found


def _count(found: Difference, totals: Totals) -> None:
    totals.changed += 1
    totals.kinds.update(found.kinds)
    was, now = found.outcome
    if was is not None and now is not None and was != now:
        totals.flips[was, now] += 1
