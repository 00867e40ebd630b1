"""FAISS indexes of an exemplar index: built from tracks, and read from files only under guard.

A FAISS file is a program for FAISS's reader: half of all altered ones load without complaint, some
allocate gigabytes, and on-disk inverted lists open further files. So: SHA-256 before reading (the
caller's, see parts.py), an allow-list of types by their four-byte mark and again by class, limits
on what the reader may allocate, and dimension and count as the manifest says.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError
from vscan.hashes.pdq import HASH_BITS

FaissIndex = Any
"""A faiss.Index or faiss.IndexBinary; FAISS has no types of its own for Python."""

TYPES: dict[str, str] = {"embedding": "IndexFlatIP", "pdq": "IndexBinaryFlat"}
"""Class by signal: exhaustive search, exact, and best up to some hundred thousand rows."""
_MARKS: dict[str, bytes] = {"IndexFlatIP": b"IxFI", "IndexBinaryFlat": b"IBxF"}
"""First four bytes of a file of each allowed type."""
_HEADER_BYTES = 4096
"""What a flat index's file may hold beside its rows."""
_LIMITS = threading.Lock()
"""FAISS's limits belong to the process: one file is read at a time."""


def build(signal: str, values: NDArray[np.generic]) -> FaissIndex:
    """A FAISS index over `values`: (R, 32) uint8 of PDQ, or (R, D) of an embedding.

    Embeddings become float32 of length 1: float16 rounds the length as well as the direction.
    """
    import faiss

    if signal == "pdq":
        index: FaissIndex = faiss.IndexBinaryFlat(HASH_BITS)
        index.add(np.ascontiguousarray(values, np.uint8))
        return index
    index = faiss.IndexFlatIP(values.shape[1])
    index.add(unit_rows(values))
    return index


def unit_rows(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """(R, D) rows in float32, scaled to length 1; rows of zeros stay zero."""
    rows = np.ascontiguousarray(values, np.float32)
    length = np.sqrt(np.einsum("rd,rd->r", rows, rows))[:, None]
    unit = rows / np.where(length > 0, length, np.float32(1))
    return unit.astype(np.float32, copy=False)


def row_bytes(signal: str, dim: int) -> int:
    """Bytes that a row takes in a FAISS index of that signal; `dim` counts for embeddings."""
    return HASH_BITS // 8 if signal == "pdq" else dim * 4


def to_bytes(signal: str, index: FaissIndex) -> bytes:
    """The file's content for an index that `build` made."""
    import faiss

    serialize = faiss.serialize_index_binary if signal == "pdq" else faiss.serialize_index
    content: bytes = serialize(index).tobytes()
    return content


def from_bytes(signal: str, data: bytes, *, rows: int, dim: int, where: str) -> FaissIndex:
    """The FAISS index in `data`, whose SHA-256 the caller has checked.

    rows and dim (bits for PDQ, numbers for an embedding) are what it must turn out to hold.
    Raises ExemplarIndexError for any other type, size or shape, before FAISS sees the data where
    that can be told from its mark and its length.
    """
    import faiss

    kind = TYPES[signal]
    width = row_bytes(signal, dim)
    if data[:4] != _MARKS[kind]:
        raise _refused(where, f"not a FAISS {kind}, the only type allowed for {signal}")
    if not rows * width <= len(data) <= rows * width + _HEADER_BYTES:
        raise _refused(where, f"{len(data)} bytes cannot hold {rows} rows of {width} bytes")
    read = faiss.deserialize_index_binary if signal == "pdq" else faiss.deserialize_index
    with _LIMITS:
        faiss.set_deserialization_vector_byte_limit(len(data))
        faiss.set_deserialization_loop_limit(1 << 20)
        try:
            index = read(np.frombuffer(data, np.uint8))
        except RuntimeError as error:
            raise _refused(where, "FAISS cannot read it") from error
    if type(index).__name__ != kind or index.ntotal != rows or index.d != dim:
        raise _refused(where, f"holds {index.ntotal} rows of {index.d}, not {rows} of {dim}")
    return index


def _refused(where: str, why: str) -> ExemplarIndexError:
    return ExemplarIndexError(
        f"{where}: {why}",
        remedy="delete the file: it is made again from the index's tracks",
    )
