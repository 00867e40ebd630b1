"""`vscan verdicts export`: verdicts and decisions in formats that others read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

import typer

FormatName = Literal["csv", "dsa", "coop", "osprey", "rekognition", "labels"]
COLUMNS = ("format", "title", "a line is", "needs")


def export(
    verdicts: Annotated[
        str | None,
        typer.Argument(metavar="VERDICTS", help="A verdict file or folder of parts, as `vscan scan "
                       "-o` writes them, or its URI; - for stdin."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File that takes the export.")
    ] = None,
    form: Annotated[
        FormatName | None,
        typer.Option("--format", help="csv: rows for spreadsheets. dsa: statements of reasons for "
                     "the EU's database. coop, osprey: ROOST's review tool and rules engine. "
                     "rekognition: as Amazon Rekognition answers. labels: what decisions say, for "
                     "`vscan policy backtest`. docs/exports.md says what each one holds."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="A decision log. dsa and labels are made of its decisions; csv tells "
                     "them; coop leaves out what is decided."),
    ] = None,
    policy_map: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="What the receiver calls your policies, and what "
                     "only you can say; docs/exports.md has one to begin with."),
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(metavar="PICKS", help="Stratified picks (`vscan pick`): labels are made of "
                     "their cases alone, with their weights."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace --output where it is there already.")
    ] = False,
    list_formats: Annotated[
        bool, typer.Option("--list", help="List the formats instead.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --list: one JSON object a format.")
    ] = False,
) -> None:  # fmt: skip
    """Write verdicts in a format of the field: a file to be handed on; nothing is sent.

    Each line is checked against the format's own page before the file is there. What a format
    has no place for is counted on stderr; what is missing is refused by name.

    Example: `vscan verdicts export verdicts.jsonl -o rows.csv --format csv`
    """
    from vscan.cli.index_output import say
    from vscan.decisions.log import DecisionLog
    from vscan.errors import UsageError
    from vscan.metrics.enforcement.picks import load_picks
    from vscan.reports.configurations import found_runs
    from vscan.reports.exports.exporting import Exporting
    from vscan.reports.exports.registry import export as exported
    from vscan.reports.report_file import ReportFile
    from vscan.reports.ruled import Rulings
    from vscan.storage import scheme_of
    from vscan.store.browse import load_records

    if list_formats:
        _list(as_json=as_json)
        return
    if verdicts is None or output is None or form is None:
        raise UsageError(
            "what is to be exported?", remedy="give VERDICTS, -o FILE and --format; or --list"
        )
    if sample is not None and form != "labels":
        raise UsageError(f"--sample says nothing to {form}", remedy="it goes with --format labels")
    local = [] if scheme_of(verdicts) else [Path(verdicts)]
    inputs = [*local, *(each for each in (log, policy_map, sample) if each is not None)]
    with closing(ReportFile(output, option="-o", force=force, inputs=inputs)) as file:
        rulings = None
        if log is not None:
            with DecisionLog(log) as held:
                rulings = Rulings(held.decisions())
        runs = found_runs([] if verdicts == "-" else local).runs
        given = Exporting(
            records=sorted(load_records(verdicts), key=lambda each: each["source"]["uri"]),
            rulings=rulings,
            scanned_at=max((run.ended_at or run.started_at for _, run in runs), default=None),
            sample=None if sample is None else load_picks(sample),
        )
        done = exported(given, form, policy_map)
        file.write(done.data)
        file.finish()
    for reason, count in sorted(done.left_out.items()):
        say(f"left out: {count} {reason}")
    for note, count in sorted(done.notes.items()):
        say(f"note: {count} {note}")
    say(f"{done.written} written to {output} as {form}")


def _list(*, as_json: bool) -> None:
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.reports.exports.registry import FORMATS

    if as_json:
        print_json_lines(
            {
                "name": each.name,
                "title": each.title,
                "line": each.written_as,
                "needs_log": each.needs_log,
                "needs_map": each.needs_map,
            }
            for each in FORMATS.values()
        )
        return
    needs = {
        each.name: [*(["--log"] if each.needs_log else []),
                    *(["--policy-map"] if each.needs_map else [])]
        for each in FORMATS.values()
    }  # fmt: skip
    rows = (
        (each.name, each.title, each.written_as, ", ".join(needs[each.name]) or "-")
        for each in FORMATS.values()
    )
    print_table(COLUMNS, rows)
