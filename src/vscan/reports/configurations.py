"""What verdicts were made with: their configurations, what differs, and the runs beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from vscan.errors import VscanError
from vscan.runs import RunSummary, summary_path
from vscan.storage import read_bytes
from vscan.store.browse import Record

MOST_SUMMARY_BYTES = 4 << 20
FIELDS = {
    "pack": "policy pack",
    "model": "model",
    "precision": "precision",
    "sampling": "sampling",
    "signals": "signals",
    "indexes": "exemplar indexes",
    "vscan": "vscan",
}
"""Fields of a provenance in the order in which they are told, with their names for people."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One of the configurations that the verdicts were made under."""

    videos: int
    said: tuple[tuple[str, str], ...]
    """Names and values, digests in full."""


@dataclass(frozen=True, kw_only=True)
class Configurations:
    """All of them, the one of most verdicts first."""

    each: tuple[Configuration, ...]
    differ_in: tuple[str, ...]
    """Names of what is not the same everywhere; empty where there is one."""
    readers: tuple[tuple[str, int], ...]
    """Which reader served how many videos."""


def configurations(records: Iterable[Record]) -> Configurations:
    """The configurations of verdicts."""
    counts: Counter[bytes] = Counter()
    readers: Counter[str] = Counter()
    for record in records:
        counts[orjson.dumps(record["provenance"], option=orjson.OPT_SORT_KEYS)] += 1
        if record["samples"] is not None:
            readers[record["samples"]["reader"]] += 1
    order = sorted(counts, key=lambda key: (-counts[key], key))
    parsed: list[dict[str, Any]] = [orjson.loads(key) for key in order]
    return Configurations(
        each=tuple(
            Configuration(videos=counts[key], said=_said(one))
            for key, one in zip(order, parsed, strict=True)
        ),
        differ_in=tuple(
            name
            for field, name in FIELDS.items()
            if len({orjson.dumps(one.get(field)) for one in parsed}) > 1
        ),
        readers=tuple(sorted(readers.items(), key=lambda each: (-each[1], each[0]))),
    )


def _said(provenance: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    said = []
    for field, name in FIELDS.items():
        value = provenance.get(field)
        if field == "indexes":
            said += [("exemplar index", f"{key} ({told})") for key, told in (value or {}).items()]
        elif value:
            said.append((name, ", ".join(value) if isinstance(value, list) else str(value)))
    return tuple(said)


@dataclass(frozen=True, kw_only=True)
class FoundRuns:
    """Run summaries beside verdict files."""

    runs: tuple[tuple[str, RunSummary], ...]
    """Name of the file, and what it holds."""
    without: tuple[str, ...]
    """Verdict files that have none."""
    unusable: tuple[str, ...]
    """Files in the place of one that hold something else."""


def found_runs(files: Sequence[Path]) -> FoundRuns:
    """The summaries that lie beside verdict files, or in folders of parts, as `vscan scan -o`
    writes them."""
    runs, without, unusable = [], [], []
    for file, path in [(each, path) for each in files for path in _summaries(each)]:
        try:
            runs.append((str(path), _adapter.validate_json(_bytes(path))))
        except FileNotFoundError:
            without.append(str(file))
        except (ValidationError, OSError, VscanError):
            unusable.append(str(path))
    return FoundRuns(runs=tuple(runs), without=tuple(without), unusable=tuple(unusable))


def _summaries(file: Path) -> list[Path]:
    return (sorted(file.glob("runs/*.run.json")) if file.is_dir() else []) or [summary_path(file)]


def _bytes(path: Path) -> bytes:
    if not path.exists():
        raise FileNotFoundError(path)
    return read_bytes(path, limit=MOST_SUMMARY_BYTES)


_adapter: TypeAdapter[RunSummary] = TypeAdapter(RunSummary)
