"""How a scan ended: what came of it and what flooded it, on stderr, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from vscan.cli.found_by import count_evidence, told_matches
from vscan.cli.telling import tell
from vscan.runs import without_secrets
from vscan.tallies import RunTally

if TYPE_CHECKING:
    from vscan.curation import Quarantined
    from vscan.runs import Began, Run, SummaryPlace
    from vscan.sources import SourceFinder
    from vscan.verdicts import Provenance, Verdict

EXIT_FAIL_ON, EXIT_ERRORS = 1, 3
FAILING = {"review": ("review", "violation"), "violation": ("violation",)}


@dataclass
class Ended:
    """What a scan has come to so far."""

    signals: Sequence[str]
    """That are measured."""
    indexed: bool
    """Whether there are exemplars to match."""
    tally: RunTally = field(default_factory=RunTally)
    found: Counter[str] = field(default_factory=Counter)
    """Evidence by signal."""

    def count(self, verdict: Verdict | None) -> None:
        """Count one more video; None for one that was done before."""
        self.tally.count(verdict)
        if verdict is not None:
            count_evidence(verdict, self.found)

    def tell_inputs(self, finder: SourceFinder) -> None:
        """Say on stderr which inputs were none. Raises UsageError where there was no input."""
        from vscan.cli.tables import safe
        from vscan.errors import UsageError

        if not self.tally.sources and not self.tally.other_shards:
            foreign = f", only {finder.skipped_files} other files" if finder.skipped_files else ""
            places = ", ".join(safe(name) for name in finder.empty_folders) or "the list"
            raise UsageError(
                f"no videos in {places}{foreign}",
                remedy="name a folder, prefix or pattern that holds videos; a file that is named"
                " outright is always read",
            )
        for name in finder.empty_folders:
            tell("no_videos", f"no videos in {name}", folder=name)
        for name in finder.unreadable_folders:
            tell("folder_unreadable", f"the folder {name} may not be listed", folder=name)
        if count := finder.indistinct:
            urls = "1 URL was" if count == 1 else f"{count} URLs were"
            tell(
                "urls_alike",
                f"{urls} not scanned: another one differs only in user, password, signature or"
                " token, which records leave out",
                sources=count,
            )

    def tell(self, output: str | None, *, skipped_files: int = 0) -> None:
        """Say on stderr what came of it."""
        if self.indexed and self.tally.outcomes.total():
            found = {signal: self.found[signal] for signal in self.signals} | self.found
            tell("matches", told_matches(self.signals, self.found), evidence=found)
        words = ("violation", "review", "clear", "error")
        told = [f"{self.tally.outcomes[word]} {word}" for word in words]
        if errors := self.tally.errors.most_common():
            told[-1] += f" ({', '.join(f'{count} {code}' for code, count in errors)})"
        told.append(f"{self.tally.passed_over} done before")
        told.append(f"{self.tally.other_shards} in other shards")
        counts = ", ".join(each for each in told if not each.startswith("0 "))
        named = None if output is None else without_secrets(output)
        where = f"; verdicts in {named}" if named is not None else ""
        ignored = f"; {skipped_files} other files skipped" if skipped_files else ""
        total = self.tally.sources
        videos = "1 video" if total == 1 else f"{total} videos"
        tell(
            "ended",
            f"{videos}: {counts}{ignored}{where}",
            sources=total,
            outcomes=self.tally.counts().outcomes,
            done_before=self.tally.passed_over,
            other_shards=self.tally.other_shards,
            skipped_files=skipped_files,
            output=named,
        )

    def exit_code(self, fail_on: str | None) -> int:
        """What the outcomes call for, as the lines say them in the end; those of earlier runs on
        the output count too."""
        outcomes = self.tally.all_outcomes()
        if "error" in outcomes:
            return EXIT_ERRORS
        if fail_on is not None and not outcomes.isdisjoint(FAILING[fail_on]):
            return EXIT_FAIL_ON
        return 0

    def leave(self, fail_on: str | None) -> None:
        """Leave with that code, unless it is 0."""
        if code := self.exit_code(fail_on):
            raise typer.Exit(code)


def run_of(
    context: typer.Context,
    provenance: Provenance,
    tally: RunTally,
    began: Began,
    *,
    workers: int,
    summary: SummaryPlace | None,
    output: str | None,
) -> Run:
    """The run of a command, for its summary: to be entered before the first verdict."""
    from vscan.runs import Run, RunConfiguration, installed_readers, settings_of

    configuration = RunConfiguration(
        command=context.command_path,
        provenance=provenance,
        readers=installed_readers(),
        workers=workers,
        shard=context.params.get("shard"),
        settings=settings_of(context.params),
    )
    named = None if output is None else without_secrets(output)
    return Run(summary, configuration, tally, began=began, output=named)


def tell_damage(damaged: int) -> None:
    """Say on stderr that tracks of a frame store were not what was written."""
    if damaged:
        tracks = "1 track" if damaged == 1 else f"{damaged} tracks"
        told = f"{tracks} of the store were damaged, and measured anew"
        tell("store_damaged", told, tracks=damaged)


def tell_floods(marked: Sequence[Quarantined], output: str | None, amended: int) -> None:
    """Say on stderr which exemplars flooded the run, and what to do about each."""
    for each in marked:
        flood = each.flood
        command = f"vscan index update {each.path} {flood.exemplar}"
        if each.problem is None:
            remedy = (
                f"it is in quarantine now and matches nothing; look at it, then `{command}"
                f" --release` if it is right, or `{command} --disable`"
            )
        else:
            remedy = f"it could not be put into quarantine ({each.problem}): `{command} --disable`"
        tell(
            "flood",
            f"{flood.exemplar} of the index {flood.index} ({flood.policy}) matched"
            f" {flood.sources} of {flood.of} videos: its matches stand under `suppressed`",
            index=flood.index,
            exemplar=flood.exemplar,
            policy=flood.policy,
            sources=flood.sources,
            of=flood.of,
            quarantined=each.problem is None,
            remedy=remedy,
        )
    if marked and output is None:
        told = "lines that went to stdout before are as they were; -o FILE mends them"
        tell("flood_lines", f"  {told}", amended=0)
    elif amended and output is not None:
        lines = "1 earlier line" if amended == 1 else f"{amended} earlier lines"
        tell("flood_lines", f"  {lines} of {without_secrets(output)} written anew", amended=amended)
