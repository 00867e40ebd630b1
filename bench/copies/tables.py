"""Scores as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.copies.boundaries import Spread
from bench.copies.columns import Searched
from bench.copies.gates import Gate, gates
from bench.copies.scoring import EditScore, Scores
from bench.copies.set_files import TIMES

STRONGEST = 8
"""False pairs listed by name."""
_MET = {True: "met", False: "missed", None: "-"}


def score_tables(columns: Mapping[str, Scores], *, step_s: float | None) -> Iterator[str]:
    """Lines: a summary with the gates, a table of the edits by column, the false pairs.

    step_s: seconds between samples, as `gates` wants them.
    """
    yield from _table(["", *columns], [*_summary(columns), *_gates(columns, step_s)])
    yield ""
    yield "recall above every false pair, above those but traps', and of all predictions, by edit"
    yield from _table(["", *columns], list(_by_edit(columns)))
    for name, scores in columns.items():
        yield ""
        yield from _details(name, scores)


def cost_table(columns: Mapping[str, Searched]) -> Iterator[str]:
    """Lines: what indexing the references and searching the queries took, by column."""
    steps = {
        "indexing": [each.indexing for each in columns.values()],
        "searching": [each.searching for each in columns.values()],
    }
    rows = [
        [f"{step}: wall s, CPU s", *(f"{cost.wall_s:.1f} {cost.cpu_s:.1f}" for cost in costs)]
        for step, costs in steps.items()
    ]
    yield from _table(["", *columns], rows)


def as_json(scores: Scores, *, step_s: float | None) -> dict[str, Any]:
    """The same as plain values."""
    return {"gates": [asdict(gate) for gate in gates(scores, step_s)], **asdict(scores)}


def _summary(columns: Mapping[str, Scores]) -> Iterator[list[str]]:
    first = next(iter(columns.values()))
    for k, group in enumerate(first.groups):
        groups = [scores.groups[k] for scores in columns.values()]
        segments = [each.segments for each in groups]
        yield [
            f"{group.name}: pair micro-AP, without traps",
            *(f"{each.micro_ap:.3f} {each.micro_ap_untrapped:.3f}" for each in groups),
        ]
        yield [
            f"{group.name}: pairs found of {group.pairs}",
            *(str(each.found) for each in groups),
        ]
        yield [
            f"{group.name}: above every false pair, without traps",
            *(f"{each.strict} {each.untrapped}" for each in groups),
        ]
        yield [
            f"{group.name}: segment AP",
            *("-" if s is None else f"{s.average_precision:.3f}" for s in segments),
        ]
        yield [
            f"{group.name}: segment precision, recall",
            *("-" if s is None else f"{s.precision:.2f} {s.recall:.2f}" for s in segments),
        ]
    everyone = columns.values()
    yield ["false pairs (of traps)", *(_false_count(scores) for scores in everyone)]
    yield ["score of the strongest false pair", *(f"{s.threshold:.4f}" for s in everyone)]
    yield ["  traps left out", *(f"{s.threshold_untrapped:.4f}" for s in everyone)]
    for name in TIMES:
        yield [
            f"{name}, s off: median, p90",
            *(_spread(scores.boundaries.get(name)) for scores in everyone),
        ]


def _gates(columns: Mapping[str, Scores], step_s: float | None) -> Iterator[list[str]]:
    by_column = [list(gates(scores, step_s)) for scores in columns.values()]
    yield ["gates: met of those that apply", *(_met_count(each) for each in by_column)]
    for row in zip(*by_column, strict=True):
        yield [f"  {row[0].about}", *(_MET[gate.met] for gate in row)]


def _by_edit(columns: Mapping[str, Scores]) -> Iterator[list[str]]:
    first = next(iter(columns.values()))
    for k, edit in enumerate(first.edits):
        if edit.pairs:
            rows = [scores.edits[k] for scores in columns.values()]
            yield [
                f"{edit.kind:<12} {edit.edit} ({edit.pairs})",
                *(
                    " ".join(_share(n, row) for n in (row.strict, row.untrapped, row.found))
                    for row in rows
                ),
            ]


def _details(name: str, scores: Scores) -> Iterator[str]:
    yield f"{name}: by edit; seconds off are median, p90 over the segments placed"
    head = ["", "pairs", "found", "no false", "no false*", "false", "placed",
            "query start", "query end", "ref start", "ref end"]  # fmt: skip
    rows = []
    for row in scores.edits:
        if row.pairs or row.false_pairs:
            counts = (row.pairs, row.found, row.strict, row.untrapped, row.false_pairs, row.placed)
            spreads = (row.boundaries.get(side) for side in TIMES)
            rows.append(
                [f"{row.kind:<12} {row.edit}", *map(str, counts), *(_spread(s) for s in spreads)]
            )
    yield from _table(head, rows)
    yield "  no false: above every false pair; no false*: above every one that is not a trap's"
    for each in scores.false_pairs[:STRONGEST]:
        yield (
            f"  false: {each.query_id} ({each.kind} {each.edit} {each.original}) with "
            f"{each.ref_id} ({each.against}), score {each.score:.4f}"
        )
    if len(scores.false_pairs) > STRONGEST:
        yield f"  and {len(scores.false_pairs) - STRONGEST} more"


def _met_count(column: Sequence[Gate]) -> str:
    applying = [gate for gate in column if gate.met is not None]
    return f"{sum(gate.met is True for gate in applying)} of {len(applying)}"


def _false_count(scores: Scores) -> str:
    traps = sum(each.trapped for each in scores.false_pairs)
    return f"{len(scores.false_pairs)} ({traps})"


def _share(count: int, row: EditScore) -> str:
    return f"{count / row.pairs:.2f}"


def _spread(spread: Spread | None) -> str:
    return "-" if spread is None else f"{spread.median:.2f} {spread.p90:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[k]) for row in [head, *rows]) for k in range(len(head))]
    for row in [head, *rows]:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join([row[0].ljust(widths[0]), *cells]).rstrip()
