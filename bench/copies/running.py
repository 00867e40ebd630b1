"""Runs the columns over a set and prints one table: what each finds and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.copies.columns import COLUMNS, Searched, search_set
from bench.copies.gates import sampling_step_s
from bench.copies.scoring import Scores, score_predictions
from bench.copies.set_files import CopySet, read_set, write_segments
from bench.copies.tables import cost_table, score_tables
from bench.copies.vpdq_column import search_with_vpdq, vpdq_interpreter
from bench.machine import processor
from vscan.errors import UsageError
from vscan.provenance import version
from vscan.settings import available_cores

VPDQ = "vpdq"


@dataclass(frozen=True)
class Choice:
    """What to run."""

    columns: tuple[str, ...]
    sampling: str
    model: str
    workers: int | None
    vpdq_python: Path | None


def run_columns(folder: Path, choice: Choice, *, command: str) -> Iterator[str]:
    """Search the set once for each column; yields lines of text.

    A column that this installation cannot run is named with the reason, and the others are run.
    Writes predictions-COLUMN.csv into the set's folder. Raises UsageError for an unknown column,
    SamplingError for an unknown sampling.
    """
    for name in choice.columns:
        if name not in (*COLUMNS, VPDQ):
            raise UsageError(
                f"no column {name!r}", remedy=f"columns: {', '.join((*COLUMNS, VPDQ))}"
            )
    step_s = sampling_step_s(choice.sampling)
    copies = read_set(folder)
    yield f"command: python -m bench.copies {command}"
    yield f"machine: {processor()}, {available_cores()} cores; vscan {version()}"
    yield f"set: seed {_seed(folder)}, {len(copies.references)} references, " + (
        f"{len(copies.queries)} queries of {sum(q.length_s for q in copies.queries) / 60:.1f} min"
    )
    ran: dict[str, Searched] = {}
    scores: dict[str, Scores] = {}
    for name in choice.columns:
        try:
            ran[name] = _search(copies, name, choice)
        except UsageError as error:
            yield f"{name}: not run: {error.message}"
            continue
        write_segments(folder / f"predictions-{name}.csv", ran[name].segments)
        scores[name] = score_predictions(copies, ran[name].segments)
        for problem in ran[name].errors:
            yield f"{name}: {problem}"
    if scores:
        yield ""
        yield from cost_table(ran)
        yield from score_tables(scores, step_s=step_s)


def _search(copies: CopySet, name: str, choice: Choice) -> Searched:
    if name == VPDQ:
        return search_with_vpdq(copies, vpdq_interpreter(choice.vpdq_python))
    return search_set(
        copies, name, sampling=choice.sampling, model=choice.model, workers=choice.workers
    )


def _seed(folder: Path) -> str:
    try:
        return str(json.loads((folder / "manifest.json").read_text("utf-8"))["seed"])
    except (OSError, ValueError, KeyError):
        return "unknown"
