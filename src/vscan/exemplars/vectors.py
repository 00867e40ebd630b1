"""What searches one signal of an exemplar index: query vectors against every vector that it holds.

A vector is what is compared at once: a row's embedding, a row's PDQ hash, or the descriptor of one
keypoint feature, of which a row has many.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars import structures
from vscan.exemplars.bit_tables import BITS, BitTables
from vscan.exemplars.cells import Cells, assigned, saved_cells
from vscan.exemplars.rows import SignalRows
from vscan.hashes.keypoints import DESCRIPTOR_BYTES, FEATURE_BYTES, UNUSED

_ROUNDING = 1e-6
"""Float32 cosines are this exact: nothing that is on a limit may be lost to rounding."""
_SEED = 20_261_102
_AT_ONCE = 65_536
"""Rows that are made float32 at once."""


@dataclass(frozen=True, eq=False)
class VectorHits:
    """Pairs of a query and a vector of the index, by query, row and slot."""

    query: NDArray[np.int64]
    """(H,) position in the queries, ascending."""
    row: NDArray[np.int64]
    """(H,) position in ExemplarIndex.rows(signal)."""
    slot: NDArray[np.int64]
    """(H,) feature slot of that row; 0 where a row is one vector."""
    difference: NDArray[np.float64]
    """(H,) Hamming distance in bits, or 1 - cosine for an embedding; never below 0."""

    def __len__(self) -> int:
        return len(self.query)

    def __repr__(self) -> str:
        return f"VectorHits({len(self)} pairs)"


class SignalVectors:
    """Searches the vectors of some rows of one signal; safe from several threads at once."""

    def __init__(
        self,
        rows: SignalRows,
        which: NDArray[np.bool_] | None = None,
        *,
        kind: str | None = None,
        cells: Cells | None = None,
        digests: Sequence[str] = (),
    ) -> None:
        """Over the rows that are set in `which` (R,), by default all.

        kind: one of structures.TYPES[rows.signal]; by default what suits the number of vectors.
        cells: for `IndexIVFFlat`. digests: SHA-256 of each exemplar's track, for the cells.
        """
        self.signal = rows.signal
        at = np.arange(len(rows)) if which is None else np.flatnonzero(which)
        vectors, ids, self._slots = vectors_of(rows, at)
        self._ids = ids
        """(V,) row * slots + slot of each vector."""
        self.kind = kind or structures.type_for(rows.signal, len(ids))
        if self.kind == "IndexIVFFlat" and cells is None:
            self.kind = "IndexFlatIP"
        self._vectors = vectors if self.signal != "embedding" else vectors[:0]
        self._flat: Any = None
        self._building = threading.Lock()
        if self.kind == "IndexIVFFlat" and cells is not None:
            self._searcher: Any = _inverted(rows, at, cells, digests)
        elif self.kind == "IndexBinaryIVF":
            self._searcher = sampled_lists(vectors)
        elif self.kind == "BitTables":
            bits = structures.key_bits_for(self.signal, len(ids))
            self._searcher = BitTables(vectors.astype(np.uint8, copy=False), bits)
        else:
            self._searcher = self._flat = _flat(self.signal, vectors)

    def __len__(self) -> int:
        return len(self._ids)

    def range_search(self, queries: NDArray[Any], limit: float) -> VectorHits:
        """Every vector that differs by at most `limit` from a query.

        queries: (Q, 32) uint8, or (Q, D) float32 of length 1 for an embedding. limit: bits, or
        1 - cosine for an embedding (a little above it may be found too: float32). All are found
        for `pdq` up to 47 bits; how many of others, structures.py and decision 0011 say.
        """
        if not len(queries) or not len(self):
            return self._hits(*[np.empty(0, np.int64)] * 3)
        if self.signal == "embedding":
            values = np.ascontiguousarray(queries, np.float32)
            _alone()
            limits, cosine, at = self._searcher.range_search(values, 1.0 - limit - _ROUNDING)
            return self._hits(_by_query(limits), at, 1.0 - cosine.astype(np.float64))
        values, bits = np.ascontiguousarray(queries, np.uint8), int(limit)
        recall = structures.RECALL[self.signal]
        if self.kind == "BitTables" and self._searcher.radii(bits, recall) is not None:
            return self._hits(*self._searcher.range_search(values, bits, recall=recall))
        _alone()
        # FAISS's binary range search is strict: distance < radius.
        limits, difference, at = self._every_one().range_search(values, bits + 1)
        return self._hits(_by_query(limits), at, difference)

    def nearest(self, queries: NDArray[Any], k: int, limit: float | None = None) -> VectorHits:
        """The `k` nearest vectors of each query, of those that differ by at most `limit`.

        queries and limit: as for range_search. Without a limit every vector is compared, but for
        embeddings in an IndexIVFFlat.
        """
        k = min(k, len(self))
        if not len(queries) or not k:
            return self._hits(*[np.empty(0, np.int64)] * 3)
        if self.kind == "BitTables" and limit is not None:
            return _first(self.range_search(queries, limit), k)
        searcher = self._searcher if self.kind == "IndexBinaryIVF" else None
        if self.signal == "embedding":
            values = np.ascontiguousarray(queries, np.float32)
            _alone()
            cosine, at = self._searcher.search(values, k)
            difference = 1.0 - cosine.astype(np.float64)
        else:
            values = np.ascontiguousarray(queries, np.uint8)
            _alone()
            difference, at = (searcher or self._every_one()).search(values, k)
        keep = at >= 0
        if limit is not None:
            keep &= difference <= limit + (_ROUNDING if self.signal == "embedding" else 0.0)
        query, place = np.nonzero(keep)
        return self._hits(query, at[query, place], difference[query, place])

    def _every_one(self) -> Any:
        """A flat index of hashes, where the tables do not reach: built once, when it is needed."""
        with self._building:
            if self._flat is None:
                self._flat = _flat(self.signal, self._vectors)
            return self._flat

    def _hits(self, query: NDArray[Any], at: NDArray[Any], difference: NDArray[Any]) -> VectorHits:
        ids = self._ids[at]
        row, slot = ids // self._slots, ids % self._slots
        order = np.lexsort((slot, row, query))
        apart = np.maximum(difference.astype(np.float64), 0.0)
        return VectorHits(query[order].astype(np.int64), row[order], slot[order], apart[order])


def vectors_of(
    rows: SignalRows, at: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int64], int]:
    """The vectors (V, D) of those rows, where each is from (row * slots + slot), and slots a row.

    Of a row of keypoints these are the descriptors of its used slots.
    """
    if rows.signal != "keypoints":
        return rows.values[at], at.astype(np.int64), 1
    slots = max(1, rows.values.shape[1] // FEATURE_BYTES)
    features = rows.values.reshape(len(rows), slots, FEATURE_BYTES)
    used = np.zeros((len(rows), slots), np.bool_)
    used[at] = features[:, :, -1][at] != UNUSED
    ids = np.flatnonzero(used)
    return features.reshape(-1, FEATURE_BYTES)[ids, :DESCRIPTOR_BYTES], ids.astype(np.int64), slots


def used_vectors(signal: str, values: NDArray[Any]) -> int:
    """How many vectors a track's values hold."""
    if signal != "keypoints" or not values.size:
        return len(values)
    return int(np.count_nonzero(values.reshape(-1, FEATURE_BYTES)[:, -1] != UNUSED))


def unit_rows(values: NDArray[Any]) -> NDArray[np.float32]:
    """(R, D) rows in float32, scaled to length 1; rows of zeros stay zero.

    Float16 rounds the length of a vector as well as its direction.
    """
    rows = np.ascontiguousarray(values, np.float32)
    length = np.sqrt(np.einsum("rd,rd->r", rows, rows))[:, None]
    unit = rows / np.where(length > 0, length, np.float32(1))
    return unit.astype(np.float32, copy=False)


def _alone() -> None:
    """FAISS searches in the calling thread alone: sources are searched side by side already, and
    threads that wait for each other on busy cores cost more than they bring."""
    import faiss

    faiss.omp_set_num_threads(1)


def sampled_lists(vectors: NDArray[np.uint8]) -> Any:
    """An IndexBinaryIVF over descriptors (V, 32), whose centroids are some of them.

    Centroids drawn at random serve descriptors as well as k-means' would (they are spread evenly),
    and cost no training; every list is made when the index is opened.
    """
    import faiss

    lists = structures.binary_lists_for(len(vectors))
    drawn = np.random.default_rng(_SEED).choice(len(vectors), lists, replace=False)
    quantizer = faiss.IndexBinaryFlat(BITS)
    quantizer.add(np.ascontiguousarray(vectors[np.sort(drawn)]))
    index = faiss.IndexBinaryIVF(quantizer, BITS, lists)
    index.is_trained, index.nprobe = True, structures.BINARY_PROBES
    _alone()
    index.add(np.ascontiguousarray(vectors))
    return index


def _flat(signal: str, vectors: NDArray[Any]) -> Any:
    import faiss

    embedding = signal == "embedding"
    index: Any = faiss.IndexFlatIP(vectors.shape[1]) if embedding else faiss.IndexBinaryFlat(BITS)
    index.add(unit_rows(vectors) if embedding else np.ascontiguousarray(vectors, np.uint8))
    return index


def _inverted(rows: SignalRows, at: NDArray[np.int64], cells: Cells, digests: Sequence[str]) -> Any:
    """An IndexIVFFlat over those rows, each put into its cell; ids are positions in `at`."""
    import faiss

    lists, dim = cells.centroids.shape
    quantizer = faiss.IndexFlatIP(dim)
    quantizer.add(cells.centroids)
    index = faiss.IndexIVFFlat(quantizer, dim, lists, faiss.METRIC_INNER_PRODUCT)
    index.is_trained, index.nprobe = True, min(structures.PROBES, lists)
    ends = np.searchsorted(rows.exemplar, np.arange(len(digests) + 1))
    cell, missing = saved_cells(cells, digests, ends)
    for start in range(0, len(at), _AT_ONCE):
        ids = np.arange(start, min(start + _AT_ONCE, len(at)))
        units, into = unit_rows(rows.values[at[ids]]), cell[at[ids]]
        new = missing[at[ids]]
        into[new] = assigned(units[new], cells.centroids)
        pointers = [faiss.swig_ptr(each) for each in (units, ids, into)]
        index.add_core(len(ids), *pointers)
    return index


def _by_query(limits: NDArray[Any]) -> NDArray[np.int64]:
    """(H,) the query of each hit, from FAISS's (Q + 1,) limits."""
    ends = limits.astype(np.int64)
    return np.repeat(np.arange(len(ends) - 1), ends[1:] - ends[:-1])


def _first(hits: VectorHits, k: int) -> VectorHits:
    """The k nearest hits of each query."""
    order = np.lexsort((hits.difference, hits.query))
    query = hits.query[order]
    rank = np.arange(len(order)) - np.searchsorted(query, query)
    kept = np.sort(order[rank < k])
    return VectorHits(hits.query[kept], hits.row[kept], hits.slot[kept], hits.difference[kept])
