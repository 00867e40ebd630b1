"""Checking a frame store from end to end: every file read, every digest made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from vscan.errors import DamagedTrack, MissingTrack, StoreError
from vscan.store.frames import FrameStore
from vscan.store.holdings import HeldFile, TrackSet, held_groups
from vscan.store.layout import FRAMES, TrackName
from vscan.store.source_records import DamagedSource, StoredSource
from vscan.store.track_files import TrackFile

State = Literal["damaged", "missing", "unreadable"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    name: str
    """File below the store's folder."""
    state: State
    """`damaged`: it is not what was written; `missing`: a source record names it, and it is not
    there; `unreadable`: the system or the service does not give it."""
    problem: str


class Verification:
    """Reads everything that a store holds, a file in memory at a time."""

    def __init__(self, store: FrameStore) -> None:
        self._store = store
        self._seen = TrackSet()
        self.files = 0
        """Files read so far."""

    def findings(self) -> Iterator[Finding]:
        """All that is wrong, in the order of the files; nothing where all is right.

        Raises StoreError where the store cannot be listed.
        """
        for group in held_groups(self._store, FRAMES):
            yield from self._group(group)
        for record in self._store.sources():
            self.files += 1
            if isinstance(record, DamagedSource):
                state: State = "damaged" if record.is_readable else "unreadable"
                yield Finding(record.name, state, record.problem)
            else:
                yield from self._absent(record)

    def _group(self, group: Sequence[HeldFile]) -> Iterator[Finding]:
        """The files of one track: each by itself, and the parts against what their end names."""
        payloads: dict[int, str] = {}
        for held in group:
            name = held.track
            if name is None:
                continue
            self.files += 1
            try:
                found = self._store.read_file(name)
            except MissingTrack:
                continue  # removed or replaced since it was listed
            except StoreError as error:
                self._note(name)
                state: State = "damaged" if isinstance(error, DamagedTrack) else "unreadable"
                yield Finding(held.file.name, state, _cause(error))
                continue
            self._note(name)
            if name.part is not None:
                payloads[name.part] = found.payload
            else:
                yield from _misfits(held.file.name, found, payloads)

    def _note(self, name: TrackName) -> None:
        """A track that was there is not missing, also where it is damaged and now removed."""
        if name.part is None:
            self._seen.add(name.sha256, name.signal, name.key)

    def _absent(self, record: StoredSource) -> Iterator[Finding]:
        for signal, key in record.tracks.items():
            name = TrackName(record.sha256 or "", signal, key)
            # What a scan has just written was not there when the tracks were listed.
            if name not in self._seen and not self._store.holds(name):
                yield Finding(name.path, "missing", f"the {signal} track of {record.uri}")


def _misfits(name: str, end: TrackFile, payloads: dict[int, str]) -> Iterator[Finding]:
    for part, payload in enumerate(end.parts):
        if part not in payloads:
            yield Finding(name, "damaged", f"its part {part:04} is missing or damaged")
        elif payloads[part] != payload:
            yield Finding(name, "damaged", f"its part {part:04} is of another reading")


def _cause(error: StoreError) -> str:
    """What is wrong with a file, without its name, which stands beside it."""
    cause = error.__cause__
    return getattr(cause, "strerror", None) or str(cause)
