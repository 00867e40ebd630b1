"""Cells of an embedding index: into which of FAISS's inverted lists every saved vector belongs.

What k-means found is the one thing about an IndexIVFFlat that is dear to make, so it alone is kept
in a file: the centroids, and the cell of every row, by track. FAISS never reads a file. A track's
cells follow from the centroids alone, so a file stays right for the tracks that it names whatever
is added or removed beside them; rows that it does not name are assigned when the index is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError

MAX_LISTS = 1 << 16
TRAINING_ROWS = 64
"""Rows a cell that k-means looks at."""
_ROUNDS = 10
_SEED = 20_261_102
_AT_ONCE = 16_384
_REMEDY = "delete the file: it is made again from the index's tracks"


@dataclass(frozen=True, eq=False)
class Cells:
    """Centroids, and the cell of every row of the tracks that were there when it was saved."""

    centroids: NDArray[np.float32]
    """(L, D) of length 1."""
    by_track: Mapping[str, NDArray[np.uint16]]
    """SHA-256 of a track -> the cell of each of its rows."""


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


def assigned(units: NDArray[np.float32], centroids: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(R,) the cell of each unit vector (R, D): that of the most similar centroid."""
    cells = np.empty(len(units), np.uint16)
    for start in range(0, len(units), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        cells[part] = np.argmax(units[part] @ centroids.T, axis=1)
    return cells


def encode_cells(cells: Cells) -> bytes:
    """safetensors: centroids, the tracks' SHA-256 (E, 32), rows of each (E,), cells of all rows."""
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


def decode_cells(data: bytes, *, dim: int, where: str) -> Cells:
    """The cells in `data`, whose SHA-256 the caller has checked, of vectors of `dim` numbers.

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
    types = [each.dtype for each in (centroids, cells, tracks, rows)]
    if (
        types != [np.float32, np.uint16, np.uint8, np.int64]
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
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(R,) the cell of each row, and which rows have none saved.

    digests: SHA-256 of E tracks that lie one after another. ends: (E + 1,) where each begins and
    the last one ends.
    """
    found = np.zeros(int(ends[-1]), np.int64)
    missing = np.ones(len(found), np.bool_)
    for digest, start, stop in zip(digests, ends[:-1], ends[1:], strict=True):
        saved = cells.by_track.get(digest)
        if saved is not None and len(saved) == stop - start:
            found[start:stop] = saved
            missing[start:stop] = False
    return found, missing
