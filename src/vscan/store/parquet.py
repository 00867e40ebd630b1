"""A frame store as two Parquet files, for people who analyse: its samples and its sources."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from vscan.errors import StoreError, UsageError
from vscan.folders import make_private_folder
from vscan.storage import output_error
from vscan.store.frames import FrameStore
from vscan.store.parquet_tables import Table, samples_table, sources_table
from vscan.store.sample_rows import rows_of
from vscan.store.source_records import DamagedSource, StoredSource

SAMPLES, SOURCES = "samples.parquet", "sources.parquet"


@dataclass
class Exported:
    """What an export wrote, and what it could not."""

    sources: int = 0
    samples: int = 0
    problems: list[StoreError] = field(default_factory=list)
    """Damaged records, which are left out, and tracks, whose samples are without that signal."""


def export(
    store: FrameStore, out: Path, *, embedding: str | None = None, force: bool = False
) -> Exported:
    """Writes `samples.parquet`, a row for each sample of each URI, and `sources.parquet`.

    out: a folder; made where it is not.
    embedding: key of the spec whose vectors are written, where the store holds several.
    A row group is in memory at a time; both files appear whole or not at all. Raises UsageError
    where pyarrow is not installed, the files are there already, or there are vectors of several
    specs and none was chosen; OutputError where they cannot be written.
    """
    _require_pyarrow()
    for path in (out / SAMPLES, out / SOURCES):
        if path.exists() and not force:
            raise UsageError(
                f"{path}: there is such a file already", remedy="choose another folder, or --force"
            )
    chosen, dim = _chosen(store, embedding)
    make_private_folder(out)
    exported = Exported()
    with (
        _whole(out / SAMPLES) as samples_file,
        _whole(out / SOURCES) as sources_file,
        samples_table(samples_file, dim) as samples,
        sources_table(sources_file) as sources,
    ):
        for record in store.sources():
            _export(store, record, chosen, exported, samples, sources)
    return exported


def _export(
    store: FrameStore,
    record: StoredSource | DamagedSource,
    embedding: str | None,
    exported: Exported,
    samples: Table,
    sources: Table,
) -> None:
    if isinstance(record, DamagedSource):
        exported.problems.append(StoreError(f"{store.root}/{record.name}: {record.problem}"))
        return
    rows, problems = rows_of(store, record, embedding)
    sources.add(record, rows)
    samples.add(record, rows)
    exported.sources += 1
    exported.samples += len(rows)
    exported.problems += problems


def _require_pyarrow() -> None:
    try:
        import pyarrow.parquet  # type: ignore[import-untyped] # noqa: F401 -- it has no types
    except ImportError as error:
        raise UsageError(
            "writing Parquet needs pyarrow, which is not installed",
            remedy="install it: pip install 'vscan[eval]'",
        ) from error


def _chosen(store: FrameStore, wanted: str | None) -> tuple[str | None, int]:
    """The key of the embeddings to write and how long they are; None and 0 where there are none."""
    dims: dict[str, int] = {}
    count: Counter[str] = Counter()
    for record in store.sources():
        key = None if isinstance(record, DamagedSource) else record.tracks.get("embedding")
        if isinstance(record, DamagedSource) or key is None or record.sha256 is None:
            continue
        count[key] += 1
        if key not in dims:
            with contextlib.suppress(StoreError):
                dims[key] = store.read(record.sha256, "embedding", key)[1].values.shape[1]
    if wanted is not None and wanted not in dims:
        raise UsageError(
            f"{store.root}: no embeddings of {wanted!r} can be read",
            remedy=f"there are: {', '.join(sorted(dims)) or 'none'}",
        )
    if wanted is None and len(dims) > 1:
        told = ", ".join(f"{key} (of {number} sources)" for key, number in count.most_common())
        raise UsageError(
            f"{store.root}: embeddings of {len(dims)} specs: {told}",
            remedy="choose one with --embedding; `vscan store stats` says what made them",
        )
    key = wanted or next(iter(dims), None)
    return key, 0 if key is None else dims[key]


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file for this user alone that takes its name once all is written, or goes."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise output_error(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
