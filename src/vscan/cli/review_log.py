"""`vscan review verify`, `import` and `export`: a decision log as a whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from vscan.cli.review import Log

EXIT_DAMAGED = 3


def verify(
    log: Log,
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="A head that was written down earlier: everything up to "
                     "it must still be there."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead: rows, head, problem.")
    ] = False,
) -> None:  # fmt: skip
    """Check that no decision of a log was changed, removed, put in or moved.

    Prints the head: the hash of the last row, over all rows before it. What does not hold is named
    by its first row, and the exit code is then 3. That the last rows were cut off is seen only with
    a --head that was kept elsewhere.

    Example: `vscan review verify decisions.db --head $(cat head.txt)`
    """
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines, print_line
    from vscan.decisions.chain import verify as walk
    from vscan.decisions.log import DecisionLog

    with DecisionLog(log) as held:
        found = walk(held, head=head)
    if as_json:
        print_json_lines([asdict(found)])
    else:
        print_line(found.problem or found.head)
    rows = "1 decision" if found.rows == 1 else f"{found.rows} decisions"
    if found.problem is not None:
        say(f"{log}: {found.problem}; {rows} before that hold")
        raise typer.Exit(EXIT_DAMAGED)
    say(f"{log}: {rows}, every one as it was written")


def import_decisions(
    log: Annotated[
        Path,
        typer.Argument(metavar="LOG", help="The decision log; it is made where there is none."),
    ],
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Decisions as JSON lines, as `vscan review export` "
                       "writes them."),
    ],
) -> None:  # fmt: skip
    """Add the decisions of a file to a log: all of them, or none where a line does not hold.

    Decisions that the log holds already, by their ids, are passed over, so that importing twice
    adds nothing.

    Example: `vscan review import decisions.db berlin.jsonl`
    """
    from vscan.cli.index_output import say
    from vscan.decisions.exchange import import_file

    done = import_file(log, file)
    say(f"{log}: {done.added} added, {done.known} known before; the head is now {done.head}")


def export_decisions(
    log: Log,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File that takes the lines. Default: stdout."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace --output where it is there already.")
    ] = False,
) -> None:
    """Write every decision of a log as a JSON line (`vscan.decision/1`), in the log's order.

    Example: `vscan review export decisions.db -o decisions.jsonl`
    """
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_json_lines
    from vscan.decisions.exchange import export_file
    from vscan.decisions.log import DecisionLog

    with DecisionLog(log) as held:
        if output is None:
            print_json_lines(each.as_dict() for each in held.decisions())
            return
        written = export_file(held, output, force=force)
    say(f"{log}: {written} decisions in {output}")
