"""Upkeep: what makes searching a large index fast is made when it pays, never for one add."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exemplars.synthetic import exemplar, make_index, tracks
from vscan.exemplars import cells, upkeep
from vscan.exemplars.index import ExemplarIndex, read_cells
from vscan.exemplars.manifest import Part
from vscan.exemplars.writer import IndexWriter

pytestmark = pytest.mark.usefixtures("large")


def saved(path: Path) -> Part | None:
    """The file of cells that the index at `path` names."""
    searched = ExemplarIndex.open(path).manifest.search["embedding"]
    assert ("IndexIVFFlat" if searched.cells else "IndexFlatIP") == searched.type
    return searched.cells


def test_cells_are_made_once_an_index_is_large(tmp_path: Path) -> None:
    """A small index has no cells; one that outgrew comparing every vector names its file."""
    path = tmp_path / "known"
    make_index(path, "a")
    assert saved(path) is None
    with IndexWriter(path) as writer:
        writer.add(exemplar("b"), tracks(1))
        assert writer.manifest.search["embedding"].cells is None
    part = saved(path)
    assert part is not None
    assert [part.path] == [f"cells/{file.name}" for file in (path / "cells").iterdir()]
    index = ExemplarIndex.open(path)
    assert {"embedding": "IndexIVFFlat", "pdq": "BitTables"} == {
        signal: index.vectors(signal).kind for signal in index.signals
    }


def test_one_change_reads_no_tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding to and removing from a large index leaves its cells as they are; what is new is
    searched all the same, and what is gone is not."""
    path = tmp_path / "known"
    make_index(path, "abcdefgh")
    with IndexWriter(path):
        pass
    before = saved(path)
    monkeypatch.setattr(upkeep, "_tracks", None)
    with IndexWriter(path) as writer:
        writer.add(exemplar("i"), tracks(8))
    with IndexWriter(path) as writer:
        writer.remove(exemplar("c").id)
    assert before == saved(path)
    index = ExemplarIndex.open(path)
    vectors, rows = index.vectors("embedding"), index.rows("embedding")
    assert 8 * 40 == len(vectors)
    for seed, there in ((8, True), (0, True), (2, False)):
        queries = tracks(seed)["embedding"].values
        hits = vectors.range_search(queries, 0.05)
        assert (list(range(40)) if there else []) == hits.query.tolist()
    assert 7 == rows.exemplar.max()


def test_cells_are_made_again_when_a_quarter_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a quarter of new or gone vectors on they are; the centroids stay while they fit."""
    path = tmp_path / "known"
    make_index(path, "abcdefgh")
    first = saved(path)
    trained = cells.trained
    monkeypatch.setattr(cells, "trained", None)
    with IndexWriter(path) as writer:
        for seed, name in enumerate("ijk", start=8):
            writer.add(exemplar(name), tracks(seed))
    second = saved(path)
    assert first != second
    with IndexWriter(path) as writer:
        for name in "abcd":
            writer.remove(exemplar(name).id)
    assert second != saved(path)
    found = read_cells(path, ExemplarIndex.open(path).manifest, "embedding")
    assert found is not None
    assert {each.tracks["embedding"].sha256 for each in ExemplarIndex.open(path).exemplars} == set(
        found.by_track
    )
    monkeypatch.setattr(cells, "trained", trained)
    many = [(exemplar(f"{seed}"), tracks(seed)) for seed in range(100, 180)]
    with IndexWriter(path) as writer:
        writer.change(add=many)
    grown = read_cells(path, ExemplarIndex.open(path).manifest, "embedding")
    assert grown is not None
    assert len(grown.centroids) > 2 * len(found.centroids)


def test_an_index_that_shrank_is_small_again(tmp_path: Path) -> None:
    """Without enough vectors the cells go, and their file with them."""
    path = tmp_path / "known"
    make_index(path, "ab")
    with IndexWriter(path) as writer:
        writer.remove(exemplar("a").id)
    assert saved(path) is None
    assert not list((path / "cells").iterdir())


def test_missing_cells_cost_time_and_come_back(tmp_path: Path) -> None:
    """A reader without the file compares every vector; the next writer makes it again."""
    path = tmp_path / "known"
    make_index(path, "ab")
    part = saved(path)
    assert part is not None
    (path / part.path).unlink()
    index = ExemplarIndex.open(path)
    assert "IndexFlatIP" == index.vectors("embedding").kind
    assert 40 == len(index.vectors("embedding").range_search(tracks(1)["embedding"].values, 0.05))
    with IndexWriter(path):
        pass
    again = saved(path)
    assert again is not None
    assert (path / again.path).is_file()
