"""Judging again from a frame store: no decoder, and a model only for prompts never met before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vscan.digests import Digests
from vscan.errors import DamagedTrack, StoreError, UsageError
from vscan.flood import LEAST_SOURCES, FloodGuard, Watch
from vscan.measured_by import MeasuredBy, rules_for
from vscan.readiness import configuration_notes, refuse_blindness
from vscan.scanning import needed_signals, refuse_twins
from vscan.settings import ScanSettings
from vscan.store.source_records import DamagedSource
from vscan.verdicts import ErrorRecord, verdict_id

if TYPE_CHECKING:
    from vscan.exemplars.index import ExemplarIndex
    from vscan.matching.match import Match
    from vscan.measuring import Measured
    from vscan.policies import PolicyPack
    from vscan.rules import Rules
    from vscan.store.frames import FrameStore
    from vscan.store.source_records import StoredSource
    from vscan.verdicts import Verdict

NOT_STORED = "signal_not_stored"
"""Warning: a signal that would be judged was not measured when the source was scanned."""
DAMAGED = "store_damaged"
"""Error: what the store holds of the source is not what was written."""


@dataclass(frozen=True, eq=False)
class Rejudging:
    """A rescan that is ready: everything it needs beside the store is loaded."""

    store: FrameStore
    pack: PolicyPack
    indexes: tuple[ExemplarIndex, ...]
    signals: tuple[str, ...]
    """Judged, where they are stored."""
    rules: Mapping[MeasuredBy, Rules]
    """For every way in which the store's sources were measured, the most common one first."""
    scored: frozenset[MeasuredBy]
    """Those of these ways in which any source could be read."""
    make_rules: Callable[[MeasuredBy], Rules]
    """For a way that a scan has brought since."""
    sources: int
    """Records in the store."""
    notes: tuple[str, ...]
    flood_share: float
    made_since: dict[MeasuredBy, Rules] = field(default_factory=dict)
    """Rules of ways that a scan has brought since this was made ready."""
    missing: Counter[str] = field(default_factory=Counter)
    """Sources without a track, by signal, as far as they were judged."""
    damaged: list[DamagedTrack | DamagedSource] = field(default_factory=list)
    """What was not as it was written, as far as sources were judged."""

    def verdicts(
        self,
        *,
        is_done: Callable[[str], bool] = lambda _: False,
        watch: Watch | None = None,
    ) -> Generator[Verdict | None, None, None]:
        """The verdict of every source in the store, in its order; None for one whose verdict id
        `is_done` knows. watch: as in `scanning.run_scan`."""
        verdicts = self._verdicts(is_done)
        return verdicts if watch is None else watch.over(verdicts)

    def _verdicts(self, is_done: Callable[[str], bool]) -> Generator[Verdict | None, None, None]:
        for record in self.store.sources():
            if not isinstance(record, DamagedSource):
                provenance = self.rules_of(record).provenance
                if is_done(verdict_id(record.uri, record.sha256, provenance)):
                    self._missing(record)
                    yield None
                    continue
            elif record.uri is None:
                self.damaged.append(record)  # nobody knows of which source
                continue
            yield self.verdict(record)

    def rules_of(self, record: StoredSource) -> Rules:
        """What that source is held against. Raises UsageError as `prepare_rescan`, for a source
        that was measured in a way of which the store had none before."""
        way = MeasuredBy.of(record)
        if way in self.rules and (way in self.scored or not record.tracks):
            return self.rules[way]
        if way not in self.made_since:
            self.made_since[way] = self.make_rules(way)
        return self.made_since[way]

    def verdict(self, record: StoredSource | DamagedSource) -> Verdict:
        """The verdict of one source, whatever its tracks have come to."""
        from vscan.rules import error_verdict

        if isinstance(record, DamagedSource):
            self.damaged.append(record)
            rules = next(iter(self.rules.values()))
            damage = _damaged(f"{record.name}: {record.problem}")
            return error_verdict(record.uri or record.name, {}, None, damage, rules.provenance)
        error = record.error
        try:
            measured = self.recalled(record)
        except StoreError as damage:
            if isinstance(damage, DamagedTrack):
                self.damaged.append(damage)
            measured, error = None, _damaged(damage.message)
        if measured is None:
            error = error or _damaged("the store names no track of it")
            self._missing(record)
            provenance = self.rules_of(record).provenance
            return error_verdict(
                record.uri, record.meta, _digests(record), error, provenance, version=record.version
            )
        return self.judged(record, measured)

    def judged(
        self, record: StoredSource, measured: Measured, *, matches: Sequence[Match] | None = None
    ) -> Verdict:
        """The verdict of a source that was recalled. matches: as of `rules.judge_source`."""
        from vscan.rules import judge_source

        return judge_source(
            record.uri,
            record.meta,
            measured,
            rules=self.rules_of(record),
            warnings=(NOT_STORED,) if self._missing(record) else (),
            matches=matches,
            version=record.version,
        )

    def recalled(self, record: StoredSource) -> Measured | None:
        """What was measured of a source; None where it could not be read when it was scanned.

        Raises StoreError: MissingTrack, DamagedTrack, or where the store cannot be read.
        """
        from vscan.keeping import recalled

        if record.sha256 is None or not record.tracks:
            return None
        judged = {each: key for each, key in record.tracks.items() if each in self.signals}
        # Where nothing that is judged is stored, any track tells how the reading went.
        keys = judged or dict([next(iter(record.tracks.items()))])
        plan = MeasuredBy.of(record).sampling
        return recalled(self.store, record.sha256, keys, plan=plan, indexes=self.indexes)

    def _missing(self, record: StoredSource) -> list[str]:
        missing = [each for each in self.signals if record.tracks and each not in record.tracks]
        self.missing.update(missing)
        return missing

    @property
    def nameless(self) -> int:
        """Records, as far as sources were judged, that are too damaged to tell whose they are."""
        return sum(isinstance(each, DamagedSource) and each.uri is None for each in self.damaged)

    def watch(self, *, least: int = LEAST_SOURCES) -> Watch | None:
        """The flood guard, as a scan has it; None where it is off or there is nothing to guard."""
        guard = FloodGuard.of(self.flood_share, self.indexes, least)
        if guard is None:
            return None
        provenances = [each.provenance for each in self.rules.values()]
        return Watch(guard, pack=self.pack, indexes=self.indexes, provenances=provenances)


def prepare_rescan(settings: ScanSettings) -> Rejudging:
    """Load pack and indexes, and the pack's prompts for every model of the store's embeddings.

    Raises UsageError: no store, a pack or index that cannot be used, prompts that no model at hand
    can encode.
    """
    from vscan.exemplars.index import ExemplarIndex
    from vscan.exemplars.writer import utc_now
    from vscan.policies import load_pack
    from vscan.store.frames import FrameStore

    if settings.store is None:
        raise UsageError("no frame store", remedy="name one: --store DIR, as a scan was given")
    store = FrameStore.open(settings.store)
    pack = load_pack(settings.policy)
    now = utc_now()
    indexes = tuple(ExemplarIndex.open(folder, now=now) for folder in settings.indexes)
    refuse_twins(indexes)
    signals = settings.signals or needed_signals(pack, indexes)
    refuse_blindness(pack, indexes, signals)
    ways, scored = _ways(store)
    if not ways:
        raise UsageError(
            f"{settings.store}: the frame store is empty",
            remedy="fill it: vscan scan VIDEOS --store " + settings.store,
        )
    common = [way for way, _ in ways.most_common()]
    return Rejudging(
        store=store,
        pack=pack,
        indexes=indexes,
        signals=signals,
        rules={
            way: rules_for(pack, indexes, signals, way, settings, now, scored=way in scored)
            for way in common
        },
        scored=scored,
        make_rules=lambda way: rules_for(pack, indexes, signals, way, settings, now),
        sources=ways.total(),
        notes=configuration_notes(pack, indexes, signals, models_of(scored)),
        flood_share=settings.flood_share,
    )


def _ways(store: FrameStore) -> tuple[Counter[MeasuredBy], frozenset[MeasuredBy]]:
    """How the sources of a store were measured, and in which of these ways any could be read."""
    ways: Counter[MeasuredBy] = Counter()
    scored = set()
    for record in store.sources():
        way = MeasuredBy() if isinstance(record, DamagedSource) else MeasuredBy.of(record)
        ways[way] += 1
        if not isinstance(record, DamagedSource) and record.tracks:
            scored.add(way)
    return ways, frozenset(scored)


def models_of(ways: Iterable[MeasuredBy]) -> list[str]:
    """Fingerprints of the models that made embeddings in these ways, sorted, each once."""
    return sorted({way.model for way in ways if way.model is not None})


def rescan(settings: ScanSettings) -> Iterator[Verdict]:
    """Judge everything in the frame store `settings.store` again; yields verdicts in its order.

    They are those of a full scan with the same pack, model and indexes, where no verdict warns of
    `signal_not_stored`. Settings of reading (sampling, workers, timeout) say nothing here. Raises
    as `prepare_rescan`.

        for verdict in vscan.rescan(vscan.ScanSettings(store="frames", policy="new.toml")):
            print(verdict.source.uri, verdict.outcome)
    """
    rejudging = prepare_rescan(settings)
    with closing(rejudging.verdicts(watch=rejudging.watch())) as verdicts:
        yield from (verdict for verdict in verdicts if verdict is not None)


def _damaged(message: str) -> ErrorRecord:
    return ErrorRecord(code=DAMAGED, message=message)


def _digests(record: StoredSource) -> Digests | None:
    if record.sha256 is None:
        return None
    return Digests(record.sha256, record.md5 or "", record.bytes or 0)
