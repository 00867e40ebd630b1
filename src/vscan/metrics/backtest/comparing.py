"""What a change of the pack changes for one video: its two verdicts, held side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from vscan.findings import KNOWN_CONTENT, match_piece, prompt_piece
from vscan.metrics.backtest.flip import Direction, Flip, PolicyChange, Side, State
from vscan.metrics.backtest.reasons import reason
from vscan.policies import Action, Policy, PolicyPack
from vscan.verdicts import ActionName, Evidence, Finding, Segment, Verdict

Peaks = Callable[[], Mapping[str, float]]
"""Gives the highest prompt score of any sample, 0..1, by policy; asked only where it is needed."""


def compare(
    old: Verdict,
    new: Verdict,
    *,
    old_pack: PolicyPack,
    new_pack: PolicyPack,
    old_peaks: Peaks,
    new_peaks: Peaks,
) -> Flip | None:
    """How two verdicts of one video under two packs differ; None where nothing flips.

    A score that moves and leaves every action as it was is no flip.
    """
    before = {finding.policy: finding for finding in old.findings}
    after = {finding.policy: finding for finding in new.findings}
    changed = [
        policy
        for policy in dict.fromkeys((*after, *before))
        if _action(before.get(policy)) != _action(after.get(policy))
    ]
    if not changed and (old.outcome, old.action) == (new.outcome, new.action):
        return None
    changes = [
        _change(
            policy,
            side(policy, old, old_pack, old_peaks),
            side(policy, new, new_pack, new_peaks),
        )
        for policy in changed
    ]
    return Flip(
        uri=new.source.uri,
        sha256=new.source.sha256,
        duration_s=new.source.duration_s,
        meta=new.source.meta,
        old_outcome=old.outcome,
        old_action=old.action,
        new_outcome=new.outcome,
        new_action=new.action,
        policies=tuple(sorted(changes, key=_gravest_first)),
    )


def _action(finding: Finding | None) -> ActionName:
    return "allow" if finding is None else finding.action


def _gravest_first(change: PolicyChange) -> tuple[int, str]:
    return -max(Action.of(change.old.action), Action.of(change.new.action)), change.policy


def _change(policy: str, old: Side, new: Side) -> PolicyChange:
    before, after = Action.of(old.action), Action.of(new.action)
    change: Direction = "raised" if after > before else "lowered"
    if before is Action.ALLOW:
        change = "gained"
    elif after is Action.ALLOW:
        change = "lost"
    return PolicyChange(
        policy=policy, change=change, old=old, new=new, reason=reason(policy, old, new)
    )


def side(policy_id: str, verdict: Verdict, pack: PolicyPack, peaks: Peaks) -> Side:
    """What a verdict under `pack` says of a policy that either of two packs has."""
    policy = pack.policy(policy_id) if policy_id in pack else None
    for finding in verdict.findings:
        if finding.policy == policy_id:
            return _firing(finding, policy)
    return _silent(policy_id, policy, verdict, peaks)


def _firing(finding: Finding, policy: Policy | None) -> Side:
    """The side of a finding: of its evidence the piece that the action was recommended for."""
    action, decided = max(
        ((_recommended(each, policy), each) for each in finding.evidence),
        key=lambda pair: (pair[0], pair[1].score),
    )
    told = Side(
        action=finding.action,
        state="fires",
        score=decided.score,
        threshold=finding.threshold,
        threshold_action=None,
        segments=finding.segments,
    )
    if decided.kind == "exemplar":
        return replace(told, exemplar=f"{decided.index}/{decided.exemplar}", signal=decided.signal)
    graver = None if policy is None else _next(policy, action)
    return replace(
        told,
        threshold_action=finding.action,
        prompt=decided.prompt,
        next_action=None if graver is None else graver[0],
        next_threshold=None if graver is None else graver[1],
    )


def _next(policy: Policy, action: Action) -> tuple[ActionName, float] | None:
    """The mildest action of the policy above `action`, with its threshold."""
    names: tuple[ActionName, ...] = ("review", "escalate", "remove")
    for name in names:
        threshold = policy.thresholds.of(Action.of(name))
        if threshold is not None and Action.of(name) > action:
            return name, threshold
    return None


def _recommended(evidence: Evidence, policy: Policy | None) -> Action:
    nowhere = Segment(start_s=0.0, end_s=0.0, peak_s=0.0, score=evidence.score)
    if evidence.kind == "exemplar":
        return match_piece(policy, nowhere, evidence).action
    assert policy is not None  # noqa: S101 -- prompts are always of a policy of the pack
    return prompt_piece(policy, nowhere, evidence).action


def _silent(policy_id: str, policy: Policy | None, verdict: Verdict, peaks: Peaks) -> Side:
    """The side of a policy that does not fire."""
    score: float | None = None
    mildest = None if policy is None else _next(policy, Action.ALLOW)
    lowest = None if mildest is None else mildest[1]
    benign, signal = None, None
    state: State = "no_evidence"
    if policy is None and policy_id != KNOWN_CONTENT:
        state = "not_in_pack"
    elif policy is None and any(map(_has_exemplar, verdict.findings)):
        state = "elsewhere"
    elif policy is not None and policy.prompts:
        score = peaks().get(policy_id)
        if score is not None and lowest is not None:
            state = "below_threshold" if score < lowest else "too_short"
    for aside in verdict.suppressed:
        if aside.policy == policy_id:
            state = "suppressed"
            if aside.by:
                benign = f"{aside.by[0].index}/{aside.by[0].exemplar}"
                signal = aside.by[0].signal
    return Side(
        action="allow",
        state=state,
        score=score,
        threshold=lowest,
        threshold_action=None if mildest is None else mildest[0],
        exemplar=benign,
        signal=signal,
    )


def _has_exemplar(finding: Finding) -> bool:
    return any(each.kind == "exemplar" for each in finding.evidence)
