"""The two tables of an export: what their columns are, written a row group at a time."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import orjson

from vscan.store.sample_rows import SampleRows
from vscan.store.source_records import StoredSource
from vscan.store.specs import SIGNALS

if TYPE_CHECKING:
    import pyarrow  # type: ignore[import-untyped]  # it has no types

GROUP_ROWS = 16_384
"""Rows of a row group: 32 MB in memory with vectors of 512 numbers."""

MakeBatch = Callable[[StoredSource, SampleRows], "pyarrow.RecordBatch"]


class Table:
    """A Parquet file in the making: takes the rows of one source after the other."""

    def __init__(self, file: BinaryIO, schema: pyarrow.Schema, make: MakeBatch) -> None:
        import pyarrow.parquet  # type: ignore[import-untyped]  # as above

        self._arrow = pyarrow
        self._schema = schema
        self._make = make
        self._writer = pyarrow.parquet.ParquetWriter(file, schema, compression="zstd")
        self._waiting: list[pyarrow.RecordBatch] = []
        self._rows = 0

    def add(self, record: StoredSource, rows: SampleRows) -> None:
        """Takes what this table holds of a source."""
        batch = self._make(record, rows)
        for start in range(0, batch.num_rows, GROUP_ROWS):
            part = batch.slice(start, GROUP_ROWS)
            self._waiting.append(part)
            self._rows += part.num_rows
            if self._rows >= GROUP_ROWS:
                self._write()

    def _write(self) -> None:
        if self._waiting:
            table = self._arrow.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=2 * GROUP_ROWS)
        self._waiting, self._rows = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._write()
        self._writer.close()


def samples_table(file: BinaryIO, dim: int) -> Table:
    """A row for each sample of each URI: time, PDQ of the whole frame, embedding if dim is not 0.

    Embeddings are stored in half precision and written in single: the same numbers, which more
    programs read, and compressed they take no more.
    """
    import pyarrow as pa

    columns = [
        ("uri", pa.string()),
        ("sha256", pa.string()),
        ("time_s", pa.float64()),
        ("pdq", pa.string()),
        ("pdq_quality", pa.uint8()),
    ]
    if dim:
        columns.append(("embedding", pa.list_(pa.float32(), dim)))
    schema = pa.schema(columns)

    def batch(record: StoredSource, rows: SampleRows) -> pyarrow.RecordBatch:
        hashes, quality, missing = rows.hashes()
        text = [
            None if gone else each.tobytes().hex()
            for each, gone in zip(hashes, missing, strict=True)
        ]
        arrays = [
            pa.array([record.uri] * len(rows), pa.string()),
            pa.array([record.sha256] * len(rows), pa.string()),
            pa.array(rows.times_s),
            pa.array(text, pa.string()),
            pa.array(quality, pa.uint8(), mask=missing),
        ]
        if dim:
            vectors, missing = rows.vectors(dim)
            arrays.append(
                pa.FixedSizeListArray.from_arrays(
                    pa.array(vectors.reshape(-1)), dim, mask=pa.array(missing)
                )
            )
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    return Table(file, schema, batch)


def sources_table(file: BinaryIO) -> Table:
    """A row for each source record: what it is, how its reading went, which tracks it has."""
    import pyarrow as pa

    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("uri", "sha256", "md5")),
            ("bytes", pa.int64()),
            *((name, pa.string()) for name in ("container", "codec")),
            *((name, pa.int32()) for name in ("width", "height")),
            *((name, pa.float64()) for name in ("claimed_duration_s", "end_s")),
            *((name, pa.int64()) for name in ("planned", "read")),
            ("coverage", pa.float64()),
            ("reader", pa.string()),
            ("skipped_packets", pa.int64()),
            ("warnings", pa.list_(pa.string())),
            *((name, pa.string()) for name in ("error_code", "error_message", "meta")),
            *((f"{signal}_key", pa.string()) for signal in SIGNALS),
        ]
    )

    def batch(record: StoredSource, _rows: SampleRows) -> pyarrow.RecordBatch:
        return pa.RecordBatch.from_pylist([source_row(record)], schema=schema)

    return Table(file, schema, batch)


def source_row(record: StoredSource) -> dict[str, Any]:
    """A source record as a row; what is unknown is left out."""
    row: dict[str, Any] = {
        "uri": record.uri,
        "sha256": record.sha256,
        "md5": record.md5,
        "bytes": record.bytes,
        "meta": orjson.dumps(dict(record.meta)).decode(),
    }
    if (info := record.info) is not None:
        row |= {"container": info.container, "codec": info.codec, "width": info.width}
        row |= {"height": info.height, "claimed_duration_s": info.duration_s}
    if (report := record.report) is not None:
        row |= {"planned": report.planned, "read": report.read, "coverage": report.coverage}
        row |= {"end_s": report.end_s, "reader": report.reader, "warnings": list(report.warnings)}
        row |= {"skipped_packets": report.skipped_packets}
    if record.error is not None:
        row |= {"error_code": record.error.code, "error_message": record.error.message}
    return row | {f"{signal}_key": key for signal, key in record.tracks.items()}
