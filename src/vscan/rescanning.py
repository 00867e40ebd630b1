"""Judging again from a frame store: no decoder, and a model only for prompts never met before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vscan.digests import Digests
from vscan.errors import DamagedTrack, ModelError, StoreError, UsageError
from vscan.flood import LEAST_SOURCES, FloodGuard, Watch
from vscan.provenance import provenance_of
from vscan.readiness import configuration_notes, refuse_blindness, unscored_warnings
from vscan.scanning import load_model, needed_signals
from vscan.settings import ScanSettings
from vscan.store.source_records import DamagedSource
from vscan.verdicts import ErrorRecord, verdict_id

if TYPE_CHECKING:
    from vscan.embeddings.prompts import PackPrompts
    from vscan.exemplars.index import ExemplarIndex
    from vscan.measuring import Measured
    from vscan.pipeline import Rules
    from vscan.policies import PolicyPack
    from vscan.store.frames import FrameStore
    from vscan.store.source_records import StoredSource
    from vscan.verdicts import Verdict

NOT_STORED = "signal_not_stored"
"""Warning: a signal that would be judged was not measured when the source was scanned."""
DAMAGED = "store_damaged"
"""Error: what the store holds of the source is not what was written."""


@dataclass(frozen=True)
class MeasuredBy:
    """What a verdict says of how its source was measured."""

    sampling: str = ""
    model: str | None = None
    precision: str | None = None

    @classmethod
    def of(cls, record: StoredSource) -> MeasuredBy:
        """As the record says, also of a source that could not be read."""
        sampling = next((made_by["sampling"] for made_by in record.specs.values()), "")
        embedding = record.specs.get("embedding", {})
        return cls(sampling, embedding.get("model"), embedding.get("precision"))


@dataclass(frozen=True, eq=False)
class Rejudging:
    """A rescan that is ready: everything it needs beside the store is loaded."""

    store: FrameStore
    pack: PolicyPack
    indexes: tuple[ExemplarIndex, ...]
    signals: tuple[str, ...]
    """Judged, where they are stored."""
    rules: Mapping[MeasuredBy, Rules]
    """For every way in which the store's sources were measured, the first one first."""
    sources: int
    """Records in the store."""
    notes: tuple[str, ...]
    flood_share: float
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
                provenance = self.rules[MeasuredBy.of(record)].provenance
                if is_done(verdict_id(record.uri, record.sha256, provenance)):
                    self._missing(record)
                    yield None
                    continue
            yield self.verdict(record)

    def verdict(self, record: StoredSource | DamagedSource) -> Verdict:
        """The verdict of one source, whatever its tracks have come to."""
        from vscan.pipeline import error_verdict, judge_source

        if isinstance(record, DamagedSource):
            self.damaged.append(record)
            rules = next(iter(self.rules.values()))
            damage = _damaged(f"{record.name}: {record.problem}")
            return error_verdict(record.name, {}, None, damage, rules.provenance)
        rules, missing = self.rules[MeasuredBy.of(record)], self._missing(record)
        error = record.error
        try:
            measured = self.recalled(record)
        except StoreError as damage:
            if isinstance(damage, DamagedTrack):
                self.damaged.append(damage)
            measured, error = None, _damaged(damage.message)
        if measured is None:
            error = error or _damaged("the store names no track of it")
            provenance = rules.provenance
            return error_verdict(record.uri, record.meta, _digests(record), error, provenance)
        warnings = (NOT_STORED,) if missing else ()
        return judge_source(record.uri, record.meta, measured, rules=rules, warnings=warnings)

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
    signals = settings.signals or needed_signals(pack, indexes)
    refuse_blindness(pack, indexes, signals)
    ways: Counter[MeasuredBy] = Counter()
    for record in store.sources():
        ways[MeasuredBy() if isinstance(record, DamagedSource) else MeasuredBy.of(record)] += 1
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
        rules={way: rules_for(pack, indexes, signals, way, settings, now) for way in common},
        sources=ways.total(),
        notes=configuration_notes(pack, indexes, signals),
        flood_share=settings.flood_share,
    )


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


def rules_for(
    pack: PolicyPack,
    indexes: Sequence[ExemplarIndex],
    signals: tuple[str, ...],
    way: MeasuredBy,
    settings: ScanSettings,
    now: str,
) -> Rules:
    """What sources that were measured in that way are held against.

    Raises ModelError where prompts would have to be encoded and cannot be, ExemplarIndexError where
    an index is of another model than the stored embeddings.
    """
    from vscan.matching.prompt_scores import PromptScorer
    from vscan.pipeline import Rules

    judged = way.model is not None and "embedding" in signals
    scorer = None
    if judged and way.model is not None:
        for index in indexes:
            index.require_model(way.model)
        if any(policy.prompts for policy in pack.policies):
            scorer = PromptScorer(_prompts(pack, way.model, settings))
    return Rules(
        pack=pack,
        scorer=scorer,
        indexes=indexes,
        provenance=provenance_of(
            pack,
            way.sampling,
            signals,
            indexes,
            now=now,
            model=way.model if judged else None,
            precision=way.precision if judged else None,
        ),
        warnings=unscored_warnings(pack, signals),
        signals=signals,
    )


def _prompts(pack: PolicyPack, fingerprint: str, settings: ScanSettings) -> PackPrompts:
    """The pack's prompts for that model: kept ones, else encoded by the model itself."""
    from vscan.embeddings.model_files import same_model
    from vscan.embeddings.prompts import pack_prompts, stored_prompts

    try:
        return stored_prompts(pack, fingerprint)
    except ModelError:
        name = fingerprint.partition("#")[0]
        encoder = load_model(replace(settings, model=settings.model or name))
        if not same_model(encoder.fingerprint, fingerprint):
            raise ModelError(
                f"the stored embeddings were made by {fingerprint}, not by {encoder.fingerprint}",
                remedy=f"give that model: --model {name}, with --weights where it was a file",
            ) from None
        return replace(pack_prompts(pack, encoder), model=fingerprint)


def _damaged(message: str) -> ErrorRecord:
    return ErrorRecord(code=DAMAGED, message=message)


def _digests(record: StoredSource) -> Digests | None:
    if record.sha256 is None:
        return None
    return Digests(record.sha256, record.md5 or "", record.bytes or 0)
