"""What kind of file each file of a frame store is, and which tracks its source records name."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

from vscan.store.frames import FrameStore, StoredFile
from vscan.store.layout import (
    SOURCES,
    STORE_FILE,
    TrackName,
    is_leftover,
    is_source_path,
    parse_track_path,
)
from vscan.store.source_records import DamagedSource
from vscan.store.specs import SIGNALS

Kind = Literal["store", "track", "source", "leftover", "foreign"]


@dataclass(frozen=True)
class HeldFile:
    """A file of a store, and what its name says."""

    file: StoredFile
    kind: Kind
    """`leftover`: what a writer had not finished; `foreign`: nothing that vscan writes."""
    track: TrackName | None = None
    """Of a `track`."""


class TrackSet:
    """A set of tracks in eight bytes each: of 64 bits of content and key together.

    Two tracks in 10 000 000 have the same bits once in 400 000 stores; one of them would then be
    taken for the other, and kept.
    """

    def __init__(self) -> None:
        self._added = array("Q")
        self._sorted = np.empty(0, np.uint64)

    def add(self, sha256: str, signal: str, key: str) -> None:
        """Adds a track."""
        self._added.append(_bits(sha256, signal, key))

    def __contains__(self, name: TrackName) -> bool:
        if self._added:
            added = np.frombuffer(self._added, np.uint64)
            self._sorted = np.union1d(self._sorted, added)
            self._added = array("Q")
        bits = np.uint64(_bits(name.sha256, name.signal, name.key))
        at = int(np.searchsorted(self._sorted, bits))
        return at < len(self._sorted) and bool(self._sorted[at] == bits)


def _bits(sha256: str, signal: str, key: str) -> int:
    return int(sha256[:16], 16) ^ int(key, 16) ^ SIGNALS.index(signal)


def held_files(store: FrameStore, folder: str = "") -> Iterator[HeldFile]:
    """Every file of the store, or of `frames` or `sources` alone, as `FrameStore.files` orders."""
    for file in store.files(folder):
        track = parse_track_path(file.name)
        if track is not None:
            yield HeldFile(file, "track", track)
        elif is_source_path(file.name):
            yield HeldFile(file, "source")
        elif file.name == STORE_FILE:
            yield HeldFile(file, "store")
        else:
            yield HeldFile(file, "leftover" if is_leftover(file.name) else "foreign")


def held_groups(store: FrameStore, folder: str = "") -> Iterator[list[HeldFile]]:
    """The same with the files of each track together: its earlier parts in order, then its end if
    it has one. Every other file stands alone."""
    for _, group in groupby(held_files(store, folder), _stem):
        yield list(group)


def _stem(held: HeldFile) -> object:
    track = held.track
    return held.file.name if track is None else (track.sha256, track.signal, track.key)


def named_tracks(store: FrameStore, since_s: float | None = None) -> tuple[TrackSet, int]:
    """The tracks that source records name, and how many records are damaged.

    since_s: only records written at that time (seconds since 1970) or later, and those of which
    the service does not say when.
    """
    named = TrackSet()
    damaged = 0
    for held in held_files(store, SOURCES):
        if held.kind != "source" or _is_older(held.file, since_s):
            continue
        record = store.record_in(held.file.name)
        if isinstance(record, DamagedSource):
            damaged += 1
        elif record is not None and record.sha256 is not None:
            for signal, key in record.tracks.items():
                named.add(record.sha256, signal, key)
    return named, damaged


def _is_older(file: StoredFile, than_s: float | None) -> bool:
    return than_s is not None and file.modified_s is not None and file.modified_s < than_s
