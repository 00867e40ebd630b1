"""A verdict without the evidence of exemplars that are no longer believed: pure as the judge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from vscan.findings import (
    Piece,
    conclude,
    finding,
    gravest,
    joined,
    match_piece,
    ordered,
    prompt_piece,
)
from vscan.media import least_coverage
from vscan.policies import Policy, PolicyPack, Severity
from vscan.verdicts import Evidence, Finding, Segment, Suppressed, Verdict

Key = tuple[str, str]
"""Name of an exemplar index, and id of an exemplar in it."""
QUARANTINED = "exemplar_quarantined"
"""The reason under `suppressed`, and the warning."""


def set_aside(
    verdict: Verdict,
    pack: PolicyPack,
    exemplars: Collection[Key],
    *,
    severities: Mapping[Key, Severity | None] | None = None,
) -> Verdict:
    """The verdict without what those exemplars say: that stands under `suppressed` instead.

    Findings, outcome and action are what the evidence that remains calls for under `pack`, by
    which the verdict was judged. severities: of the exemplars, for known content. Setting aside one
    exemplar after another gives the same as all at once.

    A record does not say how far the prompts' part of a segment reached: one in which they fired
    too keeps its bounds. Nor does it say where in its interval a match was strongest: what is left
    of a segment, and what is set aside, have their peak where the match begins.
    """
    findings: list[Finding] = []
    aside = {each.policy: each for each in verdict.suppressed if each.reason == QUARANTINED}
    changed = False
    for each in verdict.findings:
        gone = [one for one in each.evidence if _key(one) in exemplars]
        if not gone:
            findings.append(each)
            continue
        changed = True
        policy = pack.policy(each.policy) if each.policy in pack else None
        kept = _without(each, gone, policy, severities or {})
        findings += [] if kept is None else [kept]
        aside[each.policy] = _aside(each.policy, gone, policy, aside.get(each.policy))
    if not changed:
        return verdict
    others = [each for each in verdict.suppressed if each.reason != QUARANTINED]
    told = conclude(
        findings,
        [*others, *(aside[policy] for policy in sorted(aside))],
        coverage=_coverage(verdict),
        min_coverage=pack.min_coverage,
    )
    return replace(
        verdict,
        outcome=told.outcome,
        action=told.action,
        reasons=told.reasons,
        warnings=tuple(dict.fromkeys((*verdict.warnings, QUARANTINED))),
        findings=told.findings,
        suppressed=told.suppressed,
    )


def _key(evidence: Evidence) -> Key | None:
    return (evidence.index, evidence.exemplar) if evidence.kind == "exemplar" else None


def _without(
    before: Finding,
    gone: Sequence[Evidence],
    policy: Policy | None,
    severities: Mapping[Key, Severity | None],
) -> Finding | None:
    """The finding that the rest of its evidence makes; None where there is none."""
    left = [each for each in before.evidence if each not in gone]
    if not left:
        return None
    severity = (
        policy.severity
        if policy is not None
        else gravest(severities.get(key) for each in left if (key := _key(each)) is not None)
    )
    pieces = [_piece(each, policy) for each in left]
    segments: list[Segment] = []
    for segment in before.segments:
        if any(_lies_in(_piece(each, policy), segment) for each in gone):
            segments += _rest(segment, [each for each in pieces if _lies_in(each, segment)])
        else:
            segments.append(segment)
    made = finding(before.policy, severity, pieces)
    return replace(made, segments=tuple(segments), evidence=tuple(left))


def _rest(segment: Segment, pieces: Sequence[Piece]) -> Sequence[Segment]:
    """What is left of a segment in which only those pieces lie."""
    if not any(each.evidence.kind == "prompt" for each in pieces):
        return joined(pieces)
    best = max(pieces, key=lambda each: (each.segment.score, -each.segment.start_s)).segment
    return [replace(segment, peak_s=best.peak_s, score=best.score)]


def _aside(
    policy_id: str, gone: Sequence[Evidence], policy: Policy | None, before: Suppressed | None
) -> Suppressed:
    """What was set aside of a policy, with what was set aside before."""
    whole = {_order(each): each for each in (*(before.evidence if before else ()), *gone)}
    pieces = [_piece(whole[key], policy) for key in sorted(whole)]
    return Suppressed(
        policy=policy_id,
        segments=joined(pieces),
        evidence=ordered(pieces),
        by=(),
        reason=QUARANTINED,
    )


def _order(evidence: Evidence) -> str:
    """Any order will do, if it is always the same."""
    return repr(evidence)


def _piece(evidence: Evidence, policy: Policy | None) -> Piece:
    """The evidence again as the judge had it, as far as a record tells."""
    if evidence.kind == "exemplar":
        start_s, end_s = evidence.source_span_s
        span = Segment(start_s=start_s, end_s=end_s, peak_s=start_s, score=evidence.score)
        return match_piece(policy, span, evidence)
    assert policy is not None  # noqa: S101 -- prompts are always of a policy of the pack
    at = evidence.time_s
    return prompt_piece(
        policy, Segment(start_s=at, end_s=at, peak_s=at, score=evidence.score), evidence
    )


def _lies_in(piece: Piece, segment: Segment) -> bool:
    return segment.start_s <= piece.segment.start_s and piece.segment.end_s <= segment.end_s


def _coverage(verdict: Verdict) -> float:
    """What is held against the pack's least coverage, as the judge had it."""
    samples = verdict.samples
    if samples is None:
        return 1.0
    share = samples.read / samples.planned if samples.planned else 1.0
    return least_coverage(share, (part.coverage for part in samples.streams), verdict.warnings)
