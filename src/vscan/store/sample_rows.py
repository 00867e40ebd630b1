"""The stored signals of one source, a row for each sample: what tables are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.errors import StoreError
from vscan.store.frames import FrameStore
from vscan.store.source_records import StoredSource
from vscan.tracks import Track

HASH_BYTES = 32


@dataclass(frozen=True, eq=False)
class SampleRows:
    """The samples of one source in time order. -1 stands for what was not measured on a sample."""

    times_s: NDArray[np.float64]
    """(T,)."""
    pdq: Track | None
    """The hashes, of which `pdq_row` says which one is of a sample's whole frame."""
    pdq_row: NDArray[np.int64]
    """(T,) row of `pdq`, or -1."""
    embedding: Track | None
    embedding_row: NDArray[np.int64]
    """(T,) row of `embedding`, or -1."""

    def __len__(self) -> int:
        return len(self.times_s)

    def hashes(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
        """(T, 32) hashes of the whole frame as it stands, (T,) qualities 0..100, and (T,) whether
        there is none."""
        missing = self.pdq_row < 0
        hashes = np.zeros((len(self), HASH_BYTES), np.uint8)
        quality = np.zeros(len(self), np.uint8)
        if self.pdq is not None:
            rows = self.pdq_row[~missing]
            hashes[~missing] = self.pdq.values[rows, :HASH_BYTES]
            if self.pdq.quality is not None:
                quality[~missing] = self.pdq.quality[rows]
        return hashes, quality, missing

    def vectors(self, dim: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(T, dim) embeddings, and (T,) whether there is none."""
        missing = self.embedding_row < 0
        vectors = np.zeros((len(self), dim), np.float32)
        if self.embedding is not None:
            vectors[~missing] = self.embedding.values[self.embedding_row[~missing]]
        return vectors, missing


def rows_of(
    store: FrameStore, record: StoredSource, embedding: str | None
) -> tuple[SampleRows, list[StoreError]]:
    """The rows of a source, and what of it could not be read.

    embedding: key of the spec whose vectors are wanted; those of others are left out.
    """
    found: dict[str, Track] = {}
    times_s = [np.empty(0)]
    problems: list[StoreError] = []
    for signal in ("pdq", "embedding"):
        key = record.tracks.get(signal)
        if key is None or record.sha256 is None or (signal == "embedding" and key != embedding):
            continue
        try:
            reading, found[signal] = store.read(record.sha256, signal, key)
        except StoreError as error:
            problems.append(error)
        else:
            times_s.append(reading.times_s)
    times = np.unique(np.concatenate(times_s))
    pdq, vectors = found.get("pdq"), found.get("embedding")
    rows = SampleRows(times, pdq, _rows_at(times, pdq), vectors, _rows_at(times, vectors))
    return rows, problems


def _rows_at(times_s: NDArray[np.float64], track: Track | None) -> NDArray[np.int64]:
    """(T,) the row of a track at each time that is of the whole frame, or -1."""
    row = np.full(len(times_s), -1, np.int64)
    if track is not None:
        kept = np.arange(len(track))
        if track.region is not None:
            kept = kept[track.region == 0]
        at = np.searchsorted(times_s, track.times_s[kept])
        known = at < len(times_s)
        known[known] = times_s[at[known]] == track.times_s[kept[known]]
        row[at[known]] = kept[known]
    return row
