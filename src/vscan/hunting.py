"""Retro-hunt: exemplars of an index in everything that a frame store holds, without decoding."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vscan.errors import SourceError, StoreError, UsageError, internal_error
from vscan.indexing import Searched
from vscan.rescanning import DAMAGED, NOT_STORED, MeasuredBy
from vscan.settings import ScanSettings, available_cores
from vscan.store.source_records import DamagedSource, StoredSource
from vscan.verdicts import ErrorRecord

if TYPE_CHECKING:
    from vscan.exemplars.index import ExemplarIndex
    from vscan.measuring import Measured
    from vscan.store.frames import FrameStore

SOURCES_AT_ONCE = 256
"""Sources whose tracks a worker has in memory at the same time: 20 MB if they are short videos."""
Item = TypeVar("Item")
Result = TypeVar("Result")


def hunt(path: Path, *, settings: ScanSettings) -> Generator[Searched, None, None]:
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
    batches = _batches(store.sources(), SOURCES_AT_ONCE)
    for found in _in_order(batches, hunter.search, workers):
        yield from found


class _Hunter:
    """Looks batches of stored sources up in one index; safe from several threads."""

    def __init__(self, store: FrameStore, index: ExemplarIndex, signals: Sequence[str]) -> None:
        from vscan.matching.sieve import Sieve

        self._store = store
        self._index = index
        self._signals = tuple(each for each in index.signals if each in signals)
        self._sieve = Sieve(index)
        self._copies = {each.sha256 for each in index.exemplars}
        self._copies |= {each.md5 for each in index.exemplars if each.md5}

    def search(self, records: Sequence[StoredSource | DamagedSource]) -> list[Searched]:
        """What the index says of each of them, in their order."""
        from vscan.pipeline import match_exemplars

        measured = [self._measured(record) for record in records]
        whole = [each for each in measured if not isinstance(each, SourceError)]
        passing = dict(
            zip(map(id, whole), self._sieve.passing([each.tracks for each in whole]), strict=True)
        )
        found = []
        for record, each in zip(records, measured, strict=True):
            uri = record.name if isinstance(record, DamagedSource) else record.uri
            if isinstance(each, SourceError):
                found.append(Searched(uri, error=each))
            elif passing[id(each)] or each.keypoint_hits or self._is_copy(each):
                matches = tuple(match_exemplars(each, [self._index]))
                found.append(Searched(uri, matches, not_stored=self._missing(record)))
            else:
                found.append(Searched(uri, not_stored=self._missing(record)))
        return found

    def _measured(self, record: StoredSource | DamagedSource) -> Measured | SourceError:
        from vscan.keeping import recalled

        if isinstance(record, DamagedSource):
            return SourceError(DAMAGED, f"{record.name}: {record.problem}")
        if record.error is not None or record.sha256 is None:
            error = record.error or ErrorRecord(code=NOT_STORED, message="no track is recorded")
            return SourceError(error.code, error.message)
        embedded = record.specs.get("embedding", {}).get("model")
        stored = {each: key for each, key in record.tracks.items() if each in self._signals}
        if "embedding" in stored:
            self._index.require_model(embedded)
        if not stored:
            return SourceError(
                NOT_STORED,
                f"the store holds {', '.join(record.tracks) or 'no track'} of it,"
                f" and not {', '.join(self._signals)}",
            )
        try:
            plan = MeasuredBy.of(record).sampling
            return recalled(self._store, record.sha256, stored, plan=plan, indexes=[self._index])
        except StoreError as damage:
            return SourceError(DAMAGED, damage.message)
        except Exception as error:  # noqa: BLE001 -- one video's surprise must not end the others
            return internal_error(error)

    def _missing(self, record: StoredSource | DamagedSource) -> tuple[str, ...]:
        stored = () if isinstance(record, DamagedSource) else record.tracks
        return tuple(signal for signal in self._signals if signal not in stored)

    def _is_copy(self, measured: Measured) -> bool:
        return bool(self._copies & {measured.digests.sha256, measured.digests.md5})


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    each = iter(items)
    while batch := list(islice(each, size)):
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
