"""Evidence and a policy pack into findings and an outcome: pure, no clock, disk or randomness."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from vscan.findings import (
    KNOWN_CONTENT,
    Judgement,
    Piece,
    conclude,
    finding,
    gravest,
    joined,
    match_piece,
    ordered,
    prompt_piece,
)
from vscan.intervals import Interval, covered_share
from vscan.matching.match import Match
from vscan.matching.prompt_scores import PolicyScores
from vscan.matching.segments import ScoredSpan, find_spans
from vscan.policies import Policy, PolicyPack
from vscan.verdicts import ExemplarEvidence, Finding, PromptEvidence, Segment, Suppressed

SUPPRESSED_SHARE = 0.5
"""Share of a match's source interval that benign matches must cover to set it aside."""


def judge(
    pack: PolicyPack,
    *,
    scores: Sequence[PolicyScores],
    matches: Sequence[Match],
    end_s: float,
    coverage: float,
    gaps: Sequence[Interval] = (),
    parts: Sequence[Interval] = (),
) -> Judgement:
    """The findings of `pack` on one source, and what follows from them.

    scores: prompt scores of each policy with prompts, on the samples of the source.
    matches: parts of the source that agree with exemplars, violating and benign.
    end_s: presentation time at which the source ends. coverage: share 0..1 of the planned
    samples that were read, of the stream of which least was. gaps: spans in which samples were
    planned and none could be read. parts: spans of the video streams of a file with several;
    nothing is one segment across two of them.

    A benign match sets aside the prompt scores of its policy within its source interval, and
    those violating matches of its policy which it covers for the most part and scores at least
    as high as. Scores are rounded to the record's 4 decimals before they meet a threshold, so
    that a record can be checked against its own numbers.
    """
    by_policy = {each.policy_id: each for each in scores}
    whole = list(parts) or [Interval(0.0, end_s)]
    findings: list[Finding] = []
    suppressed: list[Suppressed] = []
    for policy_id, policy in _policies(pack, matches):
        own = matches_of(policy_id, matches, pack)
        violating = [match for match in own if match.opinion == "violating"]
        benign = [match for match in own if match.opinion == "benign"]
        kept, aside = prompt_pieces(policy, by_policy.get(policy_id), benign, whole, gaps)
        for match in violating:
            (aside if _is_set_aside(match, benign) else kept).append(_match_piece(match, policy))
        if kept:
            severity = policy.severity if policy else gravest(match.severity for match in violating)
            findings.append(finding(policy_id, severity, kept))
        if aside:
            suppressed.append(_suppressed(policy_id, aside, benign))
    return conclude(findings, suppressed, coverage=coverage, min_coverage=pack.min_coverage)


def _policies(pack: PolicyPack, matches: Iterable[Match]) -> list[tuple[str, Policy | None]]:
    policies: list[tuple[str, Policy | None]] = [(policy.id, policy) for policy in pack.policies]
    if any(_policy_of(match, pack) == KNOWN_CONTENT for match in matches):
        policies.append((KNOWN_CONTENT, None))
    return policies


def matches_of(policy_id: str, matches: Iterable[Match], pack: PolicyPack) -> list[Match]:
    """Those that count under that policy of the pack, or under KNOWN_CONTENT."""
    return [match for match in matches if _policy_of(match, pack) == policy_id]


def _policy_of(match: Match, pack: PolicyPack) -> str:
    return match.policy if match.policy in pack else KNOWN_CONTENT


def prompt_pieces(
    policy: Policy | None,
    scores: PolicyScores | None,
    benign: Sequence[Match],
    parts: Sequence[Interval],
    gaps: Sequence[Interval],
) -> tuple[list[Piece], list[Piece]]:
    """What the prompts found: (what stands, what a benign match sets aside).

    policy: None for known content. benign: matches of that policy with benign exemplars. parts: at
    least one; parts and gaps as in `judge`.
    """
    if policy is None or scores is None or not len(scores.scores):
        return [], []
    lowest = policy.thresholds.lowest
    # Most policies see nothing in most videos; rounding to 4 decimals lifts no score by as much.
    if lowest is None or scores.scores.max() < lowest - 1e-4:
        return [], []
    rounded = np.round(scores.scores.astype(np.float64), 4)
    inside = np.zeros(len(rounded), np.bool_)
    for match in benign:
        inside |= (scores.times_s >= match.source_span.start_s - 1e-6) & (
            scores.times_s < match.source_span.end_s
        )
    return (
        _spans(policy, scores, np.where(inside, -1.0, rounded), parts, gaps),
        _spans(policy, scores, np.where(inside, rounded, -1.0), parts, gaps)
        if inside.any()
        else [],
    )


def _spans(
    policy: Policy,
    scores: PolicyScores,
    values: NDArray[np.float64],
    parts: Sequence[Interval],
    gaps: Sequence[Interval],
) -> list[Piece]:
    enter = policy.thresholds.lowest
    leave = policy.release_score
    assert enter is not None and leave is not None  # noqa: S101 -- the caller asked for `lowest`
    begins = np.searchsorted(scores.times_s, [part.start_s - 1e-6 for part in parts])
    begins[0] = 0
    pieces = []
    ends = [*begins[1:], len(values)]
    limits = [*(part.start_s for part in parts[1:]), math.inf]
    for part, first, last, limit_s in zip(parts, begins, ends, limits, strict=True):
        spans = find_spans(
            scores.times_s[first:last],
            values[first:last],
            end_s=part.end_s,
            enter=enter,
            leave=leave,
            min_duration_s=min(policy.min_duration_s, part.length_s),
            gaps=[gap for gap in gaps if part.start_s <= gap.start_s < limit_s],
        )
        pieces += [_prompt_piece(policy, scores, span) for span in spans]
    return pieces


def _prompt_piece(policy: Policy, scores: PolicyScores, span: ScoredSpan) -> Piece:
    at = int(np.searchsorted(scores.times_s, span.peak_s))
    best = int(np.argmax(scores.similarities[at]))
    start_s, end_s = span.interval.pair()
    return prompt_piece(
        policy,
        Segment(start_s=start_s, end_s=end_s, peak_s=round(span.peak_s, 3), score=span.score),
        PromptEvidence(
            prompt=scores.prompts[best],
            time_s=round(span.peak_s, 3),
            similarity=round(float(scores.similarities[at, best]), 4),
            score=span.score,
        ),
    )


def _match_piece(match: Match, policy: Policy | None) -> Piece:
    start_s, end_s = match.source_span.pair()
    peak_s, score = round(match.peak_s, 3), round(match.score, 4)
    segment = Segment(start_s=start_s, end_s=end_s, peak_s=peak_s, score=score)
    return match_piece(policy, segment, _exemplar_evidence(match))


def _exemplar_evidence(match: Match) -> ExemplarEvidence:
    return ExemplarEvidence(
        index=match.index,
        exemplar=match.exemplar,
        exemplar_policy=match.policy,
        signal=match.signal,
        score=round(match.score, 4),
        distance=None if match.distance is None else round(match.distance, 1),
        similarity=None if match.similarity is None else round(match.similarity, 4),
        inliers=match.inliers,
        source_span_s=match.source_span.pair(),
        exemplar_span_s=match.exemplar_span.pair(),
        speed=round(match.speed, 3),
        transform=match.transform,
        source_coverage=round(match.source_coverage, 4),
        exemplar_coverage=round(match.exemplar_coverage, 4),
    )


def _is_set_aside(match: Match, benign: Sequence[Match]) -> bool:
    stronger = [
        each.source_span for each in benign if round(each.score, 4) >= round(match.score, 4)
    ]
    return bool(stronger) and covered_share(stronger, match.source_span) >= SUPPRESSED_SHARE


def _suppressed(policy_id: str, pieces: Sequence[Piece], benign: Sequence[Match]) -> Suppressed:
    return Suppressed(
        policy=policy_id,
        segments=joined(pieces),
        evidence=ordered(pieces),
        by=tuple(_exemplar_evidence(match) for match in benign),
    )
