"""What a run comes to, counted while it goes on: outcomes, failures, samples, seconds of video."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from vscan.verdicts import OUTCOMES, Verdict


@dataclass(frozen=True, kw_only=True)
class RunCounts:
    """Videos of a run, by what came of them."""

    sources: int
    """That had their turn: judged in this run, or done before."""
    outcomes: Mapping[str, int]
    """Of those that this run judged: `clear`, `review`, `violation`, `error`."""
    done_before: Mapping[str, int]
    """By outcome, of those for which the output held a final line."""
    errors: Mapping[str, int]
    """This run's, by `error.code`."""
    partial: int
    """Videos that this run judged of which not every planned sample could be read."""
    other_shards: int
    """Sources that were left to other shards."""
    damaged_tracks: int | None
    """Tracks of the frame store that were found damaged; null without a store."""


@dataclass(frozen=True, kw_only=True)
class RunSamples:
    """What this run looked at."""

    video_s: float
    """Seconds of video that was judged."""
    planned: int
    read: int
    coverage: float | None
    """read / planned, 0..1; null where nothing was planned."""


@dataclass
class RunTally:
    """Counts as verdicts come."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """Of verdicts of this run."""
    passed_over: int = 0
    """Sources that were done before."""
    earlier: dict[str, str] = field(default_factory=dict)
    """Outcomes of those, by the verdict's id."""
    errors: Counter[str] = field(default_factory=Counter)
    other_shards: int = 0
    partial: int = 0
    video_s: float = 0.0
    planned: int = 0
    read: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    """Of this run's verdicts, by policy, as they were judged."""
    last_verdict_at: float | None = None
    """When the last verdict of this run was counted, in Unix time."""
    _flagged: set[str] = field(default_factory=set)
    """Ids of this run's verdicts with findings: whose outcome may still change."""

    def count(self, verdict: Verdict | None) -> None:
        """Count one more source; None for one that was done before."""
        if verdict is None:
            self.passed_over += 1
            return
        self.outcomes[verdict.outcome] += 1
        self.last_verdict_at = time.time()
        self.findings.update(finding.policy for finding in verdict.findings)
        if verdict.findings:
            self._flagged.add(verdict.id)
        if verdict.error is not None:
            self.errors[verdict.error.code] += 1
        if verdict.samples is not None:
            self.video_s += verdict.source.duration_s or 0.0
            self.planned += verdict.samples.planned
            self.read += verdict.samples.read
            self.partial += verdict.samples.read < verdict.samples.planned

    def leave_to_others(self) -> None:
        """Count one more source that belongs to another shard."""
        self.other_shards += 1

    def settle(self, amended: Mapping[str, tuple[str, str]]) -> None:
        """Take in what became of lines that were written anew: outcome before and after, by id."""
        for verdict_id, (before, after) in amended.items():
            if verdict_id in self.earlier:
                self.earlier[verdict_id] = after
            elif verdict_id in self._flagged:
                self.outcomes[before] -= 1
                self.outcomes[after] += 1

    @property
    def sources(self) -> int:
        """Sources that had their turn."""
        return self.outcomes.total() + self.passed_over

    def all_outcomes(self) -> set[str]:
        """Outcomes that some line of this run's sources has, those of earlier runs too."""
        return {word for word, count in self.outcomes.items() if count} | {*self.earlier.values()}

    def counts(self, *, damaged_tracks: int | None = None) -> RunCounts:
        """The counts as of now."""
        before = Counter(self.earlier.values())
        return RunCounts(
            sources=self.sources,
            outcomes={word: self.outcomes[word] for word in OUTCOMES},
            done_before={word: before[word] for word in OUTCOMES},
            errors=dict(sorted(self.errors.items())),
            partial=self.partial,
            other_shards=self.other_shards,
            damaged_tracks=damaged_tracks,
        )

    def samples(self) -> RunSamples:
        """What was looked at as of now."""
        return RunSamples(
            video_s=round(self.video_s, 3),
            planned=self.planned,
            read=self.read,
            coverage=round(self.read / self.planned, 4) if self.planned else None,
        )
