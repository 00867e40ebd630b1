"""Saved cells of keypoints: nothing is assigned twice, and what is found stays the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.exemplars.synthetic import all_tracks, exemplar, keypoints, make_index
from vscan.errors import ExemplarIndexError
from vscan.exemplars import cells as cell_file
from vscan.exemplars import structures
from vscan.exemplars.cells import Cells
from vscan.exemplars.index import ExemplarIndex, read_cells
from vscan.exemplars.manifest import MANIFEST_NAME, SIGNALS, Part, encode_manifest
from vscan.exemplars.row_vectors import vector_ids, vectors_at, vectors_in
from vscan.exemplars.vectors import SignalVectors, VectorHits
from vscan.exemplars.writer import IndexWriter
from vscan.tracks import Track

pytestmark = pytest.mark.usefixtures("large")
LIMIT = 56


@pytest.fixture
def assigned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many descriptors were assigned to cells, call by call."""
    counts: list[int] = []
    original = cell_file.assigned

    def counting(vectors: NDArray[Any], centroids: NDArray[Any]) -> NDArray[np.uint16]:
        if centroids.dtype == np.uint8:
            counts.append(len(vectors))
        return original(vectors, centroids)

    monkeypatch.setattr(cell_file, "assigned", counting)
    yield counts


def saved(path: Path) -> Part | None:
    """The file of keypoints' cells that the index at `path` names."""
    return ExemplarIndex.open(path).manifest.search["keypoints"].cells


def cells_of(path: Path) -> Cells:
    """The saved cells of keypoints."""
    found = read_cells(path, ExemplarIndex.open(path).manifest, "keypoints")
    assert found is not None
    return found


def count(track: Track) -> int:
    """Descriptors of a track of keypoints."""
    return len(vectors_in("keypoints", track.values))


def near(seed: int) -> NDArray[np.uint8]:
    """Descriptors of the exemplar of that seed, with a few bits turned."""
    queries = vectors_in("keypoints", keypoints(seed).values).copy()
    queries[:, :3] ^= np.uint8(9)
    return queries


def as_lists(hits: VectorHits) -> list[list[float]]:
    """Everything that a search found."""
    return [each.tolist() for each in (hits.query, hits.row, hits.slot, hits.difference)]


def without_cells(path: Path) -> None:
    """Makes of the index at `path` one from before cells of keypoints were saved."""
    manifest = ExemplarIndex.open(path).manifest
    part = manifest.search["keypoints"].cells
    assert part is not None
    search = {**manifest.search, "keypoints": replace(manifest.search["keypoints"], cells=None)}
    (path / MANIFEST_NAME).write_bytes(encode_manifest(replace(manifest, search=search)))
    (path / part.path).unlink()


def test_what_is_saved_is_not_assigned_again(tmp_path: Path, assigned: list[int]) -> None:
    """A reader assigns the tracks that the file does not know, and nothing else."""
    make_index(tmp_path, "abcdefgh", signals=SIGNALS)
    with IndexWriter(tmp_path):
        pass
    before = saved(tmp_path)
    assigned.clear()
    everything = len(ExemplarIndex.open(tmp_path).vectors("keypoints"))
    assert (sum(count(keypoints(seed)) for seed in range(8)), []) == (everything, assigned)
    with IndexWriter(tmp_path) as writer:
        writer.add(exemplar("i"), all_tracks(8))
        writer.remove(exemplar("c").id)
    assert ([], before) == (assigned, saved(tmp_path))
    index = ExemplarIndex.open(tmp_path)
    vectors = index.vectors("keypoints")
    assert [count(keypoints(8))] == assigned
    for seed, owner in ((8, 7), (0, 0), (3, 2)):
        hits = vectors.nearest(near(seed), 1, LIMIT)
        assert {owner} == set(index.rows("keypoints").exemplar[hits.row].tolist())
        assert len(hits) > 0.8 * len(near(seed))
    assert 0 == len(vectors.nearest(near(2), 1, LIMIT))


def test_the_writer_assigns_what_is_new(
    tmp_path: Path, assigned: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells are saved again when a quarter is stale, with the same centroids, and of the tracks
    that were saved the cells stay; other centroids come when the index wants many more."""
    make_index(tmp_path, "abcdefgh", signals=SIGNALS)
    with IndexWriter(tmp_path):
        pass
    first = cells_of(tmp_path)
    drawn = cell_file.drawn
    monkeypatch.setattr(cell_file, "drawn", None)
    assigned.clear()
    with IndexWriter(tmp_path) as writer:
        for seed, name in enumerate("ijkl", start=8):
            writer.add(exemplar(name), all_tracks(seed))
    assert [count(keypoints(seed)) for seed in range(8, 12)] == assigned
    second = cells_of(tmp_path)
    assert first.centroids.tolist() == second.centroids.tolist()
    assert {name: second.by_track[name].tolist() for name in first.by_track} == {
        name: each.tolist() for name, each in first.by_track.items()
    }
    assert 12 == len(second.by_track)
    monkeypatch.setattr(cell_file, "drawn", drawn)
    wanted = {"embedding": 16, "keypoints": 4 * len(first.centroids)}
    monkeypatch.setattr(structures, "lists_for", lambda signal, _: wanted[signal])
    with IndexWriter(tmp_path) as writer:
        for name in "abcdefgh":
            writer.remove(exemplar(name).id)
    third = cells_of(tmp_path)
    assert (4 * len(first.centroids), 4) == (len(third.centroids), len(third.by_track))


def test_saved_cells_are_those_that_would_be_found(tmp_path: Path) -> None:
    """A search finds the same whether every cell was saved, some or none, though blank pictures and
    disabled exemplars, whose vectors are left out, lie between."""
    make_index(tmp_path, "abc", signals=SIGNALS)
    some_blank = all_tracks(7)
    some_blank["pdq"] = replace(
        some_blank["pdq"], quality=np.where(np.arange(40) % 3, 90, 0).astype(np.uint8)
    )
    with IndexWriter(tmp_path) as writer:
        writer.add(exemplar("d"), some_blank)
        writer.add(exemplar("e"), all_tracks(4))
        writer.update(exemplar("b").id, enabled=False)
    index, cells = ExemplarIndex.open(tmp_path), cells_of(tmp_path)
    rows, digests = index.rows("keypoints"), [e.tracks["keypoints"].sha256 for e in index.exemplars]
    which = index.active[rows.exemplar] & (rows.quality > 0)
    queries = np.concatenate([near(seed) for seed in (0, 1, 2, 7, 4)])
    found = as_lists(index.vectors("keypoints").nearest(queries, 3))
    assert 3 * len(queries) == len(found[0])
    for known in (cells.by_track, {digests[3]: cells.by_track[digests[3]]}, {}):
        built = SignalVectors(
            rows,
            which,
            kind="IndexBinaryIVF",
            cells=Cells(cells.centroids, known),
            digests=digests,
        )
        assert found == as_lists(built.nearest(queries, 3))


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    """A changed byte is an error before anything is searched, which says what to do; done, the next
    writer makes the file that there was."""
    make_index(tmp_path, "ab", signals=SIGNALS)
    part = saved(tmp_path)
    assert part is not None
    intact = (tmp_path / part.path).read_bytes()
    (tmp_path / part.path).write_bytes(intact[:-1] + bytes([intact[-1] ^ 1]))
    with pytest.raises(ExemplarIndexError, match="SHA-256") as refused:
        ExemplarIndex.open(tmp_path)
    assert "delete it" in refused.value.remedy
    (tmp_path / part.path).unlink()
    with IndexWriter(tmp_path) as writer:
        writer.update(exemplar("a").id, note="seen")
    assert intact == (tmp_path / part.path).read_bytes()


def test_what_lies_in_no_lists_has_no_cells(tmp_path: Path) -> None:
    """A manifest that names cells of a signal that has none is no manifest."""
    manifest = make_index(tmp_path, "ab", signals=SIGNALS).manifest
    search = {**manifest.search, "pdq": replace(manifest.search["pdq"], cells=saved(tmp_path))}
    with pytest.raises(ValueError, match="BitTables has no cells"):
        replace(manifest, search=search)


@pytest.mark.parametrize("file_is", ["not named", "missing"])
def test_without_saved_cells(tmp_path: Path, assigned: list[int], file_is: str) -> None:
    """An index from before, and one whose file is gone, opens by assigning everything; the next
    writer saves it."""
    make_index(tmp_path, "ab", signals=SIGNALS)
    part = saved(tmp_path)
    assert part is not None
    if file_is == "missing":
        (tmp_path / part.path).unlink()
    else:
        without_cells(tmp_path)
    assigned.clear()
    vectors = ExemplarIndex.open(tmp_path).vectors("keypoints")
    assert (len(vectors), "IndexBinaryIVF") == (sum(assigned), vectors.kind)
    assert len(vectors.nearest(near(1), 1, LIMIT)) > 0.6 * len(near(1))
    with IndexWriter(tmp_path):
        pass
    assert part == saved(tmp_path)
    assigned.clear()
    assert len(vectors) == len(ExemplarIndex.open(tmp_path).vectors("keypoints"))
    assert [] == assigned


def test_an_index_behind_a_uri(tmp_path: Path, assigned: list[int]) -> None:
    """What is saved is read from there too, and the same is found."""
    make_index(tmp_path, "ab", signals=SIGNALS)
    system = fsspec.filesystem("memory")
    for file in tmp_path.rglob("*"):
        if file.is_file():
            system.pipe(f"/keypoint-cells/{file.relative_to(tmp_path)}", file.read_bytes())
    assigned.clear()
    remote = ExemplarIndex.open("memory://keypoint-cells").vectors("keypoints")
    system.rm("/keypoint-cells", recursive=True)
    local = ExemplarIndex.open(tmp_path).vectors("keypoints")
    assert as_lists(local.nearest(near(1), 2)) == as_lists(remote.nearest(near(1), 2))
    assert [] == assigned


@pytest.mark.parametrize("with_cells", [True, False])
def test_a_large_index_of_which_nothing_may_match(tmp_path: Path, with_cells: bool) -> None:
    """Where every exemplar is disabled, nothing is found, and where few are not, they are."""
    make_index(tmp_path, "ab", signals=SIGNALS)
    if not with_cells:
        without_cells(tmp_path)
    index = ExemplarIndex.open(tmp_path)
    rows, digests = index.rows("keypoints"), [e.tracks["keypoints"].sha256 for e in index.exemplars]
    cells = cells_of(tmp_path) if with_cells else None
    for active in (0, 3):
        vectors = SignalVectors(
            rows,
            np.arange(len(rows)) < active,
            kind="IndexBinaryIVF",
            cells=cells,
            digests=digests,
        )
        first = vectors_at(rows, vector_ids(rows)[:6])
        wanted = 6 if active else 0
        assert (wanted, wanted) == (len(vectors), len(vectors.nearest(first, 1, 0)))


def test_a_still_takes_no_list_twice(tmp_path: Path) -> None:
    """Descriptors that come again in every sample make one centroid, so that no probe is lost."""
    still = keypoints(1)
    frame = still.values[-1:].astype(np.uint8)
    values = np.repeat(frame, len(still), axis=0)
    make_index(tmp_path, "", signals=SIGNALS)
    with IndexWriter(tmp_path) as writer:
        writer.add(exemplar("a"), all_tracks(1) | {"keypoints": replace(still, values=values)})
    centroids = cells_of(tmp_path).centroids
    assert len(vectors_in("keypoints", frame)) == len(centroids)
    assert len(np.unique(centroids, axis=0)) == len(centroids)
