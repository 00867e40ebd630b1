"""Videos that are picked for what they show: near a threshold, just below it, or in dispute.

They teach most, and prove nothing: no rate may rest on them, so they have no weight.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vscan.decisions.decision import Decision
from vscan.decisions.standing import disagreements
from vscan.embeddings.model_files import same_model
from vscan.metrics.picking.answered import Answered
from vscan.metrics.picking.candidates import Candidate
from vscan.metrics.picking.record import Pick, Strategy
from vscan.policies import Policy, PolicyPack
from vscan.policies.certificates import Certificate
from vscan.policies.drift import ACTIONS, wording_digest

Rank = tuple[float, int, str]


@dataclass(frozen=True)
class Limit:
    """A policy's threshold, and where a violation is as likely as not if that was calibrated."""

    action: str
    threshold: float
    even_at: float | None

    @classmethod
    def of(cls, policy: Policy, pack: PolicyPack, models: Iterable[str]) -> Limit | None:
        """The mildest threshold of a policy of the pack; None where it has none.

        models: fingerprints of what made the embeddings; a certificate of another one, or of
        another wording, says nothing of even odds.
        """
        for action in ACTIONS:
            threshold = getattr(policy.thresholds, action)
            if threshold is not None:
                held: Certificate | None = getattr(policy.calibration, action, None)
                holds = (
                    held is not None
                    and held.wording == wording_digest(pack, policy)
                    and all(same_model(model, held.model) for model in models)
                )
                return cls(action, threshold, held.even_at if held and holds else None)
        return None


@dataclass
class Nearest:
    """The `size` videos nearest to a policy's threshold: on both sides (`uncertain`), where its
    calibration says, at even odds; or just below it (`near-miss`)."""

    strategy: Literal["uncertain", "near-miss"]
    size: int
    seed: int
    limits: Mapping[str, Limit]
    """By policy."""
    answered: Answered
    population: int = 0
    """Videos under policies that could have been picked."""
    left_out: int = 0
    """Those that are answered already."""
    _kept: list[tuple[float, int, str, Candidate, str]] = field(default_factory=list)
    _contents: set[tuple[str, str | None]] = field(default_factory=set)
    """Of `_kept`. Copies have equal scores, so one that had to go takes no copy's place."""

    def see(self, candidate: Candidate) -> None:
        """Rank one video under one policy."""
        limit = self.limits.get(candidate.policy or "")
        if limit is None or candidate.score is None or candidate.by_exemplar:
            return
        middle, what = limit.threshold, f"{limit.action} {limit.threshold:g}"
        if self.strategy == "uncertain" and limit.even_at is not None:
            middle, what = limit.even_at, f"{limit.even_at:g}, where a violation is even odds"
        if self.strategy == "near-miss" and (candidate.flagged or candidate.score <= 0.0):
            return
        if self.answered.of(candidate) is not None:
            self.left_out += 1
            return
        self.population += 1
        if candidate.content in self._contents:
            return
        distance = round(abs(candidate.score - middle), 4)
        side = "below" if candidate.score < middle else "above"
        reason = f"scores {candidate.score:.4f}, {distance:.4f} {side} {what}"
        # Less each, so that the heap's top is the one to go.
        entry = (-distance, -candidate.place(self.seed), candidate.uri, candidate, reason)
        if len(self._kept) < self.size:
            heapq.heappush(self._kept, entry)
        elif entry[:3] > self._kept[0][:3]:
            gone = heapq.heapreplace(self._kept, entry)[3]
            self._contents.discard(gone.content)
        else:
            return
        self._contents.add(candidate.content)

    def picks(self) -> Iterator[Pick]:
        """The nearest first."""
        for *_, candidate, reason in sorted(self._kept, key=lambda each: each[:3], reverse=True):
            yield candidate.pick(
                self.strategy,
                self.seed,
                stratum=f"{candidate.policy}/{self.strategy}",
                population=self.population,
                sampled=len(self._kept),
                reason=reason,
            )


Dispute = Literal["reviewers", "packs", "signals"]
DISPUTES: tuple[Dispute, ...] = ("reviewers", "packs", "signals")
"""Who disagrees, in the order in which they are picked."""


@dataclass
class Disputed:
    """Videos of which reviewers, two packs, or a policy's prompts and exemplars say two things."""

    size: int
    seed: int
    answered: Answered
    limits: Mapping[str, Limit]
    other: Mapping[tuple[str, str], bool] | None = None
    """By URI and policy, whether another pack flags it; None without one."""
    strategy: Strategy = "disagreement"
    population: dict[Dispute, int] = field(default_factory=lambda: dict.fromkeys(DISPUTES, 0))
    left_out: int = 0
    _open: dict[tuple[str, str], str] = field(default_factory=dict)
    """(verdict, content or URI; policy) to what two reviewers said."""
    _kept: dict[Dispute, list[tuple[int, str, Candidate, str]]] = field(default_factory=dict)
    _contents: set[tuple[str, str | None]] = field(default_factory=set)
    """In dispute so far: copies of one are no further case."""

    def add_decisions(self, decisions: Iterable[Decision]) -> None:
        """Takes in first and second reviews that differ and that nobody has settled."""
        for first, second in disagreements(decisions):
            if first.policy is None:
                continue
            words = f"{first.reviewer} says {first.ruling}, {second.reviewer} {second.ruling}"
            for name in (first.verdict, first.sha256 or first.uri):
                self._open[name, first.policy] = words

    def see(self, candidate: Candidate) -> None:
        """Look whether anybody disagrees on one video under one policy."""
        policy = candidate.policy or ""
        told = self._open.get((candidate.verdict, policy)) or self._open.get(
            (candidate.sha256 or candidate.uri, policy)
        )
        if told is not None:
            self._keep("reviewers", candidate, told)
        elif (said := self._machines(candidate, policy)) is not None:
            if self.answered.of(candidate) is None:
                self._keep(*said)
            else:
                self.left_out += 1

    def _machines(self, candidate: Candidate, policy: str) -> tuple[Dispute, Candidate, str] | None:
        other = None if self.other is None else self.other.get((candidate.uri, policy))
        if other is not None and other != candidate.flagged:
            flags, flags_not = ("the other", "this") if other else ("this", "the other")
            return "packs", candidate, f"{flags} pack flags it, {flags_not} pack does not"
        limit = self.limits.get(policy)
        lone = candidate.by_exemplar and not candidate.by_prompts and candidate.score is not None
        if lone and limit is not None:
            reason = (
                f"an exemplar flags it, and its prompts reach {candidate.score:.4f} of"
                f" {limit.action} {limit.threshold:g}"
            )
            return "signals", candidate, reason
        return None

    def _keep(self, dispute: Dispute, candidate: Candidate, reason: str) -> None:
        self.population[dispute] += 1
        if candidate.content in self._contents:
            return
        self._contents.add(candidate.content)
        kept = self._kept.setdefault(dispute, [])
        heapq.heappush(kept, (-candidate.place(self.seed), candidate.uri, candidate, reason))
        if len(kept) > self.size:
            heapq.heappop(kept)

    def picks(self) -> Iterator[Pick]:
        """Reviewers' disputes first, then packs', then signals'."""
        left = self.size
        for dispute in DISPUTES:
            kept = sorted(self._kept.get(dispute, ()), key=lambda each: (-each[0], each[1]))[:left]
            left -= len(kept)
            for _, _, candidate, reason in kept:
                yield candidate.pick(
                    self.strategy,
                    self.seed,
                    stratum=f"{candidate.policy}/{dispute}",
                    population=self.population[dispute],
                    sampled=len(kept),
                    reason=reason,
                )
