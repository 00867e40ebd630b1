"""A set on disk: its CSV files, written and read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from vscan.errors import UsageError

CLASSES = ("plain", "hard", "needle5", "needle2", "combination", "distractor", "trap")
TIMES = ("query_start", "query_end", "ref_start", "ref_end")


@dataclass(frozen=True)
class Query:
    """One video that is searched for."""

    query_id: str
    file: str
    """Below the set's folder."""
    original: str
    """Name of the video that it was made of; empty where it was made of none."""
    edit: str
    kind: str
    """Of CLASSES; the column is called `class`."""
    parameters: str
    """JSON."""
    length_s: float


@dataclass(frozen=True)
class Reference:
    """One video that queries are searched against."""

    ref_id: str
    file: str
    original: str
    parameters: str = "{}"
    """JSON, of a video that was made; as a query's."""


@dataclass(frozen=True)
class Segment:
    """A row of the matching track: a part of a query and of a reference, seconds, and a score.

    The four times are None where whoever predicts says nothing of times.
    """

    query_id: str
    ref_id: str
    query_start: float | None
    query_end: float | None
    ref_start: float | None
    ref_end: float | None
    score: float


@dataclass(frozen=True)
class CopySet:
    """All that scoring needs to know of a set."""

    folder: Path
    queries: tuple[Query, ...]
    references: tuple[Reference, ...]
    truth: tuple[Segment, ...]
    ignored: frozenset[tuple[str, str]]


def read_set(folder: Path) -> CopySet:
    """The set in a folder. Raises UsageError where it is none or not whole."""
    queries = tuple(
        Query(
            row["query_id"], row["file"], row["original"], row["edit"], row["class"],
            row["parameters"], float(row["length_s"]),
        )
        for row in _rows(folder / "queries.csv")
    )  # fmt: skip
    references = tuple(
        Reference(row["ref_id"], row["file"], row["original"], row["parameters"])
        for row in _rows(folder / "references.csv")
    )
    ignored = frozenset((row["query_id"], row["ref_id"]) for row in _rows(folder / "ignored.csv"))
    return CopySet(folder, queries, references, read_segments(folder / "ground_truth.csv"), ignored)


def write_set(copies: CopySet) -> None:
    """Write the four CSV files; the videos are there already."""
    names = [field.name for field in fields(Query)]
    names[names.index("kind")] = "class"
    write_rows(copies.folder / "queries.csv", names, (astuple(q) for q in copies.queries))
    write_rows(
        copies.folder / "references.csv",
        [field.name for field in fields(Reference)],
        (astuple(r) for r in copies.references),
    )
    write_segments(copies.folder / "ground_truth.csv", copies.truth)
    write_rows(copies.folder / "ignored.csv", ["query_id", "ref_id"], sorted(copies.ignored))


def read_segments(path: Path) -> tuple[Segment, ...]:
    """Rows of a matching CSV. Raises UsageError where a number is none."""
    found = []
    for line, row in enumerate(_rows(path), start=2):
        try:
            a, b, c, d = (_time(row.get(name)) for name in TIMES)
            score = float(row["score"])
            found.append(Segment(row["query_id"], row["ref_id"], a, b, c, d, score))
        except (KeyError, ValueError) as error:
            raise UsageError(
                f"{path}, line {line}: {error}",
                remedy="columns: query_id,ref_id,query_start,query_end,ref_start,ref_end,score",
            ) from error
    return tuple(found)


def write_segments(path: Path, segments: Iterable[Segment]) -> None:
    """Rows of a matching CSV, times with six decimals."""
    rows = (
        [s.query_id, s.ref_id, *(_written(getattr(s, name)) for name in TIMES), repr(s.score)]
        for s in segments
    )
    write_rows(path, [field.name for field in fields(Segment)], rows)


def write_rows(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A CSV file with a header, in place when it is whole."""
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    unfinished.replace(path)


def canonical(value: Any) -> str:
    """JSON that is the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _time(text: str | None) -> float | None:
    return float(text) if text else None


def _written(time_s: float | None) -> str:
    return "" if time_s is None else f"{time_s:.6f}"


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path}: cannot be read: {error}",
            remedy="`python -m bench.copies make` makes a set",
        ) from error
