"""A received list: its entries as items with tracks, and what they change in an exemplar index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

import numpy as np

from vscan.exemplars.carried import CarriedRecord
from vscan.exemplars.exemplar import hashes_id
from vscan.exemplars.formats import frames
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.manifest import Manifest
from vscan.exemplars.rows import no_values, row_width
from vscan.hashes.pdq import HASH_BYTES
from vscan.tracks import Track

Status = Literal["added", "updated", "present", "carried", "removed", "absent"]
Key = tuple[str, ...]

RECEIVED = "received"
"""Key of a track's spec that says in which format its hashes came: vscan did not measure them."""


@dataclass(frozen=True)
class Item:
    """One entry of a list: the hashes of one picture or video."""

    key: Key
    first: HashRecord
    """What the entry says; the other records repeat it with their own hash."""
    records: tuple[HashRecord, ...]
    """What is kept of it: every hash that it brings."""
    withdrawn: bool
    exemplar: str | None
    """Id of the exemplar that its PDQ hashes make; None where it has none."""
    track: Track | None
    """Those hashes, (T, 32), at their times; at time 0 where they have none."""


@dataclass
class Changes:
    """What an import changes, gathered before anything is written."""

    add: dict[str, Item] = field(default_factory=dict)
    """By exemplar id."""
    remove: set[str] = field(default_factory=set)
    carry: list[CarriedRecord] = field(default_factory=list)
    drop: set[Key] = field(default_factory=set)
    said: list[tuple[Item, Status]] = field(default_factory=list)
    """Every item of the list, and what becomes of it."""

    @property
    def nothing(self) -> bool:
        """Whether the index stays as it is."""
        return not (self.add or self.remove or self.carry or self.drop)


def items_of(records: Iterable[HashRecord]) -> list[Item]:
    """The list's entries. Of entries with the same key the last one counts, as in the services."""
    found: dict[Key, Item] = {}
    for _, group in groupby(records, key=lambda each: each.entry):
        item = _item(tuple(group))
        found.pop(item.key, None)
        found[item.key] = item
    return list(found.values())


def changes_for(
    items: Iterable[Item], held: Sequence[CarriedRecord], exemplars: Iterable[str]
) -> Changes:
    """What the items change in an index that carries `held` and has those exemplars.

    An entry replaces what was carried under its key; a withdrawn one deletes it. An exemplar goes
    with the last record that it is a sample of, and only if records are what made it.
    """
    before: dict[Key, list[CarriedRecord]] = {}
    for each in held:
        before.setdefault(each.key, []).append(each)
    changes, known, released = Changes(), set(exemplars), set[str]()
    for item in items:
        old = before.get(item.key, [])
        new = [] if item.withdrawn else _carried(item)
        if old and old != new:
            changes.drop.add(item.key)
            released |= {each.exemplar for each in old if each.exemplar}
        if new and old != new:
            changes.carry += new
        if item.exemplar is not None and not item.withdrawn and item.exemplar not in known:
            changes.add.setdefault(item.exemplar, item)
        changes.said.append((item, _status(item, bool(old), old == new, item.exemplar in known)))
    still = {each.exemplar for each in held if each.key not in changes.drop}
    still |= {each.exemplar for each in changes.carry}
    changes.remove = (released - still) & known
    return changes


def track_of(records: Sequence[HashRecord], form: str) -> Track | None:
    """The PDQ hashes among the records as a track in time order; None where there are none."""
    hashes = frames.pdq_of(records)
    if not hashes:
        return None
    times_s = np.array([each.time_s or 0.0 for each in hashes], np.float64) + 0.0
    order = np.argsort(times_s, kind="stable")
    digits = "".join(each.value for each in hashes)
    values = np.frombuffer(bytes.fromhex(digits), np.uint8).reshape(-1, HASH_BYTES)
    quality = np.array([frames.quality_of(each) for each in hashes], np.uint8)
    spec = {RECEIVED: form}
    return Track("pdq", times_s[order], values[order], quality[order], spec)


def empty_tracks(manifest: Manifest) -> dict[str, Track]:
    """Tracks without samples, for the signals of the index that a list cannot bring."""
    none = np.empty(0, np.float64)
    return {
        signal: Track(signal, none, no_values(signal, row_width(signal, manifest)))
        for signal in manifest.signals
        if signal != "pdq"
    }


def _item(records: tuple[HashRecord, ...]) -> Item:
    first = records[0]
    track = None if first.withdrawn else track_of(records, first.origin)
    exemplar = None if track is None else hashes_id(track.times_s, track.values)
    # Large fingerprints come by reference, which NCMEC asks not to store.
    kept = tuple(each for each in records if each.value or each.withdrawn)
    return Item(CarriedRecord(first, exemplar).key, first, kept, first.withdrawn, exemplar, track)


def _carried(item: Item) -> list[CarriedRecord]:
    return [
        CarriedRecord(each, item.exemplar if each.kind in ("pdq", "vpdq") else None)
        for each in item.records
    ]


def _status(item: Item, was_held: bool, same: bool, known: bool) -> Status:
    if item.withdrawn:
        return "removed" if was_held else "absent"
    if was_held:
        return "present" if same else "updated"
    if item.exemplar is None:
        return "carried"
    return "present" if known else "added"
