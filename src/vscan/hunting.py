"""Retro-hunt: exemplars of an index in everything that a frame store holds, without decoding."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vscan.embeddings.model_files import same_model
from vscan.errors import SourceError, StoreError, UsageError, internal_error
from vscan.indexing import Searched
from vscan.measured_by import MeasuredBy
from vscan.rescanning import DAMAGED, NOT_STORED
from vscan.settings import ScanSettings, available_cores
from vscan.store.source_records import DamagedSource, StoredSource
from vscan.verdicts import ErrorRecord

if TYPE_CHECKING:
    from vscan.exemplars.index import ExemplarIndex
    from vscan.measuring import Measured
    from vscan.store.frames import FrameStore

SOURCES_AT_ONCE, SAMPLES_AT_ONCE = 256, 20_000
"""Sources, or samples of them, whose tracks a worker has in memory at the same time: 30 MB."""
Records = Sequence[StoredSource | DamagedSource]
Item = TypeVar("Item")
Result = TypeVar("Result")


def hunt(path: Path | str, *, settings: ScanSettings) -> Generator[Searched, None, None]:
    """What the index at `path` says of every source in the frame store `settings.store`.

    The matches are those that `search_index` finds in the videos themselves, by the signals and the
    samples that were stored. Sources come in the store's order; one that could not be read when it
    was scanned, or is damaged in the store, has an error. Raises UsageError where the store or the
    index cannot be used.
    """
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.writer import utc_now
    from vscan.store.frames import FrameStore

    if settings.store is None:
        raise UsageError("no frame store", remedy="name one: --store DIR, as a scan was given")
    store = FrameStore.open(settings.store)
    index = ExemplarIndex.open(path, now=utc_now())
    for signal in settings.signals or ():
        index.rows(signal)  # raises where it is not held
    hunter = _Hunter(store, index, settings.signals or index.signals)
    workers = settings.workers or available_cores()
    batches = _batches(store.sources())
    # Threads that read many small local files wait for each other more than for the disk; a
    # service is waited for, and keypoints are looked up as they are read.
    waits = not isinstance(store.root, Path) or "keypoints" in hunter.signals
    read = _in_order(batches, hunter.read, workers) if waits else map(hunter.read, batches)
    for found in _in_order(read, hunter.search, workers):
        yield from found


class _Hunter:
    """Looks batches of stored sources up in one index; safe from several threads."""

    def __init__(self, store: FrameStore, index: ExemplarIndex, signals: Sequence[str]) -> None:
        from vscan.matching.sieve import Sieve

        self._store = store
        self._index = index
        self.signals = tuple(each for each in index.signals if each in signals)
        """Looked at, of those that the index holds."""
        self._sieve = Sieve(index)
        self._copies = {each.sha256 for each in index.exemplars}
        self._copies |= {each.md5 for each in index.exemplars if each.md5}

    def read(self, records: Records) -> tuple[Records, list[Measured | SourceError]]:
        """The records, and what was measured of each, or why it cannot be had."""
        return records, [self._measured(record) for record in records]

    def search(self, read: tuple[Records, list[Measured | SourceError]]) -> list[Searched]:
        """What the index says of each source that was read, in their order."""
        records, measured = read
        whole = [n for n, each in enumerate(measured) if not isinstance(each, SourceError)]
        tracks = [each.tracks for each in measured if not isinstance(each, SourceError)]
        passing = dict(zip(whole, self._sieve.passing(tracks).tolist(), strict=True))
        return [
            self._searched(record, each, near=passing.get(n, False))
            for n, (record, each) in enumerate(zip(records, measured, strict=True))
        ]

    def _searched(
        self,
        record: StoredSource | DamagedSource,
        measured: Measured | SourceError,
        *,
        near: bool,
    ) -> Searched:
        from vscan.rules import match_exemplars

        if isinstance(record, DamagedSource):
            uri, missing = record.uri or record.name, self.signals
        else:
            uri, missing = record.uri, self._missing(record)
        if isinstance(measured, SourceError):
            return Searched(uri, error=measured)
        if not (near or measured.keypoint_hits or self._is_copy(measured)):
            return Searched(uri, not_stored=missing)
        try:
            matches = tuple(match_exemplars(measured, [self._index]))
        except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
            return Searched(uri, error=internal_error(error))
        return Searched(uri, matches, not_stored=missing)

    def _measured(self, record: StoredSource | DamagedSource) -> Measured | SourceError:
        from vscan.keeping import recalled

        if isinstance(record, DamagedSource):
            return SourceError(DAMAGED, f"{record.name}: {record.problem}")
        if record.error is not None or record.sha256 is None:
            error = record.error or ErrorRecord(code=NOT_STORED, message="no track is recorded")
            return SourceError(error.code, error.message)
        missing = self._missing(record)
        keys = {each: record.tracks[each] for each in self.signals if each not in missing}
        if not keys:
            return SourceError(
                NOT_STORED,
                f"the store holds {', '.join(record.tracks) or 'no track'} of it,"
                f" and not {', '.join(self.signals)} as this index has it",
            )
        try:
            plan = MeasuredBy.of(record).sampling
            return recalled(self._store, record.sha256, keys, plan=plan, indexes=[self._index])
        except StoreError as damage:
            return SourceError(DAMAGED, damage.message)
        except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
            return internal_error(error)

    def _missing(self, record: StoredSource) -> tuple[str, ...]:
        """Signals that are looked for and not stored, or stored of another model's making."""
        return tuple(
            signal
            for signal in self.signals
            if signal not in record.tracks
            or (signal == "embedding" and not self._is_comparable(record.specs[signal]))
        )

    def _is_comparable(self, made_by: Mapping[str, str]) -> bool:
        model = self._index.manifest.model
        return model is not None and same_model(made_by.get("model", ""), model.fingerprint)

    def _is_copy(self, measured: Measured) -> bool:
        return bool(self._copies & {measured.digests.sha256, measured.digests.md5})


def _batches(
    records: Iterable[StoredSource | DamagedSource],
) -> Iterator[list[StoredSource | DamagedSource]]:
    """The records in their order, so many at a time as a worker may have in memory."""
    batch: list[StoredSource | DamagedSource] = []
    samples = 0
    for record in records:
        report = None if isinstance(record, DamagedSource) else record.report
        own = 0 if report is None else report.read
        if batch and (len(batch) == SOURCES_AT_ONCE or samples + own > SAMPLES_AT_ONCE):
            yield batch
            batch, samples = [], 0
        batch.append(record)
        samples += own
    if batch:
        yield batch


def _in_order(
    items: Iterable[Item], work: Callable[[Item], Result], workers: int
) -> Iterator[Result]:
    """What `work` makes of each item in several threads, in the items' order; few are held."""
    with ThreadPoolExecutor(workers, "vscan-hunt") as threads:
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(threads.submit(work, item))
                if len(pending) > workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
