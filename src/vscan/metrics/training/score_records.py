"""The report on trainees (`vscan.training_score/1`): its figures, one dataclass for each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vscan.metrics.figures import Figure


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """What a trainee said of the cases that have one answer."""

    cases: int
    upheld: int
    """Called violating."""
    overturned: int
    """Called benign."""
    escalated: int
    unanswered: int

    @property
    def answered(self) -> int:
        """Those that something was said of."""
        return self.cases - self.unanswered


@dataclass(frozen=True, kw_only=True)
class PolicyScore:
    """A trainee's answers under one policy."""

    policy: str | None
    """Null for all policies together."""
    violating: Confusion
    """Cases whose answer is `uphold`."""
    benign: Confusion
    """Cases whose answer is `overturn`."""
    sensitivity: Figure
    """Share of the answered violating cases that the trainee upheld; escalated ones were not."""
    specificity: Figure
    """Share of the answered benign cases that the trainee overturned, likewise."""


@dataclass(frozen=True, kw_only=True)
class Viewed:
    """How long a trainee looked at the material of the pack."""

    measured: int
    """Cases of which somebody measured it."""
    total_s: float
    median_s: float | None
    """Of the measured cases."""
    by_severity_s: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class TraineeScore:
    """The figures of one trainee."""

    reviewer: str
    logs: tuple[str, ...]
    """Where the decisions are from."""
    cases: int
    """Of the pack, without those that the trainee knew."""
    known: int
    """Cases that the trainee had ruled on before the pack was made; in no other figure."""
    answered: int
    unanswered: int
    right: int
    """Answered as in the answers."""
    agreement: Figure
    """Share of the answered cases that are right; an escalated one is not."""
    kappa: Figure
    """Cohen's kappa of answers and trainee, with `escalate` as a third word."""
    escalated: Figure
    """Share of the answered cases that were escalated, though all of them could be settled."""
    reasons: Figure
    """Of what was rightly overturned, the share with the reason of the answer."""
    policies: tuple[PolicyScore, ...]
    """All together first."""
    viewed: Viewed
    outcome: Literal["passed", "failed", "undecided"]
    more_cases: int | None
    """Where it is undecided: about how many more cases tell, if the agreement stays; null where
    no number of them would."""
    wrong: tuple[int, ...]
    """Numbers of the cases that were answered otherwise than in the answers."""
    ignored: Mapping[str, int]
    """By why, decisions of the trainee that do not count."""


@dataclass(frozen=True, kw_only=True)
class HardCase:
    """A case that most trainees get wrong: the policy's text or the answer may be unclear."""

    number: int
    verdict: str
    uri: str
    policy: str
    severity: str
    ruling: str
    """The answer."""
    why: str
    """What the one who settled it noted."""
    firmness: str
    """What settled it."""
    answered: int
    """Trainees who answered it."""
    wrong: int
    """Those whose answer is another one, escalations included."""
    escalated: int


@dataclass(frozen=True, kw_only=True)
class BetweenTrainees:
    """How far trainees agree with each other, whatever the answers are."""

    pairs: int
    """Pairs of trainees over all cases that both answered."""
    agreeing: int
    """Pairs with the same ruling."""
    share: float | None
    """agreeing / pairs, 0..1; null for few pairs. It has no interval: pairs are not independent."""
    alpha: Figure
    """Krippendorff's alpha for names: the agreement beyond what chance would give."""


@dataclass(frozen=True, kw_only=True)
class ScoredLog:
    """A trainee's log as it was found."""

    name: str
    decisions: int
    head: str
    """Hash of the last row that holds."""
    problem: str | None
    """What does not hold in its chain."""


@dataclass(frozen=True, kw_only=True)
class TrainingScore:
    """How trainees answered a pack."""

    schema: Literal["vscan.training_score/1"] = "vscan.training_score/1"
    pack: str
    """SHA-256 of the pack's manifest."""
    seed: int
    """The pack's."""
    cases: int
    pass_at: float
    logs: tuple[ScoredLog, ...]
    trainees: tuple[TraineeScore, ...]
    """By name."""
    between: BetweenTrainees | None
    """Null where one trainee is scored."""
    hard: tuple[HardCase, ...]
    """What most get wrong most often first; needs two trainees."""
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self)
