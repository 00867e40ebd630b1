"""A backtest: two packs over everything in a frame store, and what the change changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vscan.errors import DamagedTrack, UsageError
from vscan.findings import KNOWN_CONTENT
from vscan.flood import FloodGuard
from vscan.metrics.backtest.comparing import compare
from vscan.metrics.backtest.flip import Flip
from vscan.metrics.backtest.flip_sample import FlipSample
from vscan.metrics.backtest.judging_twice import Pair, TwoPacks, prepare_two_packs
from vscan.metrics.backtest.report import (
    Backtest,
    FlipCounts,
    Judged,
    Measured,
    Review,
    Sources,
    Unjudged,
)
from vscan.metrics.backtest.volumes import MINUTES_PER_REVIEW, VolumeCount
from vscan.metrics.labelled import LabelCount
from vscan.metrics.labels import Labels, load_labels
from vscan.provenance import version
from vscan.rescanning import Rejudging
from vscan.runs import without_secrets
from vscan.settings import ScanSettings
from vscan.store.source_records import DamagedSource

MOST_LISTED = 10_000
"""Flips that a report lists; all of them go to `on_flip`."""
MOST_DAMAGES = 20


@dataclass(frozen=True, kw_only=True)
class BacktestSettings:
    """What a backtest is told beside what judging is told (ScanSettings)."""

    old: str
    """A shipped pack's name, or a path to a .toml file."""
    new: str
    labels: Path | None = None
    minutes_per_review: float = MINUTES_PER_REVIEW
    sample: int = 0
    """Flips to draw; 0: none."""
    seed: int = 0
    listed: int = MOST_LISTED
    """Flips that the report lists at most."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.minutes_per_review < float("inf"):
            raise UsageError(
                f"minutes per review must be a number from 0 on, not {self.minutes_per_review}"
            )
        if self.sample < 0:
            raise UsageError(f"a sample has 0 flips or more, not {self.sample}")


@dataclass(eq=False)
class Backtesting:
    """A backtest under way: `steps` judges, `report` says what came of it."""

    settings: BacktestSettings
    packs: TwoPacks
    labels: Labels | None
    volumes: VolumeCount = field(default_factory=VolumeCount)
    flips: Counter[str] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)
    listed: list[Flip] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._labelled = None if self.labels is None else LabelCount(self.labels)
        self._sample = FlipSample(self.settings.sample, self.settings.seed)
        indexes, share = self.packs.old.indexes, self.packs.old.flood_share
        self._floods = [FloodGuard.of(share, indexes), FloodGuard.of(share, indexes)]

    def steps(self, on_flip: Callable[[Flip], object] = lambda _: None) -> Iterator[Pair]:
        """Judges each source of the store under both packs, and yields what it was judged to be.

        on_flip: gets every flip as it is found.
        """
        for pair in self.packs.pairs():
            flip = self._see(pair)
            if flip is not None:
                on_flip(flip)
            yield pair

    def _see(self, pair: Pair) -> Flip | None:
        if self._labelled is not None:
            self._labelled.see(pair.old, pair.new, judged=pair.is_judged)
        if not pair.is_judged:
            error = pair.new.error or pair.old.error
            self.unjudged["internal" if error is None else error.code] += 1
            return None
        self.volumes.see(pair.old, pair.new)
        for guard, verdict in zip(self._floods, (pair.old, pair.new), strict=True):
            if guard is not None:
                guard.see(verdict)
        flip = compare(
            pair.old,
            pair.new,
            old_pack=self.packs.old.pack,
            new_pack=self.packs.new.pack,
            old_peaks=pair.old_peaks,
            new_peaks=pair.new_peaks,
        )
        if flip is not None:
            self._count(flip)
        return flip

    def _count(self, flip: Flip) -> None:
        kind = "policies"
        if flip.old_outcome != flip.new_outcome:
            kind = "outcome"
        elif flip.old_action != flip.new_action:
            kind = "action"
        self.flips[kind] += 1
        if len(self.listed) < self.settings.listed:
            self.listed.append(flip)
        if self.settings.sample:
            self._sample.see(flip)

    def report(self) -> Backtest:
        """What has come of it so far."""
        old, new = self.packs.old, self.packs.new
        before, after = self.volumes.workloads(self.settings.minutes_per_review)
        known = {*old.pack.ids, *new.pack.ids, KNOWN_CONTENT}
        provenance = next(iter(new.rules.values())).provenance
        labelled, path = self._labelled, self.settings.labels
        return Backtest(
            vscan=version(),
            store=without_secrets(str(old.store.root)),
            old=_judged(self.settings.old, old),
            new=_judged(self.settings.new, new),
            indexes=provenance.indexes,
            sources=self._sources(),
            flips=FlipCounts(
                total=self.flips.total(),
                outcome=self.flips["outcome"],
                action=self.flips["action"],
                policies=self.flips["policies"],
                listed=len(self.listed),
            ),
            review=Review(
                minutes_per_review=self.settings.minutes_per_review,
                old=before,
                new=after,
                change_videos=after.flagged - before.flagged,
                change_hours=round(after.hours - before.hours, 2),
            ),
            volumes=self.volumes.volumes(),
            transitions=self.volumes.moves(),
            labels=None if labelled is None or path is None else labelled.report(str(path), known),
            sample=self._sample.drawn() if self.settings.sample else None,
            listed_flips=tuple(self.listed),
            notes=tuple(self._notes()),
        )

    def _sources(self) -> Sources:
        old, new = self.packs.old, self.packs.new
        damages = dict.fromkeys(
            _told(each, str(old.store.root)) for each in (*old.damaged, *new.damaged)
        )
        return Sources(
            videos=self.volumes.compared + self.unjudged.total(),
            compared=self.volumes.compared,
            unjudged=tuple(
                Unjudged(code=code, videos=videos) for code, videos in sorted(self.unjudged.items())
            ),
            damaged=len(damages),
            damages=tuple(damages)[:MOST_DAMAGES],
            measured=tuple(
                Measured(sampling=way.sampling, model=way.model, precision=way.precision)
                for way in old.rules
                if way.sampling
            ),
        )

    def _notes(self) -> Iterator[str]:
        for name, rejudging in (("old", self.packs.old), ("new", self.packs.new)):
            yield from (f"{name} pack: {note}" for note in rejudging.notes)
            for signal, videos in sorted(rejudging.missing.items()):
                yield (
                    f"{name} pack: {videos} videos have no {signal} in the store"
                    " (signal_not_stored): what it would have shown is not in these figures"
                )
        if self.packs.old.pack.digest == self.packs.new.pack.digest:
            yield "both packs say the same: nothing can change"
        floods = {
            (flood.index, flood.exemplar): flood
            for guard in self._floods
            if guard is not None
            for flood in guard.floods
        }
        for flood in floods.values():
            yield (
                f"flood: {flood.exemplar} of the index {flood.index} matched {flood.sources} of"
                f" {flood.of} videos: a scan would set it aside, these figures hold it"
            )


def _judged(given: str, rejudging: Rejudging) -> Judged:
    return Judged(
        given=given,
        pack=rejudging.pack.ref,
        signals=rejudging.signals,
        without_signal=dict(sorted(rejudging.missing.items())),
    )


def _told(damage: DamagedTrack | DamagedSource, root: str) -> str:
    """What is damaged; where the message names the store, without what its URI has of secrets."""
    if isinstance(damage, DamagedTrack):
        return damage.message.replace(root, without_secrets(root))
    return f"{damage.name}: {damage.problem}"


def prepare_backtest(settings: BacktestSettings, judging: ScanSettings) -> Backtesting:
    """Load both packs, the indexes and the labels.

    judging: the store, indexes and model; its `policy` says nothing here. Raises UsageError where
    one of them cannot be used.
    """
    labels = None if settings.labels is None else load_labels(settings.labels)
    return Backtesting(settings, prepare_two_packs(settings.old, settings.new, judging), labels)


def backtest(settings: BacktestSettings, judging: ScanSettings) -> Backtest:
    """What changes on everything in the store `judging.store` where `settings.new` takes the place
    of `settings.old`. Raises as `prepare_backtest`."""
    running = prepare_backtest(settings, judging)
    for _ in running.steps():
        pass
    return running.report()
