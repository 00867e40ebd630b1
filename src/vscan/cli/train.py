"""`vscan train build` and `score`: packs of settled cases, and how trainees answered them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vscan.metrics.backtest.tables import Table
    from vscan.metrics.training.answered import TraineeLog
    from vscan.metrics.training.records import TrainingManifest
    from vscan.metrics.training.score_records import TrainingScore
    from vscan.store.browse import Record

train_app = typer.Typer(
    name="train",
    help="""Train and certify human reviewers with cases that others have settled.

    `build` takes borderline cases from a decision log and writes a pack: the cases for trainees,
    the answers for their trainer. A trainee decides blind into a log of their own, on the review
    page, which takes the pack's picks.jsonl, or with `vscan review decide`; `score` tells how far
    the decisions agree with the answers.
    """,
    no_args_is_help=True,
)


@train_app.command()
def build(
    log: Annotated[
        Path, typer.Argument(metavar="LOG", help="The decision log that the answers are from.")
    ],
    verdicts: Annotated[
        list[Path],
        typer.Argument(metavar="VERDICTS…", help="The verdict files that were ruled on, as `vscan "
                       "scan -o` writes them, the older ones first."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PACK_DIR", help="Folder that takes the pack; "
                           "it is made where there is none.")
    ],
    cases: Annotated[int, typer.Option("--cases", "-n", min=1, help="Cases of the pack.")] = 40,
    on: Annotated[
        list[str] | None,
        typer.Option(metavar="POLICY", help="Only cases under this policy or one below it. May be "
                     "repeated."),
    ] = None,
    market: Annotated[
        str | None, typer.Option(help="Only cases that were decided for this market.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Decides between cases that are equally borderline, and the order; "
                          "the same seed, the same pack.")
    ] = 0,
    share_benign: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the cases that people found benign: "
                            "machine verdicts that were overturned.")
    ] = 0.5,
    most_severe: Annotated[
        str,
        typer.Option(help="Leave out cases graver than this: low, medium, high or critical."),
    ] = "high",
    most_seconds: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.0, help="Seconds of flagged footage of the whole "
                     "pack, at most."),
    ] = 600.0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the files of a pack that is there already.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the manifest as one JSON object instead of "
                           "tables.")
    ] = False,
) -> None:  # fmt: skip
    """Build a pack of borderline cases for reviewer training.

    It takes cases whose ruling is firm: appealed, adjudicated, or with a second look that agrees
    with the first. First come those on which people had disagreed and those whose score was near
    its threshold; each policy has an equal part. Each case carries its severity and seconds as a
    content warning; milder ones come first and between graver ones. What could not be used or
    filled is told.

    answers.jsonl and manifest.json are for the trainer alone.

    Example: `vscan train build decisions.db verdicts.jsonl -o pack -n 20 --on weapons`
    """
    from vscan.cli.index_output import say
    from vscan.decisions.chain import verify
    from vscan.decisions.log import DecisionLog
    from vscan.metrics.training.cases import CasesWanted
    from vscan.metrics.training.choice import Mix
    from vscan.metrics.training.pack import build_pack
    from vscan.reports.training_folder import pack_folder, write_pack

    wanted = CasesWanted(policies=tuple(on or ()), market=market, most_severe=most_severe)
    mix = Mix(cases=cases, share_benign=share_benign, most_footage_s=most_seconds, seed=seed)
    with pack_folder(output, force=force, inputs=[log, *verdicts]) as files:
        records = _records(verdicts)
        with DecisionLog(log) as held:
            pack = build_pack(list(held.decisions()), records, wanted, mix, verify(held))
        digest = write_pack(files, pack)
    _tell_pack(pack.manifest, as_json=as_json)
    say(f"the pack is {output}; its manifest is sha256:{digest}")


def _records(verdicts: list[Path]) -> list[Record]:
    """The verdicts of all files; where several know a source, the later file's."""
    from vscan.store.browse import load_records

    latest: dict[str, Record] = {}
    for file in verdicts:
        latest |= {record["source"]["uri"]: record for record in load_records(file)}
    return list(latest.values())


def _tell_pack(manifest: TrainingManifest, *, as_json: bool) -> None:
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines
    from vscan.metrics.training.tables import contents_table, exposure_table, not_used_table

    if as_json:
        print_json_lines([manifest])
    else:
        for each in (contents_table(manifest), exposure_table(manifest), not_used_table(manifest)):
            if each.rows:
                _print_table(each)
    for answer, missing in manifest.unfilled.items():
        say(f"note: {answer} cases that were asked for and could not be had: {missing}")
    if manifest.log_problem is not None:
        say(f"note: the chain of the log does not hold: {manifest.log_problem}")


@train_app.command()
def score(
    pack: Annotated[
        Path, typer.Argument(metavar="PACK_DIR", help="The pack, as `vscan train build` wrote it.")
    ],
    logs: Annotated[
        list[Path],
        typer.Argument(metavar="TRAINEE_LOG…", help="The decision logs of the trainees."),
    ],
    reviewer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Score this trainee alone, by the reviewer's name in the "
                     "log. May be repeated. Default: everybody who decided."),
    ] = None,
    pass_at: Annotated[
        float,
        typer.Option("--pass", metavar="SHARE", help="The agreement with the answers that is "
                     "needed to pass, between 0 and 1."),
    ] = 0.8,
    html: Annotated[
        Path | None,
        typer.Option(help="Write the report to this file as a page that loads nothing."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file of --html where it is there already.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as one JSON object instead of tables.")
    ] = False,
) -> None:  # fmt: skip
    """Score what trainees answered to a pack.

    For each trainee: agreement with the answers and Cohen's kappa, errors by policy, escalations,
    reasons, seconds viewed. Somebody passes or fails only where the 95 % interval of the agreement
    lies on one side of --pass; else it is undecided, with how many more cases would tell. With
    several trainees also what most get wrong, and how far they agree. The last decision on a case
    counts.

    Example: `vscan train score pack ana.db bo.db --pass 0.85 --html training.html`
    """
    from contextlib import ExitStack

    from vscan.metrics.training.files import load_pack_folder
    from vscan.metrics.training.together import score_pack
    from vscan.reports.report_file import ReportFile
    from vscan.reports.training_page import training_page

    with ExitStack() as stack:
        page = None
        if html is not None:
            file = ReportFile(html, option="--html", force=force, inputs=[*logs, *_files(pack)])
            page = stack.enter_context(closing(file))
        held = load_pack_folder(pack)
        report = score_pack(
            held, [_log(each) for each in logs], pass_at=pass_at, reviewers=reviewer or ()
        )
        # What is printed comes whatever becomes of the page.
        try:
            _tell_score(report, as_json=as_json)
        finally:
            if page is not None:
                page.write(training_page(report).encode("utf-8", "backslashreplace"))
                page.finish()


def _files(pack: Path) -> list[Path]:
    return sorted(pack.glob("*")) if pack.is_dir() else []


def _log(path: Path) -> TraineeLog:
    from vscan.decisions.chain import verify
    from vscan.decisions.log import DecisionLog
    from vscan.metrics.training.answered import TraineeLog

    with DecisionLog(path) as held:
        return TraineeLog(str(path), list(held.decisions()), verify(held))


def _tell_score(report: TrainingScore, *, as_json: bool) -> None:
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines
    from vscan.metrics.training.tables import (
        hard_table,
        policies_table,
        remarks,
        trainees_table,
    )

    if as_json:
        print_json_lines([report.as_dict()])
    else:
        for each in (trainees_table(report), *map(policies_table, report.trainees)):
            _print_table(each)
        if report.hard:
            _print_table(hard_table(report))
    for remark in remarks(report):
        say(f"note: {remark}")


def _print_table(table: Table) -> None:
    from vscan.cli.tables import print_line, print_table

    print_line(table.title)
    print_table(table.columns, table.rows)
    if table.remark:
        print_line(f"({table.remark})")
    print_line()
