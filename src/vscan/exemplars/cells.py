"""Cells of a signal: into which of FAISS's inverted lists every saved vector belongs.

Which list is nearest is the one thing about inverted lists that is dear to find out, so it alone is
kept in a file: the centroids, and the cell of every vector, by track. FAISS never reads a file. A
track's cells follow from the centroids alone, so a file stays right for the tracks that it names
whatever is added or removed beside them; vectors of others are assigned when the index is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError
from vscan.exemplars.row_vectors import unit_rows
from vscan.exemplars.threads import alone
from vscan.hashes.pdq import hamming

MAX_LISTS = 1 << 16
TRAINING_ROWS = 64
"""Vectors a cell that k-means looks at."""
SAMPLED = {"embedding": TRAINING_ROWS, "keypoints": 4}
"""By signal, vectors a cell of which the centroids are made: descriptors are drawn, each once."""
_ROUNDS = 10
_SEED = 20_261_102
_AT_ONCE = 16_384
_AS_NEAR = 1e-4
"""Cosine by which another cell may be nearer than the saved one: rounding of another machine."""
_REMEDY = "delete the file: it is made again from the index's tracks"


@dataclass(frozen=True, eq=False)
class Cells:
    """Centroids, and the cell of every vector of the tracks that were there when it was saved."""

    centroids: NDArray[np.float32] | NDArray[np.uint8]
    """(L, D) float32 of length 1 for embeddings, (L, 32) uint8 for descriptors."""
    by_track: Mapping[str, NDArray[np.uint16]]
    """SHA-256 of a track -> the cell of each of its vectors (row_vectors.vectors_in)."""


def made_of(sample: NDArray[Any], lists: int) -> NDArray[np.float32] | NDArray[np.uint8]:
    """Centroids for vectors like those of the sample: trained for embeddings, else drawn."""
    if sample.dtype == np.uint8:
        return drawn(sample, lists)
    return trained(unit_rows(sample), lists)


def drawn(sample: NDArray[np.uint8], lists: int) -> NDArray[np.uint8]:
    """(L, D) centroids of descriptors (S, D): `lists` of them, or as many as differ.

    Drawn at random they serve descriptors as well as k-means' would (they are spread evenly), and
    cost no training. Of equal ones, which stills bring, all but one would have empty lists.
    """
    apart = np.unique(sample, axis=0)
    if len(apart) > lists:
        chosen = np.random.default_rng(_SEED).choice(len(apart), lists, replace=False)
        apart = apart[np.sort(chosen)]
    return np.ascontiguousarray(apart, np.uint8)


def trained(sample: NDArray[np.float32], lists: int) -> NDArray[np.float32]:
    """(lists, D) centroids of a sample (S, D) of unit vectors, S >= lists: spherical k-means."""
    import faiss

    means = faiss.Kmeans(
        sample.shape[1],
        lists,
        niter=_ROUNDS,
        seed=_SEED,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=TRAINING_ROWS,
    )
    means.train(np.ascontiguousarray(sample))
    return np.ascontiguousarray(means.centroids, np.float32)


def assigned(
    vectors: NDArray[Any], centroids: NDArray[np.float32] | NDArray[np.uint8]
) -> NDArray[np.uint16]:
    """(V,) the cell of each vector (V, D): that of the most similar centroid.

    vectors: embeddings of any length, or uint8 descriptors, as the centroids are.
    """
    cells = np.empty(len(vectors), np.uint16)
    nearest = _nearest_bits if centroids.dtype == np.uint8 else _nearest_cosine
    for start in range(0, len(vectors), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        cells[part] = nearest(vectors[part], centroids)
    return cells


def misplaced(vectors: NDArray[Any], cells: NDArray[np.uint16], centroids: NDArray[Any]) -> bool:
    """Whether the saved cell of a vector (V, D) is not that of the nearest centroid."""
    nearest = assigned(vectors, centroids)
    other = np.flatnonzero(nearest != cells)
    saved_apart = _apart(vectors[other], centroids[cells[other]])
    return bool((saved_apart - _apart(vectors[other], centroids[nearest[other]]) > _AS_NEAR).any())


def _nearest_cosine(vectors: NDArray[Any], centroids: NDArray[Any]) -> NDArray[Any]:
    cells: NDArray[Any] = np.argmax(unit_rows(vectors) @ centroids.T, axis=1)
    return cells


def _nearest_bits(vectors: NDArray[Any], centroids: NDArray[Any]) -> NDArray[Any]:
    import faiss

    alone()
    flat = faiss.IndexBinaryFlat(8 * centroids.shape[1])
    flat.add(np.ascontiguousarray(centroids))
    cells: NDArray[Any] = flat.search(np.ascontiguousarray(vectors), 1)[1][:, 0]
    return cells


def _apart(vectors: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """(V,) how far each vector is from the other beside it: in bits, or 1 - cosine."""
    if others.dtype == np.uint8:
        return hamming(vectors, others)
    similar: NDArray[Any] = np.einsum("vd,vd->v", unit_rows(vectors), others)
    return 1.0 - similar


def encode_cells(cells: Cells) -> bytes:
    """safetensors: centroids, the tracks' SHA-256 (E, 32), vectors of each (E,), cells of all."""
    from safetensors.numpy import save

    names = sorted(cells.by_track)
    digests = np.frombuffer(bytes.fromhex("".join(names)), np.uint8).reshape(-1, 32)
    arrays: dict[str, NDArray[Any]] = {
        "centroids": np.ascontiguousarray(cells.centroids),
        "tracks": np.ascontiguousarray(digests),
        "rows": np.array([len(cells.by_track[name]) for name in names], np.int64),
        "cells": np.concatenate(
            [np.empty(0, np.uint16), *(cells.by_track[name] for name in names)]
        ),
    }
    return save(arrays)


def decode_cells(data: bytes, *, signal: str, dim: int, where: str) -> Cells:
    """The cells in `data`, whose SHA-256 the caller has checked, of vectors of `dim` numbers.

    signal: `embedding`, or `keypoints`, whose centroids are of bytes.
    Raises ExemplarIndexError where they are not such cells: what is built of them is FAISS's.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
        centroids, cells = arrays["centroids"], arrays["cells"]
        tracks, rows = arrays["tracks"], arrays["rows"]
    except (SafetensorError, KeyError, ValueError) as error:
        raise ExemplarIndexError(f"{where}: not cells: {error}", remedy=_REMEDY) from error
    number = np.float32 if signal == "embedding" else np.uint8
    types = [each.dtype for each in (centroids, cells, tracks, rows)]
    if (
        types != [number, np.uint16, np.uint8, np.int64]
        or centroids.ndim != 2
        or centroids.shape[1] != dim
        or not 1 <= len(centroids) <= MAX_LISTS
        or not np.isfinite(centroids).all()
        or tracks.shape != (len(rows), 32)
        or rows.shape != (len(rows),)
        or cells.ndim != 1
        or (rows < 0).any()
        or (rows > len(cells)).any()
        or rows.sum() != len(cells)
        or (len(cells) and cells.max() >= len(centroids))
    ):
        raise ExemplarIndexError(f"{where}: its arrays do not make cells", remedy=_REMEDY)
    ends = np.cumsum(rows)
    return Cells(
        centroids,
        {
            tracks[each].tobytes().hex(): cells[ends[each] - rows[each] : ends[each]]
            for each in range(len(rows))
        },
    )


def saved_cells(
    cells: Cells, digests: Sequence[str], ends: NDArray[np.int64]
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """(V,) the cell of each vector, and which vectors have none saved.

    digests: SHA-256 of E tracks that lie one after another. ends: (E + 1,) where each begins and
    the last one ends.
    """
    found = np.zeros(int(ends[-1]), np.uint16)
    missing = np.ones(len(found), np.bool_)
    for digest, start, stop in zip(digests, ends[:-1], ends[1:], strict=True):
        saved = cells.by_track.get(digest)
        if saved is not None and len(saved) == stop - start:
            found[start:stop] = saved
            missing[start:stop] = False
    return found, missing
