"""What a set will hold: every query as a job, drawn from the seed before anything is encoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.copies.edits import Edit, seeded
from bench.copies.hard_edits import EDITS
from bench.copies.originals import Original
from bench.copies.splices import NEEDLES_S, draw_splice
from bench.copies.traps import DISTRACTORS, TRAPS, programme

NEEDLES_EACH = 2
NEEDLE_CLASSES = {"splice5": "needle5", "splice2": "needle2"}


@dataclass(frozen=True)
class Job:
    """One video to make."""

    name: str
    """Of the file, without suffix: unique in the set, and the same whatever else is made."""
    edit: str
    kind: str
    """Of set_files.CLASSES; `reference` for a trap's known half."""
    original: Original | None
    parameters: dict[str, Any]
    """Edits: {"steps": [[edit, strengths], …]}. Needles: see draw_splice. Others: see programme."""


def plan_jobs(
    originals: Sequence[Original],
    distractors: Sequence[str],
    *,
    seed: int,
    combinations: int,
) -> Iterator[Job]:
    """Every job of a set, in the order of the query ids.

    distractors: names of the videos that match nothing; combinations: for each original.
    """
    for original in originals:
        yield from edit_jobs(original, list(EDITS.values()), seed)
        yield from _needle_jobs(original, distractors, seed)
    for name, parts in DISTRACTORS.items():
        yield Job(f"made-{name}", name, "distractor", None, programme(seed, name, parts))
    for name, parts in TRAPS.items():
        for half, kind in (("known", "reference"), ("query", "trap")):
            parameters = programme(seed, f"trap-{name}-{half}", parts)
            yield Job(f"trap-{name}-{half}", name, kind, None, parameters)
    for original in originals:
        yield from _combination_jobs(original, combinations, seed)


def edit_jobs(original: Original, edits: Sequence[Edit], seed: int) -> Iterator[Job]:
    """One job for each edit, its strengths drawn from the seed."""
    for edit in edits:
        steps = [[edit.name, edit.draw(seeded(seed, original.name, edit.name))]]
        name = f"{slug(original.name)}.{edit.name}"
        yield Job(name, edit.name, edit.hardness, original, {"steps": steps})


def _needle_jobs(original: Original, distractors: Sequence[str], seed: int) -> Iterator[Job]:
    for edit, length in NEEDLES_S.items():
        for k in range(1, NEEDLES_EACH + 1):
            rng = seeded(seed, original.name, edit, str(k))
            drawn = draw_splice(rng, original, length, distractors)
            if drawn is not None:
                name = f"{slug(original.name)}.{edit}-{k}"
                yield Job(name, edit, NEEDLE_CLASSES[edit], original, drawn)


def _combination_jobs(original: Original, count: int, seed: int) -> Iterator[Job]:
    for k in range(1, count + 1):
        rng = seeded(seed, original.name, "combination", str(k))
        chosen = two_of(rng, list(EDITS.values()))
        steps = [
            [edit.name, edit.draw(seeded(seed, original.name, "combination", str(k), edit.name))]
            for edit in chosen
        ]
        edit_name = "+".join(edit.name for edit in chosen)
        name = f"{slug(original.name)}.{k}.{edit_name}"
        yield Job(name, edit_name, "combination", original, {"steps": steps})


def two_of(rng: np.random.Generator, edits: Sequence[Edit]) -> list[Edit]:
    """Two different edits in a random order."""
    return [edits[int(k)] for k in rng.choice(len(edits), 2, replace=False)]


def slug(name: str) -> str:
    """A name as part of a file name."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)
