"""`vscan policy backtest`: what a changed pack changes, on everything in a frame store."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

if TYPE_CHECKING:
    from vscan.metrics.backtest_report import Backtest
    from vscan.metrics.backtest_tables import Table
    from vscan.metrics.flip import Flip

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
    from vscan.cli.index_output import say
    from vscan.cli.progress import ScanProgress
    from vscan.cli.tables import print_json_lines
    from vscan.metrics.backtest import BacktestSettings, prepare_backtest
    from vscan.reports.backtest_page import backtest_page
    from vscan.settings import ScanSettings
    from vscan.storage import atomic_write_bytes

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
    running = prepare_backtest(settings, judging)
    with ExitStack() as stack:
        flips = None if output is None else stack.enter_context(closing(_Lines(output)))
        progress = stack.enter_context(ScanProgress(running.packs.old.sources, doing="backtest"))

        def keep(flip: Flip) -> None:
            if flips is not None:
                flips.write(flip.to_line())

        for pair in running.steps(keep):
            progress.advance(pair.new)
        if flips is not None:
            flips.finish()
    report = running.report()
    if html is not None:
        atomic_write_bytes(html, backtest_page(report).encode("utf-8", "backslashreplace"))
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
    from vscan.metrics.backtest_tables import (
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


class _Lines:
    """A file that is there only when it is whole. Raises OutputError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        from vscan.storage import output_error

        self._path, self._part = path, path.with_name(f".{path.name}.part")
        try:
            self._file: BinaryIO = self._part.open("wb")
        except OSError as error:
            raise output_error(path, error) from error

    def write(self, line: bytes) -> None:
        """Append one line."""
        from vscan.storage import output_error

        try:
            self._file.write(line)
        except OSError as error:
            raise output_error(self._path, error) from error

    def finish(self) -> None:
        """Put it in its place."""
        from vscan.storage import output_error

        try:
            self._file.close()
            self._part.replace(self._path)
        except OSError as error:
            raise output_error(self._path, error) from error

    def close(self) -> None:
        """Leave nothing behind of a file that was not finished."""
        self._file.close()
        self._part.unlink(missing_ok=True)
