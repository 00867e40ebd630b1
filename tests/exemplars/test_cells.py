"""Cells: kept as they were, and nothing that FAISS could be misled by is believed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load, save

from vscan.errors import ExemplarIndexError
from vscan.exemplars.cells import (
    Cells,
    assigned,
    decode_cells,
    drawn,
    encode_cells,
    misplaced,
    saved_cells,
    trained,
)
from vscan.exemplars.vectors import unit_rows
from vscan.hashes.pdq import hamming

DIM = 16


def units(count: int = 300) -> NDArray[np.float32]:
    """Random unit vectors."""
    return unit_rows(np.random.default_rng(1).normal(size=(count, DIM)))


def some_cells() -> Cells:
    """Cells of three tracks, one of them empty."""
    centroids = unit_rows(np.random.default_rng(2).normal(size=(8, DIM)))
    cells = assigned(units(), centroids)
    return Cells(centroids, {"aa" * 32: cells[:100], "bb" * 32: cells[:0], "0c" * 32: cells[100:]})


def descriptors(count: int = 300) -> NDArray[np.uint8]:
    """Random descriptors."""
    return np.random.default_rng(3).integers(0, 256, (count, 32), np.uint8)


def some_descriptors_cells() -> Cells:
    """Cells of three tracks of keypoints, one of them empty."""
    centroids = drawn(descriptors(), 8)
    cells = assigned(descriptors(), centroids)
    return Cells(centroids, {"aa" * 32: cells[:100], "bb" * 32: cells[:0], "0c" * 32: cells[100:]})


def read(data: bytes, signal: str = "embedding") -> Cells:
    """`decode_cells` of vectors of DIM numbers, or of descriptors."""
    dim = DIM if signal == "embedding" else 32
    return decode_cells(data, signal=signal, dim=dim, where="known/cells/x.safetensors")


@pytest.mark.parametrize(
    ("signal", "cells"), [("embedding", some_cells()), ("keypoints", some_descriptors_cells())]
)
def test_round_trip(signal: str, cells: Cells) -> None:
    """Centroids and the cells of every track come back as they were."""
    again = read(encode_cells(cells), signal)
    assert cells.centroids.dtype == again.centroids.dtype
    assert cells.centroids.tolist() == again.centroids.tolist()
    assert {name: cell.tolist() for name, cell in cells.by_track.items()} == {
        name: cell.tolist() for name, cell in again.by_track.items()
    }


def test_a_vector_lies_in_the_cell_of_the_most_similar_centroid() -> None:
    """Assigning is what comparing with every centroid says."""
    centroids = trained(units(), 8)
    similar = units().astype(np.float64) @ centroids.T.astype(np.float64)
    assert np.allclose(
        similar.max(axis=1), similar[np.arange(300), assigned(units(), centroids)], atol=1e-6
    )
    assert np.allclose(1.0, np.linalg.norm(centroids, axis=1), atol=1e-5)


def test_a_descriptor_lies_in_the_cell_of_the_centroid_of_fewest_bits() -> None:
    """Centroids are descriptors themselves, each another, and each lies in its own cell."""
    centroids = drawn(np.concatenate([descriptors()] * 2), 40)
    assert (40, 40) == (len(centroids), len(np.unique(centroids, axis=0)))
    assert {each.tobytes() for each in centroids} <= {each.tobytes() for each in descriptors()}
    assert list(range(40)) == assigned(centroids, centroids).tolist()
    bits = hamming(descriptors()[:, None], centroids[None])
    cells = assigned(descriptors(), centroids)
    assert bits.min(axis=1).tolist() == bits[np.arange(300), cells].tolist()
    assert 300 == len(drawn(descriptors(), 400))


@pytest.mark.parametrize(
    ("vectors", "cells"), [(units(), some_cells()), (descriptors(), some_descriptors_cells())]
)
def test_a_vector_in_another_cell_is_noticed(vectors: NDArray[Any], cells: Cells) -> None:
    """One cell that is farther than the nearest is; of two as near either will do."""
    right = assigned(vectors, cells.centroids)
    assert not misplaced(vectors, right, cells.centroids)
    for at in (0, 299):
        wrong = right.copy()
        wrong[at] = (wrong[at] + 1) % len(cells.centroids)
        assert misplaced(vectors, wrong, cells.centroids)
    twice = np.concatenate([cells.centroids, cells.centroids])
    later = (right + len(cells.centroids)).astype(np.uint16)
    assert not misplaced(vectors, later, twice)


def test_tracks_without_saved_cells_are_told() -> None:
    """Rows of tracks that are not saved, or were with another length, are missing."""
    cells = some_cells()
    found, missing = saved_cells(
        cells, ["0c" * 32, "ee" * 32, "aa" * 32], np.array([0, 200, 203, 210])
    )
    assert [False] * 200 + [True] * 10 == missing.tolist()
    assert cells.by_track["0c" * 32].tolist() == found[:200].tolist()


def change(name: str, array: Any) -> bytes:
    """The cells with one array replaced."""
    return save(load(encode_cells(some_cells())) | {name: np.ascontiguousarray(array)})


def _cell_out_of_range() -> NDArray[np.uint16]:
    cells = load(encode_cells(some_cells()))["cells"].astype(np.uint16)
    cells[7] = 8
    return cells


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 100,
        save({"centroids": np.zeros((8, DIM), np.float32)}),
        change("centroids", np.zeros((8, DIM + 1), np.float32)),
        change("centroids", np.zeros((8, DIM), np.float64)),
        change("centroids", np.full((8, DIM), np.nan, np.float32)),
        change("centroids", np.zeros((0, DIM), np.float32)),
        change("cells", _cell_out_of_range()),
        change("cells", np.zeros(299, np.uint16)),
        change("cells", np.zeros(300, np.int16)),
        change("rows", np.array([400, 0, -100])),
        change("rows", np.array([2**62, 2**62, 300], np.int64)),
        change("rows", np.array([100, 200])),
        change("tracks", np.zeros((3, 31), np.uint8)),
    ],
)
def test_what_are_no_cells_is_refused(data: bytes) -> None:
    """Other shapes, types and numbers are an error before anything is built of them."""
    with pytest.raises(ExemplarIndexError, match="cells"):
        read(data)


@pytest.mark.parametrize(
    "centroids",
    [
        np.zeros((8, 31), np.uint8),
        np.zeros((8, 32), np.int8),
        np.zeros((8, 32), np.float32),
        np.zeros((0, 32), np.uint8),
        np.zeros((7, 32), np.uint8),
        np.zeros(8 * 32, np.uint8),
    ],
    ids=lambda each: f"{each.dtype} {each.shape}",
)
def test_what_are_no_centroids_of_descriptors_is_refused(centroids: NDArray[Any]) -> None:
    """Descriptors have 32 bytes, and every cell that is named has a centroid."""
    cells = some_descriptors_cells()
    assert 7 == max(each.max() for each in cells.by_track.values() if len(each))
    data = save(load(encode_cells(cells)) | {"centroids": centroids})
    with pytest.raises(ExemplarIndexError, match="cells") as refused:
        read(data, "keypoints")
    assert "made again" in refused.value.remedy
    with pytest.raises(ExemplarIndexError, match="cells"):
        read(encode_cells(cells), "embedding")
