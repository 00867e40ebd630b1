"""`vscan verdicts merge` and `diff`: verdict files put together, and held against each other."""

from __future__ import annotations

from typing import Annotated

import typer

EXIT_CHANGED = 1
verdicts_app = typer.Typer(
    name="verdicts",
    help="Put verdict files together, tell what changed from one to the next, and hand them on.",
    no_args_is_help=True,
)


@verdicts_app.command("merge")
def merge(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES…",
            help="Verdict files, folders of parts, or URIs of either, the older ones first.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE|URI", help="File or object that takes all the lines."
        ),
    ],
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse where two files say different things of a source."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace --output where it is there already.")
    ] = False,
) -> None:
    """Put verdict files together: one line for each source, sorted by its URI.

    Made for the outputs of `vscan scan --shard`: merged, they are what one run would have written,
    sorted. A line that stands the same in several files is taken once. Where files differ about a
    source (other content or configuration), the later file's line is taken, and that is said. Torn
    last lines are left out. The output appears whole or not at all, and can be resumed.

    A folder of parts, as `vscan scan -o s3://bucket/run/` writes it, is one file with the lines of
    all its parts: the newest line of a source counts. A missing or damaged part is an error.

    Examples:

    `vscan verdicts merge shard-*.jsonl -o verdicts.jsonl`

    `vscan verdicts merge s3://bucket/run/ -o verdicts.jsonl`
    """
    from vscan.cli.index_output import say
    from vscan.cli.verdict_inputs import verdict_inputs
    from vscan.store import merging
    from vscan.store.verdict_copies import local_output

    with (
        local_output(output, force=force, inputs=files) as path,
        verdict_inputs(files) as copies,
    ):
        merged = merging.merge(copies.paths, path, strict=strict, force=force)
    for torn in merged.torn:
        say(f"note: the torn last line of {copies.name(torn)} was left out")
    if merged.conflicts:
        more = ", …" if merged.conflicts > len(merged.conflicting) else ""
        sources = "1 source" if merged.conflicts == 1 else f"{merged.conflicts} sources"
        say(
            f"note: files differ about {sources}, the later file counts: "
            f"{', '.join(merged.conflicting)}{more}"
        )
    if merged.configurations > 1:
        say(f"note: the lines were judged under {merged.configurations} configurations")
    lines = "1 line" if merged.lines == 1 else f"{merged.lines} lines"
    repeated = f", {merged.repeated} stood in several" if merged.repeated else ""
    inputs = "1 input" if len(files) == 1 else f"{len(files)} inputs"
    say(f"{lines} of {inputs}{repeated}; verdicts in {output}")


@verdicts_app.command("diff")
def diff(
    before: Annotated[
        str, typer.Argument(metavar="A", help="Verdict file, folder of parts or URI of before.")
    ],
    after: Annotated[
        str, typer.Argument(metavar="B", help="Verdict file, folder of parts or URI of after.")
    ],
    tolerance: Annotated[
        float,
        typer.Option(min=0.0, help="Seconds by which a segment's start or end may move untold."),
    ] = 0.5,
    score_tolerance: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="How far a score may move untold.")
    ] = 0.0,
    limit: Annotated[
        int, typer.Option(min=0, help="Videos in the table, flipped ones first; --json has all.")
    ] = 50,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit with 1 if any verdict changed.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a changed video instead, then the summary."),
    ] = False,
) -> None:
    """Tell what changed from one verdict file to another, source by source.

    Outcomes that flipped, findings that came, went or score differently, segments that moved,
    content that is another, sources that only one file knows; and what differs in how the files
    were made (pack, model, indexes), which alone is no change.

    Example: `vscan verdicts diff last-week.jsonl verdicts.jsonl --fail-on-change`
    """
    from vscan.cli import verdict_changes
    from vscan.cli.index_output import say
    from vscan.cli.verdict_inputs import verdict_inputs
    from vscan.store.comparing import Totals, compare

    totals = Totals()
    with verdict_inputs([before, after]) as copies:
        changes = compare(
            *copies.paths, totals=totals, tolerance_s=tolerance, score_tolerance=score_tolerance
        )
        if as_json:
            verdict_changes.print_objects(changes, totals)
        else:
            verdict_changes.print_tables(verdict_changes.first(changes, limit), totals)
    for path in totals.torn:
        say(f"note: the torn last line of {copies.name(path)} was left out")
    say(f"{totals.changed} of {totals.sources} videos changed")
    if fail_on_change and totals.changed:
        raise typer.Exit(EXIT_CHANGED)
