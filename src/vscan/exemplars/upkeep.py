"""What makes searching a large index fast, kept up by its writer: chosen, saved, and made again.

Only inverted lists have something to save (cells.py). Their cells are saved when the index has
outgrown comparing every vector, and again when a quarter of the vectors are not among them, or a
quarter of them are gone: then, and never for one add into a large index, tracks are read, and those
that had no cell are assigned; all of them only when it is time for other centroids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError
from vscan.exemplars import cells as cell_file
from vscan.exemplars import structures
from vscan.exemplars.cells import Cells
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.index import read_cells
from vscan.exemplars.manifest import Batch, Manifest, SearchedBy
from vscan.exemplars.packing import decode_tracks
from vscan.exemplars.parts import decode_exemplars, read_part, write_part
from vscan.exemplars.row_vectors import vectors_in
from vscan.tracks import Track

STALE_SHARE = 0.25
"""Share of vectors that are missing from the saved cells, or gone, from which on they are made
again."""
_SEED = 20_261_102


def search_for(
    manifest: Manifest,
    batches: Sequence[Batch],
    *,
    added: Sequence[Exemplar],
    removed: Sequence[Exemplar],
) -> dict[str, SearchedBy]:
    """What searches each signal of those batches, with the cells that there are.

    added and removed: by what the batches differ from those of the manifest.
    """
    search = {}
    for signal in manifest.signals if batches else ():
        vectors = sum(batch.vectors[signal] for batch in batches)
        saved = manifest.search.get(signal, SearchedBy(type="", vectors=0))
        kind = structures.type_for(signal, vectors)
        if kind == "IndexIVFFlat" and saved.cells is None:
            kind = structures.TYPES[signal][0]
        kept = kind in structures.INVERTED and saved.cells is not None
        search[signal] = SearchedBy(
            type=kind,
            vectors=vectors,
            width=saved.width or _width(signal, added),
            cells=saved.cells if kept else None,
            missing=saved.missing + _vectors(signal, added) if kept else 0,
            gone=saved.gone + _vectors(signal, removed) if kept else 0,
        )
    return search


def search_with_cells(root: Path, manifest: Manifest) -> Mapping[str, SearchedBy]:
    """The same, with cells that are worth having: the saved ones, or new ones in new files."""
    return {
        signal: _with_cells(root, manifest, signal)
        if structures.type_for(signal, searched.vectors) in structures.INVERTED
        else searched
        for signal, searched in manifest.search.items()
    }


def _with_cells(root: Path, manifest: Manifest, signal: str) -> SearchedBy:
    searched = manifest.search[signal]
    if searched.cells is not None and _fresh(searched) and (root / searched.cells.path).is_file():
        return searched
    made = _made(root, manifest, signal)
    part = write_part(root, "cells", signal, "safetensors", cell_file.encode_cells(made))
    kind = structures.TYPES[signal][1]
    return replace(searched, type=kind, cells=part, missing=0, gone=0)


def _width(signal: str, exemplars: Sequence[Exemplar]) -> int:
    tracks = (each.tracks[signal] for each in exemplars)
    return next((track.width for track in tracks if track.rows), 0)


def _vectors(signal: str, exemplars: Sequence[Exemplar]) -> int:
    return sum(each.tracks[signal].vectors for each in exemplars)


def _usable(root: Path, manifest: Manifest, signal: str) -> Cells | None:
    """The saved cells, to go on from; a damaged file is made anew like a missing one."""
    try:
        return read_cells(root, manifest, signal)
    except ExemplarIndexError:
        return None


def _fresh(searched: SearchedBy) -> bool:
    saved = searched.vectors - searched.missing + searched.gone
    return (
        searched.missing <= STALE_SHARE * searched.vectors
        and searched.gone <= STALE_SHARE * max(1, saved)
    )


def stale_shares(saved: Cells, held: Mapping[str, int]) -> tuple[float, float]:
    """Share of the held vectors without a saved cell, and of the saved ones that are held no more.

    held: vectors of each track, by its SHA-256.
    """
    there = sum(vectors for digest, vectors in held.items() if digest in saved.by_track)
    kept = sum(len(cell) for cell in saved.by_track.values())
    return 1.0 - there / max(1, sum(held.values())), 1.0 - there / max(1, kept)


def _made(root: Path, manifest: Manifest, signal: str) -> Cells:
    """Cells of every track: those that are saved, while there are about enough centroids, and of
    the others new ones."""
    saved = _usable(root, manifest, signal)
    vectors = manifest.search[signal].vectors
    lists = structures.lists_for(signal, vectors)
    if saved is None or not lists // 2 <= len(saved.centroids) <= lists * 2:
        sample = _sample(root, manifest, signal, lists * cell_file.SAMPLED[signal] / vectors)
        saved = Cells(cell_file.made_of(sample, lists), {})
    by_track = {}
    for digest, new in _tracks(root, manifest, signal, saved.by_track):
        known = saved.by_track.get(digest, np.empty(0, np.uint16))
        by_track[digest] = known if new is None else cell_file.assigned(new, saved.centroids)
    return Cells(saved.centroids, by_track)


def _sample(root: Path, manifest: Manifest, signal: str, share: float) -> NDArray[Any]:
    """A little more than that share of the vectors, spread over all tracks."""
    rng = np.random.default_rng(_SEED)
    tracks = (vectors for _, vectors in _tracks(root, manifest, signal) if vectors is not None)
    return np.concatenate([each[rng.random(len(each)) < 1.1 * share] for each in tracks])


def _tracks(
    root: Path,
    manifest: Manifest,
    signal: str,
    known: Mapping[str, NDArray[np.uint16]] = MappingProxyType({}),
) -> Iterator[tuple[str, NDArray[Any] | None]]:
    """SHA-256 and vectors of every exemplar's track, None for those that have `known` cells.

    A batch is in memory at a time; of one whose tracks are all known, only the exemplars.
    """
    for batch in manifest.batches:
        exemplars = decode_exemplars(read_part(root, batch.exemplars), where=batch.exemplars.path)
        stored = [each.tracks[signal] for each in exemplars]
        new = [len(known.get(each.sha256, ())) != each.vectors for each in stored]
        tracks = _read(root, batch) if any(new) else {}
        for exemplar, track, is_new in zip(exemplars, stored, new, strict=True):
            vectors = vectors_in(signal, tracks[exemplar.id][signal].values) if is_new else None
            yield track.sha256, vectors


def _read(root: Path, batch: Batch) -> Mapping[str, Mapping[str, Track]]:
    return decode_tracks(read_part(root, batch.tracks), where=batch.tracks.path)
