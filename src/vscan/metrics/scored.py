"""Every source of a frame store under one pack: its verdict, and how near each policy is to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vscan.errors import StoreError
from vscan.intervals import Interval
from vscan.judge import matches_of
from vscan.metrics.backtest.judging_twice import RememberingScorer
from vscan.metrics.reached import peak, reached
from vscan.policies import Action
from vscan.rescanning import Rejudging, prepare_rescan
from vscan.rules import judged, match_exemplars
from vscan.store.source_records import DamagedSource

if TYPE_CHECKING:
    from vscan.matching.match import Match
    from vscan.matching.prompt_scores import PolicyScores, PromptScorer
    from vscan.measuring import Measured
    from vscan.media import ReadReport
    from vscan.policies import Policy
    from vscan.rules import Rules
    from vscan.settings import ScanSettings
    from vscan.store.source_records import StoredSource
    from vscan.tracks import Track
    from vscan.verdicts import ActionName, SourceRecord, Verdict

WORDS: Mapping[Action, ActionName] = {
    Action.REVIEW: "review",
    Action.ESCALATE: "escalate",
    Action.REMOVE: "remove",
}
"""Actions that have a threshold, the mildest first, as verdicts write them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyScore:
    """One policy on one video."""

    score: float | None
    """The highest threshold, 0..1, at which its prompts would recommend the action that is asked
    for (`reached`); None where no prompts were scored."""
    peak: float | None
    """The highest score of any sample."""
    action: ActionName
    """What the policy recommends, by prompts or exemplars; `allow` where it does not fire."""
    by_prompts: bool
    """Whether its prompts fire."""
    matched: ActionName | None
    """What a match with a violating exemplar recommends; None without one that stands."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScoredVideo:
    """One source that could be judged."""

    verdict: str
    """The verdict's id."""
    source: SourceRecord
    policies: Mapping[str, PolicyScore]
    """By the pack's policies that were asked for."""
    fired: frozenset[str]
    """Policies that fire."""
    pooled: NDArray[np.float32] | None = None
    """(D,) the mean direction of its embedding; None where it was not asked for or not stored."""


@dataclass(frozen=True, eq=False)
class Scoring:
    """A frame store that is ready to be scored under one pack."""

    rejudging: Rejudging
    actions: Mapping[str, Action]
    """By policy that is asked for, the action that its score is for."""
    pools: bool = False
    """Whether embeddings are pooled."""
    unjudged: Counter[str] = field(default_factory=Counter)
    """Sources that are no answer, by the code of their error."""

    def videos(self) -> Iterator[ScoredVideo | None]:
        """Every source, in the order of the store; None for one that could not be judged.

        Nothing is decoded. Raises as `Rejudging.rules_of`.
        """
        for record in self.rejudging.store.sources():
            if isinstance(record, DamagedSource) and record.uri is None:
                self.rejudging.damaged.append(record)
                continue
            yield self._video(record)

    def _video(self, record: StoredSource | DamagedSource) -> ScoredVideo | None:
        measured = None
        if not isinstance(record, DamagedSource):
            with suppress(StoreError):  # `verdict` says what is wrong with it
                measured = self.rejudging.recalled(record)
        if measured is None or isinstance(record, DamagedSource):
            error = self.rejudging.verdict(record).error
            self.unjudged["internal" if error is None else error.code] += 1
            return None
        rules = self.rejudging.rules_of(record)
        return self._scored(record, judged(measured, rules.signals), rules)

    def _scored(self, record: StoredSource, measured: Measured, rules: Rules) -> ScoredVideo:
        matches = match_exemplars(measured, rules.indexes)
        verdict = self.rejudging.judged(record, measured, matches=matches)
        track = measured.tracks.get("embedding")
        own = {} if rules.scorer is None or track is None else _by_policy(rules.scorer, track)
        pooled = None
        if self.pools and track is not None and len(track):
            pooled = _direction(track.values)
        return ScoredVideo(
            verdict=verdict.id,
            source=verdict.source,
            policies={
                policy_id: _policy_score(
                    rules.pack.policy(policy_id),
                    action,
                    own.get(policy_id),
                    verdict,
                    benign=[
                        match
                        for match in matches_of(policy_id, matches, rules.pack)
                        if match.opinion == "benign"
                    ],
                    report=measured.report,
                )
                for policy_id, action in self.actions.items()
            },
            fired=frozenset(finding.policy for finding in verdict.findings),
            pooled=pooled,
        )


def _by_policy(scorer: PromptScorer, track: Track) -> dict[str, PolicyScores]:
    return {each.policy_id: each for each in scorer.score(track)}


def _policy_score(
    policy: Policy,
    action: Action,
    scores: PolicyScores | None,
    verdict: Verdict,
    *,
    benign: Sequence[Match],
    report: ReadReport,
) -> PolicyScore:
    finding = next((each for each in verdict.findings if each.policy == policy.id), None)
    kinds = set() if finding is None else {each.kind for each in finding.evidence}
    score = None
    if scores is not None:
        parts = [Interval(part.start_s, part.end_s) for part in report.parts]
        score = reached(
            policy,
            action,
            scores,
            benign=benign,
            parts=parts or [Interval(0.0, report.end_s)],
            gaps=[Interval(*gap) for gap in report.gaps_s],
        )
    return PolicyScore(
        score=score,
        peak=None if scores is None else peak(scores),
        action="allow" if finding is None else finding.action,
        by_prompts="prompt" in kinds,
        matched=WORDS[policy.match_action] if "exemplar" in kinds else None,
    )


def _direction(values: NDArray[np.float16] | NDArray[np.uint8]) -> NDArray[np.float32] | None:
    mean = values.astype(np.float64).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return None if length == 0.0 else (mean / length).astype(np.float32)


def mildest(policy: Policy) -> Action | None:
    """The mildest action that the policy has a threshold for; None without thresholds."""
    return next((action for action in WORDS if policy.thresholds.of(action) is not None), None)


def prepare_scoring(
    settings: ScanSettings, actions: Mapping[str, Action] | None = None, *, pools: bool = False
) -> Scoring:
    """Load pack and indexes of `settings`, whose `store` is the frame store.

    actions: by policy the action whose score is wanted; None: of all policies, each with its
    mildest. Raises UsageError as `prepare_rescan`, and for a policy that is not there.
    """
    rejudging = prepare_rescan(settings)
    if actions is None:
        actions = {
            policy.id: mildest(policy) or policy.match_action for policy in rejudging.pack.policies
        }
    for policy_id in actions:
        rejudging.pack.policy(policy_id)

    @cache
    def remembering(rules: Rules) -> Rules:
        if rules.scorer is None:
            return rules
        return replace(rules, scorer=RememberingScorer(rules.scorer.prompts))

    return Scoring(
        replace(
            rejudging,
            rules={way: remembering(rules) for way, rules in rejudging.rules.items()},
            make_rules=lambda way: remembering(rejudging.make_rules(way)),
        ),
        actions,
        pools,
    )
