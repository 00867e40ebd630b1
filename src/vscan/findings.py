"""Pieces of evidence into findings, and findings into an outcome: what every judgement ends in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vscan.intervals import Interval, union
from vscan.policies import Policy
from vscan.policies.actions import SEVERITIES, Action, Severity
from vscan.verdicts import (
    ActionName,
    Evidence,
    ExemplarEvidence,
    Finding,
    Outcome,
    PromptEvidence,
    Segment,
    Suppressed,
)

KNOWN_CONTENT = "known-content"
"""Policy of a match with a violating exemplar whose own policy is not in the pack."""
MATCH_THRESHOLD = 0.5
"""Score of a match at its signal's operating point: what is below is not a match."""
MIN_COVERAGE = 0.95
"""Share of the planned samples below which a video is never `clear`."""


@dataclass(frozen=True)
class Judgement:
    """What the judge says of one source."""

    outcome: Outcome
    action: ActionName
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]


@dataclass(frozen=True)
class Piece:
    """One piece of evidence with the segment it stands for and what it recommends."""

    segment: Segment
    evidence: Evidence
    action: Action
    threshold: float


def prompt_piece(policy: Policy, segment: Segment, evidence: PromptEvidence) -> Piece:
    """What the prompts of `policy` found; the score has reached its lowest threshold."""
    action = policy.thresholds.action_at(evidence.score)
    threshold = policy.thresholds.of(action)
    assert threshold is not None  # noqa: S101 -- the score reached the lowest threshold
    return Piece(segment, evidence, action, threshold)


def match_piece(policy: Policy | None, segment: Segment, evidence: ExemplarEvidence) -> Piece:
    """A match with a violating exemplar; policy: None for known content."""
    action = policy.match_action if policy is not None else Action.REVIEW
    return Piece(segment, evidence, action, MATCH_THRESHOLD)


def finding(policy_id: str, severity: Severity, pieces: Sequence[Piece]) -> Finding:
    """The finding that at least one piece makes: the gravest action decides, then the score."""
    deciding = max(pieces, key=lambda piece: (piece.action, piece.segment.score))
    return Finding(
        policy=policy_id,
        severity=severity,
        action=_word(deciding.action),
        score=max(piece.segment.score for piece in pieces),
        threshold=deciding.threshold,
        segments=joined(pieces),
        evidence=ordered(pieces),
    )


def gravest(said: Iterable[Severity | None]) -> Severity:
    """The gravest that the exemplars of known content are said to have; medium if none says."""
    return max((each for each in said if each is not None), key=SEVERITIES.index, default="medium")


def ordered(pieces: Sequence[Piece]) -> tuple[Evidence, ...]:
    """The evidence, strongest first; by time where equal."""
    by_strength = sorted(pieces, key=lambda piece: (-piece.segment.score, piece.segment.start_s))
    return tuple(piece.evidence for piece in by_strength)


def joined(pieces: Sequence[Piece]) -> tuple[Segment, ...]:
    """Disjoint segments in time order: where pieces overlap, one segment with the higher peak."""
    spans = [Interval(piece.segment.start_s, piece.segment.end_s) for piece in pieces]
    segments = []
    for whole in union(spans):
        inside = [
            piece.segment
            for piece, span in zip(pieces, spans, strict=True)
            if whole.start_s <= span.start_s and span.end_s <= whole.end_s
        ]
        peak = max(inside, key=lambda segment: (segment.score, -segment.start_s))
        start_s, end_s = whole.pair()
        segments.append(Segment(start_s=start_s, end_s=end_s, peak_s=peak.peak_s, score=peak.score))
    return tuple(segments)


def conclude(
    findings: Iterable[Finding],
    suppressed: Iterable[Suppressed],
    *,
    coverage: float,
    min_coverage: float | None = None,
) -> Judgement:
    """What follows from the findings, which come out with the most severe first.

    coverage: share 0..1 of the planned samples that were read. min_coverage: the pack's, below
    which a video is never `clear`; None: MIN_COVERAGE.
    """
    least = MIN_COVERAGE if min_coverage is None else min_coverage
    by_severity = sorted(findings, key=lambda f: (-Action.of(f.action), -f.score, f.policy))
    action = max((Action.of(f.action) for f in by_severity), default=Action.ALLOW)
    reasons: tuple[str, ...] = ()
    if action is Action.ALLOW and coverage < least:
        action, reasons = Action.REVIEW, ("partial_coverage",)
    outcome: Outcome = "clear"
    if action is Action.REVIEW:
        outcome = "review"
    elif action is not Action.ALLOW:
        outcome = "violation"
    return Judgement(outcome, _word(action), reasons, tuple(by_severity), tuple(suppressed))


def _word(action: Action) -> ActionName:
    words: tuple[ActionName, ...] = ("allow", "review", "escalate", "remove")
    return words[action]
