"""What searches one signal of an exemplar index: query vectors against every vector that it holds.

What a vector is, row_vectors.py says.
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
from vscan.exemplars.cells import Cells
from vscan.exemplars.inverted import inverted_lists
from vscan.exemplars.row_vectors import slots_of, vector_ids, vectors_at
from vscan.exemplars.row_vectors import unit_rows as unit_rows
from vscan.exemplars.rows import SignalRows
from vscan.exemplars.threads import alone

_ROUNDING = 1e-6
"""Float32 cosines are this exact: nothing that is on a limit may be lost to rounding."""


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
        cells: the saved ones, for structures.INVERTED; an IndexIVFFlat there is only with them.
        digests: SHA-256 of each exemplar's track, for the cells.
        """
        self.signal = rows.signal
        every, self._slots = vector_ids(rows), slots_of(rows)
        searched = np.ones(len(every), np.bool_) if which is None else which[every // self._slots]
        self._rows = rows
        self._ids = every[searched]
        """(V,) row * slots + slot of each vector."""
        self.kind = kind or structures.type_for(rows.signal, len(self))
        if self.kind == "IndexIVFFlat" and cells is None:
            self.kind = "IndexFlatIP"
        self._flat: Any = None
        self._building = threading.Lock()
        if self.kind in structures.INVERTED:
            self._searcher: Any = inverted_lists(rows, every, searched, cells, digests)
        elif self.kind == "BitTables":
            bits = structures.key_bits_for(self.signal, len(self))
            self._searcher = BitTables(vectors_at(rows, self._ids).astype(np.uint8), bits)
        else:
            self._searcher = self._every_one()

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
            alone()
            limits, cosine, at = self._searcher.range_search(values, 1.0 - limit - _ROUNDING)
            return self._hits(_by_query(limits), at, 1.0 - cosine.astype(np.float64))
        values, bits = np.ascontiguousarray(queries, np.uint8), int(limit)
        recall = structures.RECALL[self.signal]
        if self.kind == "BitTables" and self._searcher.radii(bits, recall) is not None:
            return self._hits(*self._searcher.range_search(values, bits, recall=recall))
        alone()
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
            alone()
            cosine, at = self._searcher.search(values, k)
            difference = 1.0 - cosine.astype(np.float64)
        else:
            values = np.ascontiguousarray(queries, np.uint8)
            alone()
            difference, at = (searcher or self._every_one()).search(values, k)
        keep = at >= 0
        if limit is not None:
            keep &= difference <= limit + (_ROUNDING if self.signal == "embedding" else 0.0)
        query, place = np.nonzero(keep)
        return self._hits(query, at[query, place], difference[query, place])

    def _every_one(self) -> Any:
        """A flat index: for few vectors, and of hashes where the others do not reach; built once,
        when it is needed."""
        with self._building:
            if self._flat is None:
                self._flat = _flat(self.signal, vectors_at(self._rows, self._ids))
            return self._flat

    def _hits(self, query: NDArray[Any], at: NDArray[Any], difference: NDArray[Any]) -> VectorHits:
        ids = self._ids[at]
        row, slot = ids // self._slots, ids % self._slots
        order = np.lexsort((slot, row, query))
        apart = np.maximum(difference.astype(np.float64), 0.0)
        return VectorHits(query[order].astype(np.int64), row[order], slot[order], apart[order])


def _flat(signal: str, vectors: NDArray[Any]) -> Any:
    import faiss

    embedding = signal == "embedding"
    index: Any = faiss.IndexFlatIP(vectors.shape[1]) if embedding else faiss.IndexBinaryFlat(BITS)
    index.add(unit_rows(vectors) if embedding else np.ascontiguousarray(vectors, np.uint8))
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
