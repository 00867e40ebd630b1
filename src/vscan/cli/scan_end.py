"""How a scan ended: what came of it and what flooded it, on stderr, and the exit code."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vscan.cli.found_by import count_evidence, told_matches
from vscan.cli.index_output import say

if TYPE_CHECKING:
    from vscan.curation import Quarantined
    from vscan.sources import SourceFinder
    from vscan.verdicts import Verdict

EXIT_FAIL_ON, EXIT_ERRORS = 1, 3
FAILING = {"review": ("review", "violation"), "violation": ("violation",)}


@dataclass
class Ended:
    """What a scan has come to so far."""

    signals: Sequence[str]
    """That are measured."""
    indexed: bool
    """Whether there are exemplars to match."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Videos by outcome; `done before` for those of an earlier run."""
    earlier: dict[str, str] = field(default_factory=dict)
    """Outcomes of those, by the verdict's id."""
    found: Counter[str] = field(default_factory=Counter)
    """Evidence by signal."""
    flagged: set[str] = field(default_factory=set)
    """Ids of this run's verdicts with findings: whose outcome may still change."""

    def count(self, verdict: Verdict | None) -> None:
        """Count one more video; None for one that was done before."""
        if verdict is None:
            self.outcomes["done before"] += 1
            return
        self.outcomes[verdict.outcome] += 1
        count_evidence(verdict, self.found)
        if verdict.findings:
            self.flagged.add(verdict.id)

    def settle(self, amended: Mapping[str, tuple[str, str]]) -> None:
        """Take in what became of lines that were written anew: outcome before and after, by id."""
        for verdict_id, (before, after) in amended.items():
            if verdict_id in self.earlier:
                self.earlier[verdict_id] = after
            elif verdict_id in self.flagged:
                self.outcomes[before] -= 1
                self.outcomes[after] += 1

    def tell(self, finder: SourceFinder, output: Path | None) -> None:
        """Say on stderr what came of it. Raises UsageError where there was no input."""
        from vscan.cli.tables import safe
        from vscan.errors import UsageError

        if not self.outcomes:
            others = f", only {finder.skipped_files} other files" if finder.skipped_files else ""
            places = ", ".join(safe(name) for name in finder.empty_folders) or "the list"
            raise UsageError(
                f"no videos in {places}{others}",
                remedy="name a folder that holds videos; a file that is named outright is always"
                " read",
            )
        for name in finder.empty_folders:
            say(f"note: no videos in {name}")
        for name in finder.unreadable_folders:
            say(f"note: the folder {name} may not be listed")
        if self.indexed and self.outcomes.total() > self.outcomes["done before"]:
            say(told_matches(self.signals, self.found))
        words = ("violation", "review", "clear", "error", "done before")
        counts = ", ".join(f"{self.outcomes[word]} {word}" for word in words if self.outcomes[word])
        where = f"; verdicts in {output}" if output is not None else ""
        skipped = finder.skipped_files
        ignored = f"; {skipped} other files skipped" if skipped else ""
        total = self.outcomes.total()
        videos = "1 video" if total == 1 else f"{total} videos"
        print(f"vscan: {videos}: {counts}{ignored}{where}", file=sys.stderr)

    def leave(self, fail_on: str | None) -> None:
        """The exit code that the outcomes call for, as the lines say them in the end; those of
        earlier runs on the output count too."""
        outcomes = {word for word, count in self.outcomes.items() if count}
        outcomes |= set(self.earlier.values())
        if "error" in outcomes:
            raise typer.Exit(EXIT_ERRORS)
        if fail_on is not None and not outcomes.isdisjoint(FAILING[fail_on]):
            raise typer.Exit(EXIT_FAIL_ON)


def tell_floods(marked: Sequence[Quarantined], output: Path | None, amended: int) -> None:
    """Say on stderr which exemplars flooded the run, and what to do about each."""
    for each in marked:
        flood = each.flood
        say(
            f"flood: {flood.exemplar} of the index {flood.index} ({flood.policy}) matched"
            f" {flood.sources} of {flood.of} videos: its matches stand under `suppressed`"
        )
        command = f"vscan index update {each.path} {flood.exemplar}"
        if each.problem is None:
            say(
                f"  it is in quarantine now and matches nothing; look at it, then `{command}"
                f" --release` if it is right, or `{command} --disable`"
            )
        else:
            say(f"  it could not be put into quarantine ({each.problem}): `{command} --disable`")
    if marked and output is None:
        say("  lines that went to stdout before are as they were; -o FILE mends them")
    elif amended:
        lines = "1 earlier line" if amended == 1 else f"{amended} earlier lines"
        say(f"  {lines} of {output} written anew")
