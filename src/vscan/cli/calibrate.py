"""`vscan calibrate`: a policy's threshold from labels, certified to meet a target."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vscan.metrics.backtest.tables import Table
    from vscan.metrics.thresholds.report import CalibrationReport, Target
    from vscan.reports.report_file import ReportFile


def calibrate(
    pack: Annotated[
        str, typer.Argument(help="The pack: a path to a .toml file, or a shipped one by name.")
    ],
    store: Annotated[
        str,
        typer.Option(help="Frame store that scans have filled (`vscan scan --store`).",
                     metavar="DIR|URI"),
    ],
    labels: Annotated[
        Path,
        typer.Option(help="What people say of some videos: CSV or JSON lines with uri or sha256, "
                     "policy, label (violating or benign), and weight where they were not drawn "
                     "alike; or rulings (uphold or overturn)."),
    ],
    on: Annotated[str, typer.Option("--on", help="The policy whose threshold is set.")],
    target_precision: Annotated[
        float | None,
        typer.Option(help="Of the videos that are flagged, the share that violates at least."),
    ] = None,
    target_recall: Annotated[
        float | None,
        typer.Option(help="Of the videos that violate, the share that is flagged at least."),
    ] = None,
    action: Annotated[
        str, typer.Option(help="The action whose threshold is set: review, escalate or remove.")
    ] = "review",
    confidence: Annotated[
        float, typer.Option(help="The chance, over draws of the labels, that the target is met.")
    ] = 0.95,
    minutes_per_review: Annotated[
        float,
        typer.Option(help="Minutes that a person takes for one flagged video. The default is an "
                     "assumption: give your own."),
    ] = 2.0,
    videos_per_day: Annotated[
        float | None,
        typer.Option(help="Videos that come in a day, for the workload of a day."),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(help="Decides which labels are fitted on and which certify; tell it with the "
                     "result, and do not try others until one suits."),
    ] = 0,
    write: Annotated[
        bool,
        typer.Option("--write", help="Put threshold and certificate into the pack itself, comments "
                     "kept."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the pack with its new threshold to this file."),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option("--version", help="Version of the pack that is written. Default: it stays."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write the report to this file as a page that loads nothing."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace the files of --output and --html where they are "
                     "there already, and with --write a certificate that the pack has."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as one JSON object instead of tables.")
    ] = False,
    index: Annotated[
        list[str] | None,
        typer.Option(help="Folder of an exemplar index that the pack matches against. May be "
                     "repeated."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model that encodes prompts which were never encoded before. Default: "
                     "the one that made the stored embeddings."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Its weights, where they were a file (`vscan scan --weights`)."),
    ] = None,
) -> None:  # fmt: skip
    """Set a policy's threshold from labels, so that it meets a target with confidence.

    Scores everything in a frame store under the pack, without decoding, and finds the threshold
    whose precision (or recall) is certified by labels: where they are too few it says how many it
    takes. It also tells what the threshold gives people to do, and what a score means as a
    probability. The guarantee is of videos like the labelled ones, on the same model.

    Nothing is changed unless --write or --output is given.

    Examples:

    `vscan calibrate mine.toml --store frames/ --labels labels.csv --on drugs.tobacco
    --target-precision 0.9 --videos-per-day 5000`

    `vscan calibrate mine.toml --store frames/ --labels labels.csv --on drugs.tobacco
    --target-recall 0.8 -o next.toml --version 2026.12 --html calibration.html`
    """
    from vscan.cli.calibrate_files import pack_file, report_files
    from vscan.cli.index_output import with_progress
    from vscan.metrics.thresholds.calibrate import CalibrateSettings, prepare_calibration
    from vscan.settings import ScanSettings

    target, at_least = _target(target_precision, target_recall)
    settings = CalibrateSettings(
        labels=labels,
        policy=on,
        target=target,
        at_least=at_least,
        action=action,
        confidence=confidence,
        seed=seed,
        minutes_per_review=minutes_per_review,
        videos_per_day=videos_per_day,
    )
    judging = ScanSettings(
        policy=pack, indexes=tuple(index or ()), model=model, weights=weights, store=store
    )
    with ExitStack() as stack:
        new, page = report_files(stack, output, html, force=force, inputs=[Path(pack), labels])
        written = pack_file(stack, pack, settings, new, write=write, force=force, version=version)
        running = prepare_calibration(settings, judging)
        sources = range(running.scoring.rejudging.sources)
        for _ in with_progress(running.steps(), sources, "calibrate"):
            pass
        report = running.report()
        # Each comes whatever becomes of the others: what is printed first, then the files.
        try:
            _tell(report, as_json=as_json)
        finally:
            try:
                if page is not None:
                    _write_page(page, report)
            finally:
                if written is not None:
                    written.write(report)


def _target(precision: float | None, recall: float | None) -> tuple[Target, float]:
    from vscan.errors import UsageError

    if precision is not None and recall is None:
        return "precision", precision
    if recall is not None and precision is None:
        return "recall", recall
    raise UsageError(
        "which target?", remedy="give one of --target-precision and --target-recall, as 0.9"
    )


def _write_page(page: ReportFile, report: CalibrationReport) -> None:
    from vscan.reports.calibration_page import calibration_page

    page.write(calibration_page(report).encode("utf-8", "backslashreplace"))
    page.finish()


def _tell(report: CalibrationReport, *, as_json: bool) -> None:
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines

    if as_json:
        print_json_lines([report.as_dict()])
    else:
        _print(report)
    for note in report.notes:
        say(f"note: {note}")


def _print(report: CalibrationReport) -> None:
    from vscan.cli.tables import print_line
    from vscan.metrics.thresholds.tables import (
        guarantee,
        headline,
        labels_line,
        probability_line,
        reliability_table,
        threshold_table,
    )

    print_line(headline(report))
    print_line(guarantee(report))
    print_line(labels_line(report))
    _print_table(threshold_table(report))
    print_line()
    print_line(probability_line(report))
    bins = reliability_table(report)
    if bins is not None:
        _print_table(bins)


def _print_table(table: Table) -> None:
    from vscan.cli.tables import print_line, print_table

    print_line()
    print_line(table.title)
    print_table(table.columns, table.rows)
    if table.remark:
        print_line(f"({table.remark})")
