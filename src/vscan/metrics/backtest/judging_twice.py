"""Everything in a frame store judged under two packs, the tracks of each source read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from vscan.errors import StoreError
from vscan.matching.prompt_scores import PolicyScores, PromptScorer
from vscan.measured_by import MeasuredBy, rules_for
from vscan.readiness import configuration_notes, refuse_blindness
from vscan.rescanning import Rejudging, models_of, prepare_rescan
from vscan.rules import Rules
from vscan.scanning import needed_signals
from vscan.settings import ScanSettings
from vscan.store.source_records import DamagedSource

if TYPE_CHECKING:
    from vscan.embeddings.prompts import PackPrompts
    from vscan.measuring import Measured
    from vscan.metrics.backtest.comparing import Peaks
    from vscan.store.source_records import StoredSource
    from vscan.tracks import Track
    from vscan.verdicts import Verdict


class RememberingScorer(PromptScorer):
    """A scorer that knows the scores of the last track: two packs with the same prompts, and the
    search for what a flip is due to, ask for them again."""

    def __init__(self, prompts: PackPrompts) -> None:
        super().__init__(prompts)
        self._last: tuple[Track, tuple[PolicyScores, ...]] | None = None

    def score(self, track: Track) -> tuple[PolicyScores, ...]:
        """As PromptScorer.score."""
        if self._last is None or self._last[0] is not track:
            self._last = (track, super().score(track))
        return self._last[1]


@dataclass(frozen=True, eq=False)
class Pair:
    """One source under both packs."""

    old: Verdict
    new: Verdict
    old_peaks: Peaks
    new_peaks: Peaks

    @property
    def is_judged(self) -> bool:
        """Whether neither verdict is an error."""
        return self.old.outcome != "error" and self.new.outcome != "error"


@dataclass(frozen=True, eq=False)
class TwoPacks:
    """A store that is ready to be judged under two packs."""

    old: Rejudging
    new: Rejudging

    def pairs(self) -> Iterator[Pair]:
        """Every source in the store, in its order; records that are too damaged to tell whose they
        are go to `old.damaged`, as a rescan has it. Raises as `Rejudging.rules_of`."""
        both = replace(
            self.old, signals=tuple(dict.fromkeys((*self.old.signals, *self.new.signals)))
        )
        for record in self.old.store.sources():
            if isinstance(record, DamagedSource) and record.uri is None:
                self.old.damaged.append(record)
                continue
            yield self._pair(record, both)

    def _pair(self, record: StoredSource | DamagedSource, both: Rejudging) -> Pair:
        measured = None
        if not isinstance(record, DamagedSource):
            # It may be a signal that only one pack judges: then each looks for itself.
            with suppress(StoreError):
                measured = both.recalled(record)
        if measured is None or isinstance(record, DamagedSource):
            return Pair(self.old.verdict(record), self.new.verdict(record), dict, dict)
        return Pair(
            self.old.judged(record, measured),
            self.new.judged(record, measured),
            lambda: _peaks(self.old.rules_of(record), measured),
            lambda: _peaks(self.new.rules_of(record), measured),
        )


def prepare_two_packs(old: str, new: str, settings: ScanSettings) -> TwoPacks:
    """Load both packs, and once what they share: the indexes, and prompts that are the same.

    old, new: names of shipped packs, or paths; `settings.policy` says nothing here. Raises
    UsageError as `prepare_rescan`.
    """
    from vscan.exemplars.writer import utc_now
    from vscan.policies import load_pack

    pack = load_pack(new)
    before = prepare_rescan(replace(settings, policy=old))
    signals = settings.signals or needed_signals(pack, before.indexes)
    refuse_blindness(pack, before.indexes, signals)
    now = utc_now()

    @cache
    def both(way: MeasuredBy) -> tuple[Rules, Rules]:
        known = way in before.rules
        scored = not known or way in before.scored
        first = before.rules[way] if known else before.make_rules(way)
        second = rules_for(pack, before.indexes, signals, way, settings, now, scored=scored)
        return _sharing(first, second)

    after = replace(
        before,
        pack=pack,
        signals=signals,
        rules={way: both(way)[1] for way in before.rules},
        make_rules=lambda way: both(way)[1],
        notes=configuration_notes(pack, before.indexes, signals, models_of(before.scored)),
        missing=Counter(),
        damaged=[],
        made_since={},
    )
    old_rules = {way: both(way)[0] for way in before.rules}
    return TwoPacks(replace(before, rules=old_rules, make_rules=lambda way: both(way)[0]), after)


def _sharing(old: Rules, new: Rules) -> tuple[Rules, Rules]:
    """The rules with scorers that remember, one for both where the prompts are the same."""
    first = None if old.scorer is None else RememberingScorer(old.scorer.prompts)
    second = None if new.scorer is None else RememberingScorer(new.scorer.prompts)
    if first is not None and second is not None and _same(first.prompts, second.prompts):
        second = first
    return replace(old, scorer=first), replace(new, scorer=second)


def _same(one: PackPrompts, other: PackPrompts) -> bool:
    head = (one.model, one.logit_scale, len(one.policies))
    return head == (other.model, other.logit_scale, len(other.policies)) and all(
        (a.policy_id, a.prompts) == (b.policy_id, b.prompts)
        and np.array_equal(a.vectors, b.vectors)
        and np.array_equal(a.against, b.against)
        for a, b in zip(one.policies, other.policies, strict=True)
    )


def _peaks(rules: Rules, measured: Measured) -> Mapping[str, float]:
    """The highest prompt score of any sample by policy, rounded as the judge rounds it."""
    track = measured.tracks.get("embedding")
    judged = rules.signals is None or "embedding" in rules.signals
    if rules.scorer is None or track is None or not judged or not len(track):
        return {}
    return {
        each.policy_id: round(float(each.scores.max()), 4) for each in rules.scorer.score(track)
    }
