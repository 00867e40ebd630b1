"""FAISS's inverted lists over the vectors of an index, put together from the cells that are saved.

Nothing is assigned that was assigned before: only vectors without a saved cell are compared with
the centroids. FAISS is told the list of every vector (`add_core`) and compares nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars import cells as cell_file
from vscan.exemplars import structures
from vscan.exemplars.cells import Cells
from vscan.exemplars.row_vectors import slots_of, unit_rows, vectors_at
from vscan.exemplars.rows import SignalRows

_SEED = 20_261_102
_AT_ONCE = 65_536
"""Vectors that are copied at once."""


def inverted_lists(
    rows: SignalRows,
    every: NDArray[np.int64],
    searched: NDArray[np.bool_],
    cells: Cells | None,
    digests: Sequence[str],
) -> Any:
    """An IndexIVFFlat of embeddings, or an IndexBinaryIVF of descriptors.

    every: (V,) vector_ids(rows). searched: (V,) which of them it is over; its own ids are positions
    among these. cells: None for descriptors of which no cells are saved: centroids are drawn from
    them. digests: SHA-256 of each exemplar's track.
    """
    ids = every[searched]
    if cells is None:
        cells = Cells(_drawn(rows, ids), {})
    first_rows = np.searchsorted(rows.exemplar, np.arange(len(digests)))
    ends = np.append(np.searchsorted(every, first_rows * slots_of(rows)), len(every))
    cell, missing = cell_file.saved_cells(cells, digests, ends)
    cell, unknown = cell[searched], np.flatnonzero(missing[searched])
    for start in range(0, len(unknown), _AT_ONCE):
        part = unknown[start : start + _AT_ONCE]
        cell[part] = cell_file.assigned(vectors_at(rows, ids[part]), cells.centroids)
    return _filled(rows, ids, cell, cells.centroids)


def _drawn(rows: SignalRows, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Centroids for descriptors that have none."""
    lists = structures.lists_for(rows.signal, len(ids))
    count = min(len(ids), lists * cell_file.SAMPLED[rows.signal])
    some = np.random.default_rng(_SEED).choice(len(ids), count, replace=False)
    return cell_file.drawn(vectors_at(rows, ids[some]), lists)


def _filled(
    rows: SignalRows, ids: NDArray[np.int64], cell: NDArray[np.uint16], centroids: NDArray[Any]
) -> Any:
    """The structure with every vector in the list of its cell (V,)."""
    import faiss

    index = _empty(centroids)
    for at, size in enumerate(np.bincount(cell, minlength=len(centroids)).tolist()):
        # A list that grows takes up to twice its size; one that was as large already does not.
        index.invlists.resize(at, size)
        index.invlists.resize(at, 0)
    for start in range(0, len(ids), _AT_ONCE):
        part = np.arange(start, min(start + _AT_ONCE, len(ids)))
        vectors, into = vectors_at(rows, ids[part]), cell[part].astype(np.int64)
        if rows.signal == "embedding":
            vectors = unit_rows(vectors)
        held = [np.ascontiguousarray(each) for each in (vectors, part, into)]
        index.add_core(len(part), *(faiss.swig_ptr(each) for each in held))
    return index


def _empty(centroids: NDArray[Any]) -> Any:
    import faiss

    lists, width = centroids.shape
    quantizer: Any
    index: Any
    if centroids.dtype == np.uint8:
        quantizer = faiss.IndexBinaryFlat(8 * width)
        index = faiss.IndexBinaryIVF(quantizer, 8 * width, lists)
        index.nprobe = min(structures.BINARY_PROBES, lists)
    else:
        quantizer = faiss.IndexFlatIP(width)
        index = faiss.IndexIVFFlat(quantizer, width, lists, faiss.METRIC_INNER_PRODUCT)
        index.nprobe = min(structures.PROBES, lists)
    quantizer.add(np.ascontiguousarray(centroids))
    index.is_trained = True
    return index
