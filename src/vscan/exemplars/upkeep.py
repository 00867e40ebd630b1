"""What makes searching a large index fast, kept up by its writer: chosen, saved, and made again.

Only an IndexIVFFlat has something to save (cells.py). It is made when the index has outgrown
comparing every vector, and made again when a quarter of the vectors are not in it, or a quarter of
those in it are gone: then, and never for one add into a large index, all tracks are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

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
from vscan.exemplars.vectors import unit_rows

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
        kept = kind == "IndexIVFFlat"
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
    """The same, with cells that are worth having: the saved ones, or new ones in a new file."""
    searched = manifest.search.get("embedding")
    flat, inverted = structures.TYPES["embedding"]
    if searched is None or structures.type_for("embedding", searched.vectors) == flat:
        return manifest.search
    if searched.cells is not None and _fresh(searched) and (root / searched.cells.path).is_file():
        return manifest.search
    made = _made(root, manifest, _usable(root, manifest), searched.vectors)
    part = write_part(root, "cells", "embedding", "safetensors", cell_file.encode_cells(made))
    fresh = replace(searched, type=inverted, cells=part, missing=0, gone=0)
    return {**manifest.search, "embedding": fresh}


def _width(signal: str, exemplars: Sequence[Exemplar]) -> int:
    tracks = (each.tracks[signal] for each in exemplars)
    return next((track.width for track in tracks if track.rows), 0)


def _vectors(signal: str, exemplars: Sequence[Exemplar]) -> int:
    return sum(each.tracks[signal].vectors for each in exemplars)


def _usable(root: Path, manifest: Manifest) -> Cells | None:
    """The saved cells, for their centroids; a damaged file is made anew like a missing one."""
    try:
        return read_cells(root, manifest)
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

    held: rows of each track, by its SHA-256.
    """
    there = sum(rows for digest, rows in held.items() if digest in saved.by_track)
    kept = sum(len(cell) for cell in saved.by_track.values())
    return 1.0 - there / max(1, sum(held.values())), 1.0 - there / max(1, kept)


def _made(root: Path, manifest: Manifest, saved: Cells | None, vectors: int) -> Cells:
    """Cells of every track; with the saved centroids while there are about enough of them."""
    lists = structures.lists_for(vectors)
    centroids = None if saved is None else saved.centroids
    if centroids is None or not lists // 2 <= len(centroids) <= lists * 2:
        centroids = cell_file.trained(_sample(root, manifest, lists, vectors), lists)
    by_track = {}
    for digest, values in _embeddings(root, manifest):
        by_track[digest] = cell_file.assigned(unit_rows(values), centroids)
    return Cells(centroids, by_track)


def _sample(root: Path, manifest: Manifest, lists: int, vectors: int) -> NDArray[np.float32]:
    """Unit vectors for k-means, spread over all tracks."""
    rng = np.random.default_rng(_SEED)
    share = min(1.0, 1.1 * lists * cell_file.TRAINING_ROWS / vectors)
    chosen = [values[rng.random(len(values)) < share] for _, values in _embeddings(root, manifest)]
    return unit_rows(np.concatenate(chosen))


def _embeddings(root: Path, manifest: Manifest) -> Iterator[tuple[str, NDArray[np.float16]]]:
    """SHA-256 and values of every exemplar's embedding track, a batch in memory at a time."""
    for batch in manifest.batches:
        exemplars = decode_exemplars(read_part(root, batch.exemplars), where=batch.exemplars.path)
        tracks = decode_tracks(read_part(root, batch.tracks), where=batch.tracks.path)
        for exemplar in exemplars:
            values = tracks[exemplar.id]["embedding"].values
            yield exemplar.tracks["embedding"].sha256, values.astype(np.float16)
