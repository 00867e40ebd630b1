"""`vscan policy backtest`: what a changed pack changes, on everything in a frame store."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vscan.metrics.backtest.flip import Flip
    from vscan.metrics.backtest.report import Backtest
    from vscan.metrics.backtest.tables import Table
    from vscan.reports.report_file import ReportFile

SHOWN = 20
"""Flips that the table shows where no sample is asked for."""


def backtest(
    old: Annotated[
        str, typer.Argument(help="The pack in use: a shipped one by name, or a path to a .toml.")
    ],
    new: Annotated[str, typer.Argument(help="The pack that is to take its place, likewise.")],
    store: Annotated[
        str,
        typer.Option(help="Frame store that scans have filled (`vscan scan --store`).",
                     metavar="DIR|URI"),
    ],
    index: Annotated[
        list[str] | None,
        typer.Option(help="Folder of an exemplar index that both packs match against. May be "
                     "repeated."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="What people say of some videos, for false positives and negatives: CSV "
                     "or JSON lines with uri or sha256, policy, label (violating or benign), or "
                     "with verdict or uri, policy, and ruling (uphold or overturn)."),
    ] = None,
    minutes_per_review: Annotated[
        float,
        typer.Option(help="Minutes that a person takes for one flagged video, for the reviewer "
                     "hours. The default is an assumption: give your own.", min=0.0),
    ] = 2.0,
    sample: Annotated[
        int,
        typer.Option(help="Draw this many of the flips to look at, from every policy and direction "
                     "in turn.", min=0),
    ] = 0,
    seed: Annotated[
        int, typer.Option(help="Decides which flips --sample draws; the same seed, the same flips.")
    ] = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write every flip to this file, one JSON line each."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write the report to this file as a page that loads nothing."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace the files of --output and --html where they are "
                     "there already."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as one JSON object instead of tables.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(help="Model that encodes prompts which were never encoded before. Default: "
                     "the one that made the stored embeddings."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Its weights, where they were a file (`vscan scan --weights`)."),
    ] = None,
    signals: Annotated[
        str | None,
        typer.Option(help="Signals to judge, with commas: embedding, pdq, keypoints. Default: what "
                     "each pack and the indexes need."),
    ] = None,
) -> None:  # fmt: skip
    """Judge everything in a frame store under two packs, and say what the change changes.

    Which videos flip and why, how many are flagged under each policy, what that means in hours of
    review, and with --labels what it does to false positives and negatives. Nothing is decoded.

    A flip is a video whose outcome or action changes, or what one of its policies recommends.
    Videos that could not be read or whose tracks are damaged are counted and left out. A person
    looks at every flagged video, for a verdict only recommends: reviewer hours count all of them.

    Examples:

    `vscan policy backtest baseline mine.toml --store frames/`

    `vscan policy backtest mine.toml next.toml --store frames/ --labels labels.csv --sample 20
    --html change.html -o flips.jsonl`
    """
    from vscan.cli.progress import ScanProgress
    from vscan.metrics.backtest.backtesting import BacktestSettings, prepare_backtest
    from vscan.settings import ScanSettings

    settings = BacktestSettings(
        old=old,
        new=new,
        labels=labels,
        minutes_per_review=minutes_per_review,
        sample=sample,
        seed=seed,
    )
    judging = ScanSettings(
        indexes=tuple(index or ()),
        model=model,
        weights=weights,
        signals=tuple(each.strip() for each in signals.split(",")) if signals else None,
        store=store,
    )
    read = [Path(old), Path(new), *([] if labels is None else [labels])]
    with ExitStack() as stack:
        lines, page = _files(stack, output, html, force=force, inputs=read)
        running = prepare_backtest(settings, judging)

        def keep(flip: Flip) -> None:
            if lines is not None:
                lines.write(flip.to_line())

        with ScanProgress(running.packs.old.sources, doing="backtest") as progress:
            for pair in running.steps(keep):
                progress.advance(pair.new)
        report = running.report()
        # Each comes whatever becomes of the others: what is printed first, then the files.
        try:
            _tell(report, as_json=as_json)
        finally:
            try:
                if lines is not None:
                    lines.finish()
            finally:
                if page is not None:
                    _write_page(page, report)


def _files(
    stack: ExitStack, output: Path | None, html: Path | None, *, force: bool, inputs: list[Path]
) -> tuple[ReportFile | None, ReportFile | None]:
    """The files, proven writable before anything is judged. Raises as `ReportFile`."""
    from vscan.errors import UsageError
    from vscan.reports.report_file import ReportFile

    if (
        output is not None
        and html is not None
        and os.path.realpath(output) == os.path.realpath(html)
    ):
        raise UsageError(f"{html}: is named by -o and by --html", remedy="name two files")
    made = [
        None
        if path is None
        else stack.enter_context(
            closing(ReportFile(path, option=option, force=force, inputs=inputs))
        )
        for path, option in ((output, "-o"), (html, "--html"))
    ]
    return made[0], made[1]


def _write_page(page: ReportFile, report: Backtest) -> None:
    from vscan.reports.backtest_page import backtest_page

    page.write(backtest_page(report).encode("utf-8", "backslashreplace"))
    page.finish()


def _tell(report: Backtest, *, as_json: bool) -> None:
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines

    if as_json:
        print_json_lines([report.as_dict()])
    else:
        _print(report)
    for note in report.notes:
        say(f"note: {note}")
    for damage in report.sources.damages:
        say(f"damaged: {damage}")


def _print(report: Backtest) -> None:
    from vscan.cli.tables import print_line
    from vscan.metrics.backtest.tables import (
        flip_table,
        flips_line,
        label_remarks,
        label_tables,
        review_table,
        sources_line,
        transition_table,
        volume_table,
    )

    print_line(f"old  {report.old.given} ({report.old.pack})")
    print_line(f"new  {report.new.given} ({report.new.pack})")
    print_line(sources_line(report))
    print_line(flips_line(report))
    for each in (review_table(report), volume_table(report), transition_table(report)):
        _print_table(each)
    if report.labels is not None:
        for each in label_tables(report):
            _print_table(each)
        print_line()
        for remark in label_remarks(report):
            print_line(remark)
    if report.sample is not None:
        title = f"A sample of the flips (seed {report.sample.seed})"
        _print_table(flip_table(title, report.sample.flips))
    elif report.flips.total:
        some = report.listed_flips[:SHOWN]
        left_out = report.flips.total - len(some)
        remark = f"{left_out} more: --sample draws some of all, -o writes all" if left_out else ""
        _print_table(flip_table("Flips", some, remark))


def _print_table(table: Table) -> None:
    from vscan.cli.tables import print_line, print_table

    print_line()
    print_line(table.title)
    print_table(table.columns, table.rows)
    if table.remark:
        print_line(f"({table.remark})")
