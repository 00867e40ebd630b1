"""Keeping a frame store: what it holds in figures, and removing what nothing names any more."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from vscan.store.frames import FrameStore, StoredFile
from vscan.store.holdings import HeldFile, TrackSet, held_files, held_groups, named_tracks
from vscan.store.layout import TrackName
from vscan.store.source_records import DamagedSource

DAY_S = 86_400.0
_CLOCK_SLACK_S = 300.0
"""By so much the clock of a file system or a service may be behind ours."""

Why = Literal["orphaned", "leftover", "part without its end"]


@dataclass(frozen=True)
class SpecStats:
    """The tracks of one signal and spec."""

    signal: str
    key: str
    made_by: Mapping[str, str]
    """Empty where no source record names it."""
    tracks: int = 0
    files: int = 0
    """Tracks and the earlier parts of long ones."""
    bytes: int = 0
    orphaned: int = 0
    """Tracks that no source record names."""
    orphaned_bytes: int = 0


@dataclass(frozen=True)
class StoreStats:
    """A frame store in figures."""

    contents: int
    """Different files, by their SHA-256, of which there are tracks."""
    sources: int
    """Source records: URIs."""
    errors: int
    """Of them, those that could not be read."""
    damaged_sources: int
    """Records that are not what was written, beside those counted under `sources`."""
    specs: tuple[SpecStats, ...]
    """By signal and key."""
    source_bytes: int
    leftovers: int
    leftover_bytes: int
    foreign: int
    """Files that vscan did not write."""

    @property
    def bytes(self) -> int:
        """Of all files that vscan wrote but the store's own."""
        return self.source_bytes + self.leftover_bytes + sum(each.bytes for each in self.specs)


def stats(store: FrameStore) -> StoreStats:
    """What the store holds. Reads every source record and no track.

    Raises StoreError where the store cannot be listed.
    """
    sources = errors = damaged = 0
    named = TrackSet()
    made_by: dict[tuple[str, str], Mapping[str, str]] = {}
    for record in store.sources():
        if isinstance(record, DamagedSource):
            damaged += 1
            continue
        sources += 1
        errors += record.error is not None
        for signal, key in record.tracks.items():
            named.add(record.sha256 or "", signal, key)
            made_by.setdefault((signal, key), record.specs[signal])
    bytes_of: Counter[str] = Counter()
    count_of: Counter[str] = Counter()
    latest = ""
    specs: dict[tuple[str, str], SpecStats] = {}
    for held in held_files(store):
        bytes_of[held.kind] += held.file.bytes
        count_of[held.kind] += 1
        if held.track is not None:
            # Files of one content follow each other.
            count_of["content"] += held.track.sha256 != latest
            latest = held.track.sha256
            spec = (held.track.signal, held.track.key)
            found = specs.get(spec, SpecStats(*spec, made_by.get(spec, {})))
            specs[spec] = _with(found, held.file, held.track, named)
    return StoreStats(
        contents=count_of["content"],
        sources=sources,
        errors=errors,
        damaged_sources=damaged,
        specs=tuple(specs[spec] for spec in sorted(specs)),
        source_bytes=bytes_of["source"],
        leftovers=count_of["leftover"],
        leftover_bytes=bytes_of["leftover"],
        foreign=count_of["foreign"],
    )


def _with(found: SpecStats, file: StoredFile, name: TrackName, named: TrackSet) -> SpecStats:
    orphaned, whole = name not in named, name.part is None
    return replace(
        found,
        tracks=found.tracks + whole,
        files=found.files + 1,
        bytes=found.bytes + file.bytes,
        orphaned=found.orphaned + (orphaned and whole),
        orphaned_bytes=found.orphaned_bytes + file.bytes * orphaned,
    )


@dataclass(frozen=True)
class Removed:
    """A file that was removed, or would be."""

    name: str
    why: Why
    bytes: int


@dataclass
class Collected:
    """What is to be removed, and what kept more from being so."""

    files: list[Removed] = field(default_factory=list)
    young: int = 0
    """Files that nothing names, and that are not old enough yet."""
    damaged_sources: int = 0
    """Source records that do not say what they name: while there are some, no track is orphaned."""


def garbage(store: FrameStore, *, older_than_s: float = DAY_S) -> Collected:
    """What the store holds for nothing, of what was written at least `older_than_s` ago.

    That is: tracks that no source record names, parts of a long track whose end was never written,
    and files that a writer had not finished. A scan writes tracks before their record, which is why
    what is young is left alone; what a running scan found there and has not named yet is measured
    again by the next one. Raises StoreError where the store cannot be listed.
    """
    begun_s = time.time()
    collected = Collected()
    named, collected.damaged_sources = named_tracks(store)
    found: list[tuple[HeldFile, Why]] = []
    for group in held_groups(store):
        last = group[-1]
        if last.kind == "leftover":
            found.append((last, "leftover"))
        elif last.track is not None and last.track.part is not None:
            found += [(held, "part without its end") for held in group]
        elif last.track is not None and last.track not in named and not collected.damaged_sources:
            found += [(held, "orphaned") for held in group]
    # Listing a large store takes a while, in which scans have gone on.
    named, _ = named_tracks(store, since_s=begun_s - _CLOCK_SLACK_S)
    for held, why in found:
        if held.track is not None and why == "orphaned" and held.track in named:
            continue
        if _is_younger(held.file, older_than_s, begun_s):
            collected.young += 1
        else:
            collected.files.append(Removed(held.file.name, why, held.file.bytes))
    return collected


def _is_younger(file: StoredFile, than_s: float, now_s: float) -> bool:
    """What the service gives no time of counts as just written."""
    return than_s > 0 and (file.modified_s is None or now_s - file.modified_s < than_s)


def remove_garbage(store: FrameStore, collected: Collected) -> Iterator[Removed]:
    """Removes what was collected, one file after the other. Raises OutputError."""
    for each in collected.files:
        store.remove(each.name)
        yield each
