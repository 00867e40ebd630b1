"""`vscan pick`: what to label next, by one of several strategies."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from vscan.metrics.picking.record import Pick, Strategy
    from vscan.settings import ScanSettings

COLUMNS = ("source", "policy", "score", "stratum", "weight", "reason")


def pick(
    verdicts: Annotated[
        list[str] | None,
        typer.Argument(metavar="VERDICTS…", help="Verdict files or folders of parts to pick from, "
                       "or their URIs, the older ones first. Or give --store."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="Frame store to pick from; needs --policy.", metavar="DIR|URI"),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option("--policy", help="The pack: a shipped one by name, or a path to a .toml."),
    ] = None,
    number: Annotated[int, typer.Option("--number", "-n", help="How many to pick.")] = 50,
    strategy: Annotated[
        str,
        typer.Option(help="stratified: a sample that rates can be estimated from. uncertain: "
                     "nearest to the threshold. near-miss: unflagged, just below it. disagreement: "
                     "of which reviewers, two packs, or prompts and exemplars say two things. "
                     "growing: unflagged content of which there is suddenly more."),
    ] = "stratified",
    on: Annotated[
        str | None, typer.Option("--on", help="Pick for this policy alone. Default: for each.")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="Decision log: what it decides is answered, and where two reviewers "
                     "differ is in dispute."),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labels that are there already: they are answered.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Decides what chance draws; the same seed, the same picks.")
    ] = 0,
    by_market: Annotated[
        bool,
        typer.Option("--by-market", help="With stratified: each market (`market` of the input "
                     "list) is a stratum of its own."),
    ] = False,
    against_policy: Annotated[
        str | None,
        typer.Option(metavar="PACK", help="With disagreement: the pack that is held against "
                     "--policy."),
    ] = None,
    period_days: Annotated[
        float,
        typer.Option(help="With growing: how long before the latest upload is new, in days."),
    ] = 7.0,
    similarity: Annotated[
        float,
        typer.Option(help="With growing: cosine of pooled embeddings from which videos are alike; "
                     "it depends on the model."),
    ] = 0.9,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the picks to this file, one JSON line each."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace --output where it is there already.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line instead of a table.")
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
    """Pick what to label next, each video with its reason.

    Only `stratified` gives labels that rates and thresholds may rest on: every video may be drawn,
    and its weight says how many it stands for. The other strategies pick what teaches most, and
    their weight is null. What is answered already (--log, --labels) is left out of those; a
    stratified sample may draw it, and says so.

    Add `label` (violating or benign) to a line, and it is a label for `vscan calibrate` and
    `vscan policy backtest`.

    Examples:

    `vscan pick --store frames/ --policy mine.toml --on drugs.tobacco -n 600 -o picks.jsonl`

    `vscan pick --store frames/ --policy mine.toml --strategy uncertain -n 50 --labels labels.csv`

    `vscan pick verdicts.jsonl -n 100 --log decisions.db -o picks.jsonl`
    """
    from vscan.cli.index_output import say, with_progress
    from vscan.cli.tables import print_json_lines, print_table
    from vscan.cli.verdict_inputs import local_ones
    from vscan.metrics.picking.pick import PickSettings, prepare_picking
    from vscan.reports.report_file import ReportFile

    settings = PickSettings(
        number=number,
        strategy=cast("Strategy", strategy),
        policy=on,
        log=log,
        labels=labels,
        seed=seed,
        by_market=by_market,
        against=against_policy,
        period_days=period_days,
        similarity=similarity,
    )
    files = tuple(verdicts or ())
    judging = _judging(files, store, policy, tuple(index or ()), model, weights)
    read = [*local_ones(files), *(each for each in (log, labels) if each is not None)]
    with ExitStack() as stack:
        file = None
        if output is not None:
            file = ReportFile(output, option="-o", force=force, inputs=read)
            stack.enter_context(closing(file))
        picking = prepare_picking(settings, files, judging)
        for _ in with_progress(picking.steps(), range(picking.sources), "pick"):
            pass
        picks = picking.picks()
        # The file comes whatever becomes of what is printed.
        try:
            if as_json:
                print_json_lines(picks)
            else:
                print_table(COLUMNS, map(_row, picks))
        finally:
            if file is not None:
                for each in picks:
                    file.write(each.to_line())
                file.finish()
        for note in picking.notes:
            say(f"note: {note}")
        if output is not None:
            say(f"wrote {output}: picks: {len(picks)}, strategy {strategy}, seed {seed}")


def _judging(
    files: tuple[str, ...],
    store: str | None,
    policy: str | None,
    indexes: tuple[str, ...],
    model: str | None,
    weights: str | None,
) -> ScanSettings | None:
    """What a store is judged by; None without store and pack."""
    from vscan.errors import UsageError
    from vscan.settings import ScanSettings

    if bool(files) == (store is not None):
        raise UsageError(
            "pick from what?", remedy="give either verdict files, or --store with --policy"
        )
    if store is not None and policy is None:
        raise UsageError("--store needs --policy", remedy="name the pack to judge it by")
    if policy is None:
        return None
    return ScanSettings(policy=policy, indexes=indexes, model=model, weights=weights, store=store)


def _row(one: Pick) -> tuple[str, ...]:
    return (
        one.uri,
        one.policy or "-",
        "-" if one.score is None else f"{one.score:.4f}",
        one.stratum,
        "-" if one.weight is None else f"{one.weight:.4g}",
        one.reason,
    )
