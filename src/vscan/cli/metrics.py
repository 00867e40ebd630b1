"""`vscan metrics`: enforcement figures from verdicts and from what people ruled on them."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vscan.metrics.enforcement.report import Metrics


def metrics(
    verdicts: Annotated[
        list[str],
        typer.Argument(metavar="VERDICTS...", help="Verdict files or folders of parts, as `vscan "
                       "scan -o` writes them, or their URIs; a later one's verdict on a video "
                       "takes an earlier one's place."),
    ],
    log: Annotated[
        Path | None,
        typer.Option(help="Decision log (`vscan review`): what people ruled on these verdicts."),
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(help="Stratified sample of cases that people were asked about (lines of "
                     "vscan.pick/1): recall, prevalence and violative view rate rest on it alone."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Answers to the sample's cases that stand in no log: CSV or JSON lines "
                     "with verdict, sha256 or uri, policy, and label (violating or benign)."),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(help="Known answers, likewise: decisions of the kind `gold` are held against "
                     "them."),
    ] = None,
    by: Annotated[
        str,
        typer.Option(help="What to group by, with commas: policy, market, period. Every "
                     "combination is told, with its totals."),
    ] = "policy",
    period: Annotated[
        str, typer.Option(help="How long a period is: day, week or month, in UTC.")
    ] = "month",
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day, UTC: of upload for videos, of the "
                     "first decision for cases."),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="Last day, included; what was decided later "
                     "is taken as not decided yet."),
    ] = None,
    least: Annotated[
        int,
        typer.Option(help="Cases below which no rate is given: too few tell nothing.", min=1),
    ] = 10,
    against: Annotated[
        list[str] | None,
        typer.Option(help="Verdicts of an earlier run, likewise, for drift: shares flagged and "
                     "scores then and now. May be repeated."),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(help="Of what is drawn at random: permutations of markets, resamples for "
                     "alpha. The same seed, the same figures."),
    ] = 0,
    html: Annotated[
        Path | None,
        typer.Option(help="Write the figures to this file as a page that loads nothing."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace the file of --html where it is there already."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as one JSON object instead of tables.")
    ] = False,
) -> None:  # fmt: skip
    """Tell how enforcement does: what is flagged, what people made of it, and how sure that is.

    Volume, precision, overturns, appeals, escalations, time to the first decision, agreement of
    reviewers and what they had to look at, by policy, market and period, with 95 % intervals. A
    figure that the given files cannot support is withheld, and why is told. Markets are tested
    for differences beyond chance; --against tests two runs for drift.

    Market, upload, reports and views are taken from `source.meta`: `market`, `uploaded_at`,
    `flagged_at`, `reported_at` or `reported`, `views`, as the list says them that was given to
    `vscan scan --from-file`.

    Examples:

    `vscan metrics verdicts.jsonl --log decisions.db`

    `vscan metrics verdicts.jsonl --log decisions.db --by policy,market --html metrics.html`
    """
    from vscan.cli.dates import day
    from vscan.cli.verdict_inputs import local_ones
    from vscan.metrics.enforcement.grouping import Window, grouping
    from vscan.metrics.enforcement.measure import MetricsSettings
    from vscan.metrics.enforcement.measure import metrics as counted
    from vscan.reports.report_file import ReportFile

    settings = MetricsSettings(
        verdicts=tuple(verdicts),
        log=log,
        labels=labels,
        sample=sample,
        gold=gold,
        against=tuple(against or ()),
        grouping=grouping(by, period),
        window=Window(day(first, "--from"), day(last, "--until")),
        least=least,
        seed=seed,
    )
    others = [each for each in (log, labels, sample, gold) if each is not None]
    with ExitStack() as stack:
        page = None
        if html is not None:
            read = [*local_ones((*verdicts, *(against or ()))), *others]
            page = stack.enter_context(
                closing(ReportFile(html, option="--html", force=force, inputs=read))
            )
        report = counted(settings)
        try:
            _tell(report, as_json=as_json)
        finally:
            if page is not None:
                from vscan.reports.metrics_page import metrics_page

                page.write(metrics_page(report).encode("utf-8", "backslashreplace"))
                page.finish()


def _tell(report: Metrics, *, as_json: bool) -> None:
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines

    if as_json:
        print_json_lines([report.as_dict()])
    else:
        _print(report)
    if report.sampled_withheld is not None:
        say(f"recall, prevalence and violative view rate are withheld: {report.sampled_withheld}")
    for note in report.notes:
        say(f"note: {note}")


def _print(report: Metrics) -> None:
    from vscan.cli.tables import print_line, print_table
    from vscan.metrics.enforcement.reviewer_tables import all_tables
    from vscan.metrics.enforcement.tables import summary

    for line in summary(report):
        print_line(line)
    for table in all_tables(report):
        print_line()
        print_line(table.title)
        print_table(table.columns, table.rows)
        if table.remark:
            print_line(f"({table.remark})")
