"""How fast a large exemplar index is searched, how much of what is there it finds, and its memory.

Vectors are random, with others planted near some of them at every distance up to the limit. Every
figure stands beside that of FAISS's flat index on the same vectors, in the same run.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars import cells, structures
from vscan.exemplars.cells import Cells
from vscan.exemplars.rows import SignalRows
from vscan.exemplars.vectors import SignalVectors, VectorHits, unit_rows
from vscan.hashes.keypoints import DESCRIPTOR_BYTES, EXEMPLAR_FEATURES, FEATURE_BYTES
from vscan.hashes.pdq import DIHEDRAL_COUNT, MATCH_DISTANCE

SEED = 7
QUERY_FRAMES = 60
PDQ_HASHES = 1_000_000
EMBEDDINGS, DIM, SIMILARITY = 100_000, 512, 0.9
KEYPOINT_FRAMES = 10_000
KEYPOINT_QUERIES = 3 * EXEMPLAR_FEATURES
KEYPOINT_BITS, NEIGHBOURS = 56, 6
_CORES = 2
_REPEATS = 3


def measure() -> Iterator[tuple[str, str]]:
    """Rows by signal: seconds of a search, ratio to flat, recall, seconds and MB to build."""
    import faiss

    faiss.omp_set_num_threads(_CORES)
    yield from _pdq()
    yield from _embedding()
    yield from _keypoints()


def _pdq() -> Iterator[tuple[str, str]]:
    rng = np.random.default_rng(SEED)
    before = resident_mb()
    rows = rows_of("pdq", rng.integers(0, 256, (PDQ_HASHES, 32), np.uint8))
    queries, planted = near_hashes(rows.values, QUERY_FRAMES * DIHEDRAL_COUNT, MATCH_DISTANCE, rng)
    what = f"pdq, {PDQ_HASHES // 1000:,}k, {len(queries)} queries"
    yield from _compared(
        what, rows, lambda it: it.range_search(queries, MATCH_DISTANCE), planted, before
    )


def _embedding() -> Iterator[tuple[str, str]]:
    rng = np.random.default_rng(SEED)
    before = resident_mb()
    values = unit_rows(rng.normal(size=(EMBEDDINGS, DIM)).astype(np.float32))
    rows = rows_of("embedding", values.astype(np.float16))
    chosen = rng.integers(0, EMBEDDINGS, QUERY_FRAMES)
    across = rng.normal(size=(QUERY_FRAMES, DIM)).astype(np.float32)
    across -= np.einsum("qd,qd->q", across, values[chosen])[:, None] * values[chosen]
    angle = np.linspace(0, np.arccos(SIMILARITY) * 0.99, QUERY_FRAMES)[:, None]
    queries = unit_rows(np.cos(angle) * values[chosen] + np.sin(angle) * unit_rows(across))
    saved, took = _cells("embedding", values, rng)
    del values
    what = f"embedding, {EMBEDDINGS // 1000}k of {DIM}, {QUERY_FRAMES} queries"
    yield f"{what}: to make {len(saved.centroids)} cells, once, s", f"{took:.1f}"
    yield from _compared(
        what, rows, lambda it: it.range_search(queries, 1 - SIMILARITY), chosen, before, saved
    )


def _keypoints() -> Iterator[tuple[str, str]]:
    rng = np.random.default_rng(SEED)
    before = resident_mb()
    features = rng.integers(0, 255, (KEYPOINT_FRAMES, EXEMPLAR_FEATURES, FEATURE_BYTES), np.uint8)
    rows = rows_of("keypoints", features.reshape(KEYPOINT_FRAMES, -1))
    descriptors = features.reshape(-1, FEATURE_BYTES)[:, :DESCRIPTOR_BYTES]
    what = f"keypoints, {len(descriptors) // 1000:,}k, {KEYPOINT_QUERIES} queries"
    saved, took = _cells("keypoints", descriptors, rng)
    yield f"{what}: to make {len(saved.centroids)} cells, once, s", f"{took:.1f}"
    for bits in (24, 40, KEYPOINT_BITS):
        queries, planted = near_hashes(descriptors, KEYPOINT_QUERIES, bits, rng, least=bits - 7)

        def search(it: SignalVectors, queries: NDArray[np.uint8] = queries) -> VectorHits:
            return it.nearest(queries, NEIGHBOURS, KEYPOINT_BITS)

        some = f"{what} {bits - 7}..{bits} bits away"
        yield from _compared(some, rows, search, planted, before, saved)


def _cells(signal: str, vectors: NDArray[Any], rng: np.random.Generator) -> tuple[Cells, float]:
    """What an index of those vectors would have saved, and the seconds that it takes to make it."""
    begun = time.perf_counter()
    lists = structures.lists_for(signal, len(vectors))
    sample = vectors[rng.permutation(len(vectors))[: lists * cells.SAMPLED[signal]]]
    centroids = cells.made_of(sample, lists)
    saved = Cells(centroids, {"0": cells.assigned(vectors, centroids)})
    return saved, time.perf_counter() - begun


def _compared(
    what: str,
    rows: SignalRows,
    search: Callable[[SignalVectors], VectorHits],
    planted: NDArray[np.int64],
    before_mb: float,
    saved: Cells | None = None,
) -> Iterator[tuple[str, str]]:
    """The structure for many vectors against the flat one. planted: the vector near each query."""
    flat_kind, fast_kind = structures.TYPES[rows.signal]
    gc.collect()
    begun = time.perf_counter()
    fast = SignalVectors(rows, kind=fast_kind, cells=saved, digests=["0"])
    built = time.perf_counter() - begun
    hits, took = _timed(search, fast)
    memory = resident_mb() - before_mb
    del fast
    expected, flat_took = _timed(search, SignalVectors(rows, kind=flat_kind))
    slots = 1 << 20
    found = set(zip(hits.query.tolist(), (hits.row * slots + hits.slot).tolist(), strict=True))
    there = set(
        zip(expected.query.tolist(), (expected.row * slots + expected.slot).tolist(), strict=True)
    )
    each = planted // EXEMPLAR_FEATURES * slots + planted % EXEMPLAR_FEATURES
    wanted = each if rows.signal == "keypoints" else planted * slots
    near = sum((query, int(id_)) in found for query, id_ in enumerate(wanted))
    yield f"{what}: {fast_kind}, s", f"{took:.3f}"
    yield f"{what}: {flat_kind}, s", f"{flat_took:.3f}"
    yield f"{what}: flat / {fast_kind}", f"{flat_took / took:.1f}"
    yield f"{what}: recall against flat", f"{len(found & there) / max(1, len(there)):.4f}"
    yield f"{what}: planted ones found", f"{near / len(planted):.4f}"
    yield f"{what}: built in, s", f"{built:.2f}"
    yield f"{what}: with the rows, MB", f"{memory:.0f}"


def _timed(
    search: Callable[[SignalVectors], VectorHits], vectors: SignalVectors
) -> tuple[VectorHits, float]:
    """What it finds, and the median seconds of a search, the first left out."""
    hits, took = search(vectors), []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        search(vectors)
        took.append(time.perf_counter() - begun)
    return hits, float(np.median(took))


def rows_of(signal: str, values: NDArray[Any]) -> SignalRows:
    """Rows of one exemplar."""
    count = len(values)
    return SignalRows(
        signal,
        np.zeros(count, np.int32),
        np.arange(count, dtype=np.float64),
        np.full(count, 100, np.uint8),
        np.zeros(count, np.uint8),
        values,
    )


def near_hashes(
    values: NDArray[Any], count: int, most: int, rng: np.random.Generator, least: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Queries (count, 32), and the position of the vector that each lies least..most bits from."""
    chosen = rng.integers(0, len(values), count)
    bits = np.unpackbits(values[chosen], axis=1)
    for query in range(count):
        flips = least + query % (most + 1 - least)
        bits[query, rng.choice(bits.shape[1], flips, replace=False)] ^= 1
    return np.packbits(bits, axis=1), chosen


def resident_mb() -> float:
    """Memory of this process that is in use, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
