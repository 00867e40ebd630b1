"""Batches of an exemplar index: which files are written again when exemplars come and go."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import orjson

from vscan.errors import ExemplarIndexError
from vscan.exemplars.content import content_sum
from vscan.exemplars.exemplar import Exemplar, StoredTrack
from vscan.exemplars.held import HeldExemplars
from vscan.exemplars.manifest import Batch, Part
from vscan.exemplars.packing import decode_tracks, encode_tracks
from vscan.exemplars.parts import (
    Tracks,
    encode_exemplars,
    read_part,
    track_digest,
    write_part,
)
from vscan.exemplars.row_vectors import used_vectors
from vscan.tracks import Track

BATCH_ROWS = 8192
BATCH_EXEMPLARS = 256
BATCH_BYTES = 8 << 20
"""Of tracks: a second of exemplar with keypoints takes 25 kB, and every add writes its batch."""

Content = Sequence[tuple[Exemplar, Tracks]]
"""Exemplars with their tracks as stored."""


def with_stored(exemplar: Exemplar, stored: Tracks) -> Exemplar:
    """The exemplar, saying what of it is stored."""
    held = {
        signal: StoredTrack(
            rows=len(track),
            width=track.values.shape[1],
            vectors=used_vectors(signal, track.values),
            sha256=track_digest(track),
            spec=dict(track.spec),
        )
        for signal, track in stored.items()
    }
    return replace(exemplar, tracks=held)


def changed(
    root: Path,
    batches: Sequence[Batch],
    held: HeldExemplars,
    *,
    remove: Collection[str] = (),
    update: Mapping[str, Exemplar] = MappingProxyType({}),
    add: Content = (),
) -> list[Batch]:
    """The batches without the exemplars of the ids `remove`, with those of `update` in the place
    of those of the same id, and with those that are added; written where they differ.

    held: what the batches hold. Of the tracks only those of a batch that loses an exemplar are
    read, and of the last one, which is filled up first.
    """
    left: list[Batch] = []
    waiting: Content = ()
    removed = set(remove)
    for batch in batches:
        last = batch is batches[-1]
        loses = held.has_any(batch, removed)
        changes = held.has_any(batch, update)
        if not loses and not changes and not (last and add and not _full(*_size(batch))):
            left.append(batch)
            continue
        before = held.of(batch)
        stay = [update.get(each.id, each) for each in before if each.id not in removed]
        if last and add and not (loses and not stay) and (loses or not _full(*_size(batch))):
            tracks = _read(root, batch)
            waiting = [(each, tracks[each.id]) for each in stay]
        elif loses:
            tracks = _read(root, batch) if stay else {}
            content = [(each, tracks[each.id]) for each in stay]
            left += [_write(root, content)] if content else []
        else:
            exemplars = _write_exemplars(root, stay)
            left.append(replace(batch, exemplars=exemplars, content=content_sum(stay)))
    return left + _written(root, [*waiting, *add])


def _written(root: Path, waiting: Content) -> list[Batch]:
    """Batches of those exemplars, each as large as batches may be."""
    written: list[Batch] = []
    start = 0
    while start < len(waiting):
        stop, rows, size = start, 0, 0
        while stop < len(waiting) and not _full(stop - start, rows, size):
            for track in waiting[stop][1].values():
                rows += len(track)
                size += track.values.nbytes
            stop += 1
        written.append(_write(root, waiting[start:stop]))
        start = stop
    return written


def _size(batch: Batch) -> tuple[int, int, int]:
    return batch.count, batch.rows, batch.tracks.bytes


def _full(count: int, rows: int, size: int) -> bool:
    return rows >= BATCH_ROWS or count >= BATCH_EXEMPLARS or size >= BATCH_BYTES


def _read(root: Path, batch: Batch) -> dict[str, dict[str, Track]]:
    return decode_tracks(read_part(root, batch.tracks), where=batch.tracks.path)


def _write(root: Path, content: Content) -> Batch:
    tracks = encode_tracks([(exemplar.id, held) for exemplar, held in content])
    return Batch(
        exemplars=_write_exemplars(root, [exemplar for exemplar, _ in content]),
        tracks=write_part(root, "tracks", "t", "safetensors", tracks),
        count=len(content),
        rows=sum(each.rows for exemplar, _ in content for each in exemplar.tracks.values()),
        vectors={
            signal: sum(exemplar.tracks[signal].vectors for exemplar, _ in content)
            for signal in sorted(content[0][0].tracks)
        },
        content=content_sum([exemplar for exemplar, _ in content]),
    )


def _write_exemplars(root: Path, exemplars: Sequence[Exemplar]) -> Part:
    try:
        lines = encode_exemplars(exemplars)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise ExemplarIndexError(
            f"{exemplars[-1].source!r}: cannot be recorded: {error}",
            remedy="names and notes must be text in UTF-8",
        ) from error
    return write_part(root, "exemplars", "e", "jsonl", lines)
