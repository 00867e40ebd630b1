"""One column of the table: the references indexed and every query searched with some signals."""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.copies.set_files import CopySet, Segment
from vscan.indexing import Label, add_exemplars, new_index, search_index
from vscan.settings import SIGNALS, ScanSettings
from vscan.sources import find_sources

COLUMNS = {
    "all": tuple(each for each in SIGNALS if each in ("embedding", "pdq", "keypoints")),
    "pdq": ("pdq",),
    "keypoints": ("keypoints",),
    "embedding": ("embedding",),
}
"""Signals by column."""
POLICY = "bench.copies"


@dataclass(frozen=True)
class Cost:
    """What a piece of work took."""

    wall_s: float
    cpu_s: float
    """Of this process and those it waited for."""


class Meter:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _cpu_s()

    def cost(self) -> Cost:
        """What was used so far."""
        return Cost(time.perf_counter() - self._wall, _cpu_s() - self._cpu)


@dataclass(frozen=True)
class Searched:
    """What a column predicts, and what it took."""

    segments: tuple[Segment, ...]
    indexing: Cost
    searching: Cost
    errors: tuple[str, ...]
    """Queries and references that could not be read."""


def search_set(
    copies: CopySet, name: str, *, sampling: str, model: str, workers: int | None
) -> Searched:
    """Index the references and search every query with the signals of a column.

    Raises UsageError where vscan does not know a signal.
    """
    settings = ScanSettings(signals=COLUMNS[name], model=model, sampling=sampling, workers=workers)
    index = copies.folder / "indexes" / name
    shutil.rmtree(index, ignore_errors=True)
    index.parent.mkdir(exist_ok=True)
    errors: list[str] = []
    meter = Meter()
    new_index(index, settings=settings)
    references: dict[str, list[str]] = {}
    by_file = {str(copies.folder / each.file): each.ref_id for each in copies.references}
    label = Label(policy=POLICY)
    for added in add_exemplars(index, find_sources(list(by_file)), label, settings=settings):
        if added.exemplar is None:
            errors.append(f"{added.uri}: {added.error}")
        else:
            references.setdefault(added.exemplar.id, []).append(by_file[added.uri])
    indexing = meter.cost()
    meter = Meter()
    segments = tuple(_search(copies, index, settings, references, errors))
    return Searched(segments, indexing, meter.cost(), tuple(errors))


def _search(
    copies: CopySet,
    index: Path,
    settings: ScanSettings,
    references: dict[str, list[str]],
    errors: list[str],
) -> Iterator[Segment]:
    """Segments of all queries, in the order of their ids."""
    by_file = {str(copies.folder / each.file): each.query_id for each in copies.queries}
    found: list[Segment] = []
    for searched in search_index(index, find_sources(list(by_file)), settings=settings):
        if searched.error is not None:
            errors.append(f"{searched.uri}: {searched.error}")
        for match in searched.matches:
            query, known = match.source_span, match.exemplar_span
            found += [
                Segment(
                    by_file[searched.uri], ref_id, query.start_s, query.end_s,
                    known.start_s, known.end_s, match.score,
                )
                for ref_id in references[match.exemplar]
            ]  # fmt: skip
    yield from sorted(found, key=lambda each: (each.query_id, each.ref_id, each.query_start or 0.0))


def _cpu_s() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
