"""`vscan report`: a scan as one page for people who do not use a terminal."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vscan.reports.scan_report import ScanReport
    from vscan.reports.thumbnails import Shot


def report(
    verdicts: Annotated[
        list[str],
        typer.Argument(metavar="VERDICTS…", help="Verdict files or folders of parts, as `vscan "
                       "scan -o` writes them, or their URIs, the older ones first; - for stdin."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File that takes the page, as report.html.")
    ],
    log: Annotated[
        Path | None,
        typer.Option(help="A decision log: says what was upheld, overturned and left open, and "
                     "leaves what is decided out of what needs a person."),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(metavar="PACK", help="The policy pack, for titles and thresholds: a shipped "
                     "one by name, or a path to a .toml."),
    ] = None,
    thumbnails: Annotated[
        bool,
        typer.Option("--thumbnails", help="Read the flagged videos again and put small, grey, "
                     "blurred frames into the page, folded away; no clear picture is ever in it."),
    ] = False,
    title: Annotated[str, typer.Option(help="Heading of the page. Default: the file's name.")] = "",
    top: Annotated[
        int,
        typer.Option(min=1, help="Videos that are listed and told in detail, the most severe "
                     "first; the rest is counted."),
    ] = 200,
    force: Annotated[
        bool, typer.Option("--force", help="Replace --output where it is there already.")
    ] = False,
) -> None:  # fmt: skip
    """Write a report of a scan: one HTML page that loads nothing, for a screen or for paper.

    What came of it, what needs a person first, each policy's figures, timelines and evidence of
    the flagged videos, what could not be seen, and what the verdicts were made with. The same files
    give the same page, byte for byte.

    Example: `vscan report verdicts.jsonl -o report.html --log decisions.db --policy baseline`
    """
    from vscan.cli.index_output import say
    from vscan.cli.verdict_inputs import local_ones
    from vscan.decisions.log import DecisionLog
    from vscan.policies.pack import load_pack
    from vscan.reports.report_file import ReportFile
    from vscan.reports.scan_page import scan_page
    from vscan.reports.scan_report import scan_report

    inputs = [
        *local_ones(verdicts),
        *([] if log is None else [log]),
        *([] if policy is None else [Path(policy)]),
    ]
    with closing(ReportFile(output, option="-o", force=force, inputs=inputs)) as page:
        pack = None if policy is None else load_pack(policy)
        decisions = None
        if log is not None:
            with DecisionLog(log) as held:
                decisions = list(held.decisions())
        made = scan_report(verdicts, title=title, decisions=decisions, pack=pack, most=top)
        shots = _shots(made) if thumbnails else None
        page.write(scan_page(made, shots).encode("utf-8", "backslashreplace"))
        page.finish()
    videos = made.overview.videos
    say(f"{videos} {'video' if videos == 1 else 'videos'}; the page is {output}")
    if made.configurations.differ_in:
        say(
            f"note: they were judged under {len(made.configurations.each)} configurations that "
            f"differ in {', '.join(made.configurations.differ_in)}"
        )


def _shots(made: ScanReport) -> dict[str, tuple[Shot, ...]]:
    """The blurred frames, under a bar on stderr where that is a terminal."""
    from vscan.cli.index_output import say, with_progress
    from vscan.reports.thumbnails import thumbnails

    shots = dict(with_progress(thumbnails(made.detailed), made.detailed, "thumbnails"))
    without = sum(all(each.problem for each in taken) for taken in shots.values())
    if without:
        say(
            f"note: {without} of {len(shots)} flagged videos give no blurred frame; the page says "
            "why"
        )
    return shots
