"""Verdicts as part files in a folder or object storage: nothing is appended to or renamed.

with closing(RecordParts(location("s3://bucket/run/"), shard=Shard(2, 5))) as sink:
    sink.write(verdict)
    sink.finish()
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from vscan.errors import OutputError
from vscan.folders import remove_under, write_under
from vscan.shards import Shard
from vscan.store.lines import StoredLine
from vscan.store.staying import Staying
from vscan.store.verdict_folder import VerdictFolder, look_at, refuse_foreign
from vscan.store.verdict_manifest import entry_of
from vscan.store.verdict_part_names import (
    DIGEST_LENGTH,
    PartName,
    manifest_path,
    new_run,
    worker_of,
)
from vscan.store.verdict_runs import RunsSoFar
from vscan.verdicts import Verdict, parse_verdict

MOST_LINES = 1000
"""Lines that are gathered for a part at most."""
MOST_BYTES = 8 * 2**20
"""Bytes of lines at which a part is stored."""
INTERVAL_S = 60.0
"""Seconds after the first gathered line from which the next one stores the part."""


class RecordParts:
    """A worker's verdicts as parts below a folder, which a run adds to and later runs resume.

    Lines are gathered and stored as one part, under a name that holds their digest, so that what is
    stored again is the same; the worker's manifest is the one file that is ever written anew. There
    is no lock: two runs as one worker judge twice and harm nothing. Lines not yet stored are lost
    with a killed process, and their videos judged again.

    Opening reads all parts that may speak of this worker's sources and learns which ids are done.
    Raises OutputError where one of them is missing, damaged or none, or the folder cannot be
    listed; nothing is scanned then.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        shard: Shard | None = None,
        fresh: bool = False,
        interval_s: float = INTERVAL_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """root: as `storage.location` gives it. fresh: parts of earlier runs do not count, and go
        once this run has stored one: those of every worker, or where there is a shard, its own."""
        self.root, self.worker = root, worker_of(shard)
        self._shard, self._is_stale = shard, fresh
        self._interval_s, self._clock_s = interval_s, clock_s
        self._staying = Staying()
        """By number of the part and offset in it: see `_place`."""
        self._gathered: list[bytes] = []
        self._bytes = 0
        self._since_s = 0.0
        self._amend: Callable[[bytes], bytes] | None = None
        self._keep_empty = self._finished = self._broken = False
        if fresh:
            refuse_foreign(root)
        folder = look_at(root, shard=shard, only_names=fresh)
        self._had_manifest = self.worker in folder.workers
        latest = folder.parts[-1].run if folder.parts else None
        self.run = new_run(now(), after=latest)
        """The name of this run: its parts begin with it."""
        self._runs = RunsSoFar(self.worker, shard, self.run)
        self._old = folder
        self._parts: list[PartName] = []
        """Those that count, in order; this run's last."""
        if not fresh:
            self._learn(folder)

    def _learn(self, folder: VerdictFolder) -> None:
        self._runs.recall(folder.manifests.get(self.worker))
        for part in folder.parts:
            number = len(self._parts)
            self._parts.append(part)
            lines = 0
            for stored in folder.lines(part):
                lines += 1
                if self._is_ours(part, stored):
                    self._staying.note_line(stored, _place(number, stored.offset))
            if part.worker == self.worker and part not in folder.entries:
                found = entry_of(part.name, folder.content(part), lines=lines)
                self._runs.add(part.run, found)

    def _is_ours(self, part: PartName, stored: StoredLine) -> bool:
        """Whether a line is of a source of this worker; earlier runs may be shared otherwise."""
        return self._shard is None or part.worker == self.worker or self._shard.holds(stored.uri)

    def is_done(self, verdict_id: str) -> bool:
        """True if this id has a final record here, which no newer one replaces."""
        return self._staying.outcome_of(verdict_id) is not None

    def outcome_of(self, verdict_id: str) -> str | None:
        """The outcome of this id's final record; None where it has none here."""
        return self._staying.outcome_of(verdict_id)

    def done_keys(self) -> Iterable[int]:
        """The keys (`name_keys.key_of`) of the ids of all final records here, as they are now."""
        return self._staying.done_keys()

    def content_of(self, uri: str, version: str) -> str | None:
        """SHA-256 of an object when it had that version, by a final record here; else None."""
        return self._staying.content_of(uri, version)

    def write(self, verdict: Verdict) -> None:
        """Gather one record; store the part where it is full, or its first line has waited.

        Raises OutputError where it cannot be stored; what was stored before counts.
        """
        self._gather(verdict.to_line(), verdict)

    def _gather(self, line: bytes, verdict: Verdict) -> None:
        if not self._gathered:
            self._since_s = self._clock_s()
        self._staying.note_verdict(verdict, _place(len(self._parts), self._bytes))
        self._runs.told(verdict.provenance)
        self._gathered.append(line)
        self._bytes += len(line)
        if (
            len(self._gathered) >= MOST_LINES
            or self._bytes >= MOST_BYTES
            or self._clock_s() - self._since_s >= self._interval_s
        ):
            self._store()

    def _store(self) -> None:
        """What is gathered as a part, and the manifest that names it."""
        if not self._gathered:
            return
        data = b"".join(self._gathered)
        entry = entry_of("", data, lines=len(self._gathered))
        sequence = self._runs.stored + 1
        part = PartName(self.run, sequence, entry.sha256[:DIGEST_LENGTH], self.worker)
        self._put(part.path, data)
        # In this order: what stops it in between may have lines stored twice, and never lost.
        self._runs.add_own(part.name, entry)
        self._parts.append(part)
        self._gathered, self._bytes = [], 0
        self._put_manifest(finished=False)
        if self._is_stale:
            # Not before: a run that fails to start, or cannot store, leaves the old parts.
            self._remove_old()
            self._is_stale = False

    def _put_manifest(self, *, finished: bool) -> None:
        self._put(manifest_path(self.worker), self._runs.manifest(finished=finished).to_json())

    def _put(self, name: str, data: bytes) -> None:
        try:
            write_under(self.root, name, data, sync=True)
        except OutputError as error:
            self._broken = True
            waiting = len(self._gathered)
            lost = f"; {waiting} verdicts are not stored and will be judged again"
            raise OutputError(
                f"{error.message}{lost if waiting else ''}",
                remedy="once the place can be written to, run the same command: it resumes",
            ) from error

    def _remove_old(self) -> None:
        """Parts of earlier runs, after the manifests that name them: those must find theirs."""
        for worker in self._old.workers:
            if worker != self.worker and self._shard is None:
                remove_under(self.root, manifest_path(worker))
        for part in self._old.parts:
            if part.worker == self.worker or self._shard is None:
                remove_under(self.root, part.path)

    def lines(self) -> Iterator[bytes]:
        """The records of this worker's sources, as they stand, without those that newer ones
        replace. Reads the parts anew."""
        gathered, number, offset = tuple(self._gathered), len(self._parts), 0
        yield from self._stored()
        for line in gathered:
            if _place(number, offset) not in self._staying.superseded:
                yield line
            offset += len(line)

    def _stored(self) -> Iterator[bytes]:
        for number, part in enumerate(tuple(self._parts)):
            for stored in self._old.lines(part):
                place = _place(number, stored.offset)
                if place not in self._staying.superseded and self._is_ours(part, stored):
                    yield stored.line + b"\n"

    def amend_on_close(self, amend: Callable[[bytes], bytes]) -> None:
        """Lets `amend` write every line anew when the output is finished: what it changes comes as
        a new line, in a later part."""
        self._amend = amend

    def keep_empty(self) -> None:
        """Leave a manifest also where no record comes: a shard that holds nothing is done, too."""
        self._keep_empty = True

    def finish(self) -> None:
        """Store what is gathered and what `amend` changes, and a manifest that says finished.

        Raises OutputError where that cannot be stored; what was stored before counts.
        """
        self._end(finished=True)

    def close(self) -> None:
        """Store what is gathered where `finish` was not called: a run that was broken off."""
        self._end(finished=False)

    def _end(self, *, finished: bool) -> None:
        if self._finished or self._broken:
            return
        self._store()
        if self._amend is not None:
            self._add_amended(self._amend)
        if self._runs.stored or (finished and self._wants_manifest()):
            self._put_manifest(finished=finished)
        # Only now: what was broken off above is made good by `close`, under the same names.
        self._finished = True

    def _wants_manifest(self) -> bool:
        """Of a run without a record: whether there is something to be said of earlier ones."""
        if self._is_stale or not (self._had_manifest or self._runs.any):
            return self._keep_empty and not self._had_manifest
        return True

    def _add_amended(self, amend: Callable[[bytes], bytes]) -> None:
        for line in self._stored():
            amended = amend(line)
            if amended != line:
                self._gather(amended, parse_verdict(amended))
        self._store()


def _place(number: int, offset: int) -> int:
    """One number for a line that begins at `offset` of the part `number`."""
    return number << 40 | offset
