"""`vscan show`: verdicts as a table, with filters."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from vscan.reports.words import clock, remark, when, why

__all__ = ["COLUMNS", "clock", "remark", "rows", "show", "why"]
COLUMNS = ("source", "outcome", "action", "policy", "score", "when", "why")


def show(
    file: Annotated[
        str,
        typer.Argument(
            help="A verdict file or folder of parts, as `vscan scan -o` writes them, or "
            "its URI; - for stdin."
        ),
    ],
    outcome: Annotated[
        list[str] | None,
        typer.Option(help="Only these: clear, review, violation or error. May be repeated."),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="Only findings of this policy, or of those below it (`weapons` takes in "
            "`weapons.firearms`). May be repeated."
        ),
    ] = None,
    action: Annotated[
        str | None,
        typer.Option(help="Only this action or a more severe one: review, escalate, remove."),
    ] = None,
    min_score: Annotated[
        float, typer.Option(help="Only findings with at least this score.", min=0.0, max=1.0)
    ] = 0.0,
    json: Annotated[
        bool, typer.Option("--json", help="Print the chosen records as JSON lines instead.")
    ] = False,
) -> None:
    """Show verdicts as a table: one row for each finding, one for each video without any.

    The most severe come first. Example: `vscan show verdicts.jsonl --outcome violation`.
    """
    import orjson

    from vscan.cli.tables import print_json_lines, print_table
    from vscan.store.browse import Filter, load_records, most_severe_first

    wanted = Filter(tuple(outcome or ()), tuple(policy or ()), action, min_score)
    records = load_records(file)
    chosen = most_severe_first(record for record in records if wanted.accepts(record))
    if json:
        print_json_lines(chosen)
        return
    print_table(COLUMNS, (row for r in chosen for row in rows(r, wanted.findings(r))))
    print(f"{len(chosen)} of {len(records)} videos", file=sys.stderr)
    configurations = {orjson.dumps(r["provenance"]) for r in records}
    if len(configurations) > 1:
        print(
            f"they were judged under {len(configurations)} configurations (pack, model, indexes, "
            "sampling): `vscan explain` shows each one's",
            file=sys.stderr,
        )
    fired = sorted({finding["policy"] for r in records for finding in r["findings"]})
    if not chosen and policy and fired:
        print(f"policies that fired in this file: {', '.join(fired)}", file=sys.stderr)


def rows(record: dict[str, Any], findings: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """The table's rows of one record, cells as COLUMNS; the source's name stands once."""
    head = (record["source"]["uri"], record["outcome"])
    for finding in findings:
        yield (
            *head,
            finding["action"],
            finding["policy"],
            f"{finding['score']:.2f}",
            when(finding["segments"]),
            why(finding["evidence"][0]),
        )
        head = ("", "")
    if not findings:
        yield (*head, record["action"], "", "", "", remark(record))
        head = ("", "")
    for aside in record["suppressed"]:
        yield (
            *head,
            "",
            aside["policy"],
            "",
            when(aside["segments"]),
            _set_aside(aside),
        )


def _set_aside(aside: dict[str, Any]) -> str:
    if not aside["by"]:
        return f"suppressed: {aside['evidence'][0]['exemplar']} matched too many videos of its run"
    return f"suppressed by the benign exemplar {aside['by'][0]['exemplar']}"
