"""Batches of an exemplar index: which files are written again when exemplars come and go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from vscan.errors import ExemplarIndexError
from vscan.exemplars.exemplar import Exemplar, StoredTrack
from vscan.exemplars.manifest import Batch
from vscan.exemplars.parts import (
    Tracks,
    decode_exemplars,
    decode_tracks,
    encode_exemplars,
    encode_tracks,
    read_part,
    track_digest,
    write_part,
)

BATCH_ROWS = 8192
BATCH_EXEMPLARS = 256

Content = list[tuple[Exemplar, Tracks]]
"""Exemplars with their tracks as stored."""


def with_stored(exemplar: Exemplar, stored: Tracks) -> Exemplar:
    """The exemplar, saying what of it is stored."""
    held = {
        signal: StoredTrack(rows=len(track), sha256=track_digest(track), spec=dict(track.spec))
        for signal, track in stored.items()
    }
    return replace(exemplar, tracks=held)


def without(root: Path, batches: Sequence[Batch], removed: Collection[str]) -> list[Batch]:
    """The batches without the exemplars of those ids; one that held any is written again."""
    left = []
    for batch in batches:
        content = _read(root, batch) if removed else []
        kept = [(exemplar, held) for exemplar, held in content if exemplar.id not in removed]
        if len(kept) == len(content):
            left.append(batch)
        elif kept:
            left.append(_write(root, kept))
    return left


def extended(root: Path, batches: Sequence[Batch], added: Content) -> list[Batch]:
    """The batches and those of `added`; the last one is filled up first."""
    batches, waiting = list(batches), list(added)
    if waiting and batches and not _full(batches[-1].count, batches[-1].rows):
        waiting = _read(root, batches.pop()) + waiting
    start = 0
    while start < len(waiting):
        stop, rows = start, 0
        while stop < len(waiting) and not _full(stop - start, rows):
            rows += sum(len(track) for track in waiting[stop][1].values())
            stop += 1
        batches.append(_write(root, waiting[start:stop]))
        start = stop
    return batches


def _full(count: int, rows: int) -> bool:
    return rows >= BATCH_ROWS or count >= BATCH_EXEMPLARS


def _read(root: Path, batch: Batch) -> Content:
    exemplars = decode_exemplars(read_part(root, batch.exemplars), where=batch.exemplars.path)
    held = decode_tracks(read_part(root, batch.tracks), where=batch.tracks.path)
    return [(exemplar, held[exemplar.id]) for exemplar in exemplars]


def _write(root: Path, content: Content) -> Batch:
    exemplars = [exemplar for exemplar, _ in content]
    tracks = {exemplar.id: held for exemplar, held in content}
    try:
        lines = encode_exemplars(exemplars)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise ExemplarIndexError(
            f"{exemplars[-1].source!r}: cannot be recorded: {error}",
            remedy="names and notes must be text in UTF-8",
        ) from error
    return Batch(
        exemplars=write_part(root, "exemplars", "e", "jsonl", lines),
        tracks=write_part(root, "tracks", "t", "safetensors", encode_tracks(tracks)),
        count=len(exemplars),
        rows=sum(len(track) for held in tracks.values() for track in held.values()),
    )
