"""What a scan came to in a few sentences, and what a reader of its report must know."""

from __future__ import annotations

from collections.abc import Iterator

from vscan.reports.ruled import STATE_WORDS, STATES
from vscan.reports.scan_report import ScanReport
from vscan.reports.words import counted, length, listed

RECOMMENDED = {
    "remove": "removing",
    "escalate": "a specialist's look at",
    "review": "a person's look at",
}


def sentences(report: ScanReport) -> tuple[str, ...]:
    """The scan for somebody who reads nothing else."""
    overview = report.overview
    unknown = overview.unknown_length
    without = f"; the length of {counted(unknown, 'video')} is not known" if unknown else ""
    were = "was" if overview.videos == 1 else "were"
    told = [
        f"{counted(overview.videos, 'video')} {were} scanned, {length(overview.seconds)} of "
        f"footage{without}."
    ]
    told += [_recommended(report), _unread(report)]
    if report.ruled is not None:
        told.append(_decided(report))
    return tuple(each for each in told if each)


def _recommended(report: ScanReport) -> str:
    overview = report.overview
    errors = overview.outcomes["error"]
    counts = {action: overview.actions[action] for action in RECOMMENDED}
    counts["review"] -= errors  # an error asks for a look as well, and is told by itself
    said = [
        f"{RECOMMENDED[action]} {counted(count, 'video')}"
        for action, count in counts.items()
        if count > 0
    ]
    clear = overview.outcomes["clear"]
    nothing = f"Nothing was found in {counted(clear, 'video')}." if clear else ""
    if not said:
        return nothing
    return f"The scan recommends {listed(said)}. {nothing}".strip()


def _unread(report: ScanReport) -> str:
    errors = report.overview.outcomes["error"]
    partly = report.trouble.partly_seen
    told = []
    if errors:
        told.append(f"{counted(errors, 'video')} could not be read and {_needs(errors)} a person")
    if partly:
        told.append(f"{counted(partly, 'video')} could be looked at only in part")
    return f"{listed(told)}." if told else ""


def _needs(number: int) -> str:
    return "needs" if number == 1 else "need"


def _decided(report: ScanReport) -> str:
    assert report.ruled is not None  # noqa: S101 -- the caller has looked
    states = report.ruled.states
    said = [f"{states.get(state, 0):,} {STATE_WORDS[state]}" for state in STATES]
    return f"Of what a person should rule on: {listed(said)}."


def notes(report: ScanReport) -> Iterator[str]:
    """What is needed to read the figures rightly."""
    yield (
        "A verdict recommends. Nothing was removed or restricted by this scan; only a person's "
        "decision enforces."
    )
    yield (
        "Scores are no probabilities. They order what was found and are held against each policy's "
        "thresholds; 0.9 does not mean that nine of ten are right."
    )
    yield (
        "A verdict speaks of the samples that were looked at and of the policies of its pack. "
        "Clear means: nothing of that was found."
    )
    yield "Below a policy's lowest threshold no score is recorded, so histograms begin there."
    if report.configurations.differ_in:
        yield (
            f"The verdicts were made under {len(report.configurations.each)} configurations that "
            f"differ in {listed(report.configurations.differ_in)}: their figures stand side by "
            "side, and cannot be compared without regard to that."
        )
    if report.replaced:
        yield (
            f"{counted(report.replaced, 'older verdict')} of a source that a later file judged "
            "again are left out."
        )
    if report.pack is not None and not report.pack_used:
        yield (
            f"Titles and thresholds are those of {report.pack.name}@{report.pack.version}, which "
            "is not the pack that all verdicts were made under."
        )
    if report.ruled is not None and report.ruled.elsewhere:
        yield (
            f"The decision log rules on {counted(report.ruled.elsewhere, 'further verdict')} that "
            "these files do not hold."
        )
    for name in report.runs.unusable:
        yield f"{name} stands in the place of a run summary and is none."
