"""Vectors: what a search over an index finds is what comparing every pair finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.exemplars.synthetic import MODEL, exemplar, keypoints, tracks
from vscan.exemplars import structures
from vscan.exemplars.cells import Cells, assigned, trained
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.rows import SignalRows
from vscan.exemplars.vectors import SignalVectors, VectorHits, unit_rows
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.hashes.keypoints import FEATURE_BYTES
from vscan.hashes.pdq import hamming

LIMIT = {"embedding": 0.3, "pdq": 31, "keypoints": 40}
LEAST_RECALL = {"embedding": 0.95, "pdq": 1.0, "keypoints": 0.6}


def full_index(path: Path, names: str = "abc") -> ExemplarIndex:
    """An index of every signal."""
    create_index(path, name="known", model=MODEL, signals=("embedding", "pdq", "keypoints"))
    with IndexWriter(path) as writer:
        for seed, name in enumerate(names):
            writer.add(exemplar(name), tracks(seed) | {"keypoints": keypoints(seed)})
    return ExemplarIndex.open(path)


def plain(index: ExemplarIndex, signal: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Every vector, and (row, slot) of each, taken from the rows one by one."""
    rows = index.rows(signal)
    if signal != "keypoints":
        return rows.values, np.array([(row, 0) for row in range(len(rows))])
    slots = rows.values.reshape(len(rows), -1, FEATURE_BYTES)
    where = [
        (row, slot)
        for row in range(len(rows))
        for slot in range(slots.shape[1])
        if slots[row, slot, -1] != 255
    ]
    return np.stack([slots[row, slot, :32] for row, slot in where]), np.array(where)


def near(values: NDArray[Any], signal: str, seed: int) -> NDArray[Any]:
    """Queries that lie near some of the vectors, at all distances around the limit."""
    rng = np.random.default_rng(seed)
    chosen = values[rng.integers(0, len(values), 60)]
    if signal == "embedding":
        noise = rng.normal(size=chosen.shape) * rng.uniform(0, 0.2, (60, 1))
        return unit_rows(chosen.astype(np.float32) + noise)
    bits = np.unpackbits(chosen, axis=1)
    for row, flips in enumerate(rng.integers(0, int(LIMIT[signal]) + 10, 60)):
        bits[row, rng.choice(256, flips, replace=False)] ^= 1
    return np.packbits(bits, axis=1)


def differences(queries: NDArray[Any], values: NDArray[Any], signal: str) -> NDArray[Any]:
    """(Q, V) of every pair."""
    if signal == "embedding":
        return 1.0 - queries.astype(np.float64) @ unit_rows(values).astype(np.float64).T
    return hamming(queries[:, None], values[None]).astype(np.float64)


def pairs(hits: VectorHits) -> set[tuple[int, int, int]]:
    """Query, row and slot of every hit."""
    return set(zip(hits.query.tolist(), hits.row.tolist(), hits.slot.tolist(), strict=True))


@pytest.mark.parametrize("signal", list(LIMIT))
def test_range_search_finds_every_vector_within_the_limit(tmp_path: Path, signal: str) -> None:
    """Row, slot and difference of every pair within the limit, and no other."""
    index = full_index(tmp_path)
    values, where = plain(index, signal)
    queries = near(values, signal, 1)
    apart = differences(queries, values, signal)
    hits = index.vectors(signal).range_search(queries, LIMIT[signal])
    query, at = np.nonzero(apart <= LIMIT[signal])
    assert len(values) == len(index.vectors(signal))
    assert 20 < len(query)
    assert {(q, *where[v].tolist()) for q, v in zip(query.tolist(), at, strict=True)} == pairs(hits)
    assert np.allclose(apart[query, at], hits.difference, atol=1e-5)


@pytest.mark.parametrize("signal", list(LIMIT))
def test_nearest_finds_the_nearest_within_the_limit(tmp_path: Path, signal: str) -> None:
    """Of each query the k nearest vectors, of those within the limit."""
    index = full_index(tmp_path)
    values, _ = plain(index, signal)
    queries = near(values, signal, 2)
    apart = differences(queries, values, signal)
    hits = index.vectors(signal).nearest(queries, 3, LIMIT[signal])
    expected = np.sort(apart, axis=1)[:, :3]
    for query in range(len(queries)):
        within = expected[query][expected[query] <= LIMIT[signal]]
        assert np.allclose(within, np.sort(hits.difference[hits.query == query]), atol=1e-5)
    assert 3 * len(queries) == len(index.vectors(signal).nearest(queries, 3))


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("signal", list(LIMIT))
def test_large_indexes_find_what_small_ones_find(tmp_path: Path, signal: str) -> None:
    """The structure for many vectors finds what comparing every one finds: all PDQ hashes, nearly
    all embeddings, and of random descriptors, which lie in no clusters, most; nothing else."""
    index = full_index(tmp_path, "abcdefgh")
    vectors = index.vectors(signal)
    assert structures.TYPES[signal][1] == vectors.kind == index.manifest.search[signal].type
    values, _ = plain(index, signal)
    queries = near(values, signal, 3)
    flat = SignalVectors(index.rows(signal), kind=structures.TYPES[signal][0])
    for found, expected in (
        (vectors.range_search(queries, LIMIT[signal]), flat.range_search(queries, LIMIT[signal])),
        (vectors.nearest(queries, 1, LIMIT[signal]), flat.nearest(queries, 1, LIMIT[signal])),
        (vectors.nearest(queries, 1), flat.nearest(queries, 1)),
    ):
        recall = len(pairs(found) & pairs(expected)) / len(expected)
        assert LEAST_RECALL[signal] <= recall
        assert signal != "pdq" or np.allclose(found.difference, expected.difference)
        assert len(found) <= len(expected)


def test_many_embeddings_are_found_in_few_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an eighth of the cells looked at, vectors near a query are found all the same."""
    monkeypatch.setattr(structures, "PROBES", 16)
    rng = np.random.default_rng(1)
    values = unit_rows(rng.normal(size=(5000, 64)))
    near_them = unit_rows(values[::25] + rng.normal(size=(200, 64)) * 0.04)
    centroids = trained(values, 128)
    cells = Cells(centroids, {"0": assigned(values[:4000], centroids)})
    rows = SignalRows(
        "embedding",
        (np.arange(5000) >= 4000).astype(np.int32),
        np.arange(5000.0),
        np.full(5000, 90, np.uint8),
        np.zeros(5000, np.uint8),
        values.astype(np.float16),
    )
    vectors = SignalVectors(rows, kind="IndexIVFFlat", cells=cells, digests=["0", "1"])
    hits = vectors.range_search(near_them, 0.1)
    expected = SignalVectors(rows, kind="IndexFlatIP").range_search(near_them, 0.1)
    assert len(expected) >= 200
    assert len(pairs(hits) & pairs(expected)) / len(expected) >= 0.99


@pytest.mark.usefixtures("large")
def test_hashes_beyond_the_tables_are_compared_one_by_one(tmp_path: Path) -> None:
    """A limit that the tables do not reach is answered in full."""
    index = full_index(tmp_path)
    queries = near(plain(index, "pdq")[0], "pdq", 4)
    hits = index.vectors("pdq").range_search(queries, 100)
    flat = SignalVectors(index.rows("pdq"), kind="IndexBinaryFlat")
    assert pairs(flat.range_search(queries, 100)) == pairs(hits)


@pytest.mark.parametrize("signal", list(LIMIT))
@pytest.mark.usefixtures("large")
def test_what_may_not_match_is_not_searched(tmp_path: Path, signal: str) -> None:
    """Disabled, quarantined and expired exemplars and blank pictures are near nothing."""
    path = tmp_path / "known"
    full_index(path, "abcde")
    blank = tracks(7) | {"keypoints": keypoints(7)}
    blank["pdq"] = replace(blank["pdq"], quality=np.zeros(40, np.uint8))
    with IndexWriter(path) as writer:
        writer.update(exemplar("a").id, enabled=False)
        writer.update(exemplar("b").id, quarantined="matched everything")
        writer.update(exemplar("c").id, expires_at="2026-12-01T00:00:00Z")
        writer.add(exemplar("f"), blank)
    index = ExemplarIndex.open(path, now="2026-12-01T00:00:00Z")
    assert [False, False, False, True, True, True] == index.active.tolist()
    rows = index.rows(signal)
    values, where = plain(index, signal)
    owner = rows.exemplar[where[:, 0]]
    assert set(range(6)) == set(owner.tolist())
    queries = near(values, signal, 5)
    hits = index.vectors(signal).nearest(queries, 3, LIMIT[signal])
    assert {3, 4} == set(rows.exemplar[hits.row].tolist())
    assert np.isin(owner, (3, 4)).sum() == len(index.vectors(signal))


@pytest.mark.parametrize("signal", list(LIMIT))
def test_nothing_to_search(tmp_path: Path, signal: str) -> None:
    """An empty index, and no queries, find nothing."""
    width, dtype = (32, np.float32) if signal == "embedding" else (32, np.uint8)
    empty = full_index(tmp_path / "empty", "").vectors(signal)
    full = full_index(tmp_path / "full", "a").vectors(signal)
    for vectors, count in ((empty, 3), (full, 0)):
        queries = np.zeros((count, width), dtype)
        assert (0, 0) == (
            len(vectors.range_search(queries, 0.1)), len(vectors.nearest(queries, 2)),
        )  # fmt: skip
