"""The vectors of an exemplar index's rows: what is compared at once with what a source brings.

A vector is a row's embedding, a row's PDQ hash, or the descriptor of one keypoint feature, of which
a row has many slots, not all of them used.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.rows import SignalRows
from vscan.hashes.keypoints import DESCRIPTOR_BYTES, FEATURE_BYTES, UNUSED


def slots_of(rows: SignalRows) -> int:
    """Slots of a row: 1 where it is one vector, or as many as it has room for features."""
    return max(1, rows.values.shape[1] // FEATURE_BYTES) if rows.signal == "keypoints" else 1


def vector_ids(rows: SignalRows) -> NDArray[np.int64]:
    """(V,) where every vector stands: row * slots + slot, ascending."""
    if rows.signal != "keypoints":
        return np.arange(len(rows), dtype=np.int64)
    return np.flatnonzero(_used(rows.values)).astype(np.int64, copy=False)


def vectors_at(rows: SignalRows, ids: NDArray[np.int64]) -> NDArray[Any]:
    """(n, D) the vectors that stand there, as stored."""
    if rows.signal != "keypoints":
        return rows.values[ids]
    return _features(rows.values)[ids, :DESCRIPTOR_BYTES]


def vectors_in(signal: str, values: NDArray[Any]) -> NDArray[Any]:
    """(V, D) the vectors of a track's values (T, W), in the order of vector_ids."""
    if signal != "keypoints":
        return values
    return _features(values)[_used(values), :DESCRIPTOR_BYTES]


def used_vectors(signal: str, values: NDArray[Any]) -> int:
    """How many vectors a track's values hold."""
    return int(np.count_nonzero(_used(values))) if signal == "keypoints" else len(values)


def unit_rows(values: NDArray[Any]) -> NDArray[np.float32]:
    """(R, D) rows in float32, scaled to length 1; rows of zeros stay zero.

    Float16 rounds the length of a vector as well as its direction.
    """
    rows = np.ascontiguousarray(values, np.float32)
    length = np.sqrt(np.einsum("rd,rd->r", rows, rows))[:, None]
    unit = rows / np.where(length > 0, length, np.float32(1))
    return unit.astype(np.float32, copy=False)


def _features(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(values.size // FEATURE_BYTES, FEATURE_BYTES)


def _used(values: NDArray[Any]) -> NDArray[np.bool_]:
    used: NDArray[np.bool_] = _features(values)[:, -1] != UNUSED
    return used
