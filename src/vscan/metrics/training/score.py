"""How one trainee answered a pack: agreement, errors, exposure, and whether it was passed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from vscan.errors import UsageError
from vscan.metrics.enforcement.agreement_statistics import kappa
from vscan.metrics.figures import Figure, figure
from vscan.metrics.figures import share as rate_of
from vscan.metrics.labelled import LEAST
from vscan.metrics.proportions import Z_95, wilson
from vscan.metrics.training.answered import Answered
from vscan.metrics.training.files import HeldPack
from vscan.metrics.training.records import TrainingAnswer, TrainingCase
from vscan.metrics.training.score_records import (
    Confusion,
    PolicyScore,
    TraineeScore,
    Viewed,
)

Outcome = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True)
class _Item:
    """A case with its answer, and what the trainee said; None where nothing."""

    case: TrainingCase
    answer: TrainingAnswer
    ruling: str | None
    reason: str | None

    @property
    def right(self) -> bool:
        return self.ruling == self.answer.ruling


def trainee_score(pack: HeldPack, answered: Answered, *, pass_at: float) -> TraineeScore:
    """The figures of one trainee. pass_at: the agreement, between 0 and 1, that is asked for.

    Cases that the trainee had ruled on before are left out. An escalation is not the answer: every
    case of a pack was settled. Raises UsageError for another `pass_at`.
    """
    if not 0.0 < pass_at < 1.0:
        raise UsageError(
            f"{pass_at:g} is no agreement that an interval can lie above or below",
            remedy="give a number between 0 and 1, as 0.8",
        )
    items = _items(pack, answered)
    said = [each for each in items if each.ruling is not None]
    right = sum(each.right for each in said)
    outcome, more = judged(right, len(said), len(items), pass_at)
    overturned = [each for each in said if each.right and each.ruling == "overturn"]
    return TraineeScore(
        reviewer=answered.reviewer,
        logs=tuple(answered.logs),
        cases=len(items),
        known=len(answered.known),
        answered=len(said),
        unanswered=len(items) - len(said),
        right=right,
        agreement=share(right, len(said), "answered cases"),
        kappa=_kappa(said),
        escalated=share(sum(e.ruling == "escalate" for e in said), len(said), "answered cases"),
        reasons=share(
            sum(each.reason == each.answer.reason for each in overturned),
            len(overturned),
            "cases overturned as in the answers",
        ),
        policies=_policies(items),
        viewed=_viewed(pack, answered),
        outcome=outcome,
        more_cases=more,
        wrong=tuple(each.case.number for each in said if not each.right),
        ignored=dict(sorted((+answered.ignored).items())),
    )


def judged(right: int, answered: int, cases: int, pass_at: float) -> tuple[Outcome, int | None]:
    """Whether a trainee passed, and where that is open about how many more cases would tell.

    Passed: the lower end of Wilson's 95 % interval is not below `pass_at`, though every unanswered
    case counts as wrong. Failed: the upper end is below it, though every one counts as right. So
    nobody gains by leaving cases out. No more cases are named where all so far speak for exactly
    `pass_at`.
    """
    if cases >= LEAST:
        if wilson(right, cases).low >= pass_at:
            return "passed", None
        if wilson(right + cases - answered, cases).high < pass_at:
            return "failed", None
    if not answered:
        return "undecided", max(LEAST, cases_needed(1.0, pass_at) or 0)
    needed = cases_needed(right / answered, pass_at)
    return "undecided", None if needed is None else max(1, max(LEAST, needed) - answered)


def cases_needed(agreement: float, pass_at: float) -> int | None:
    """Cases after which Wilson's 95 % interval lies on one side of `pass_at`, if the agreement
    stays what it is; None where it is `pass_at` itself.

    The interval holds every proportion from which the observed one lies at most 1.96 of that
    proportion's own standard errors away, so this is that distance solved for the number of trials.
    """
    if math.isclose(agreement, pass_at):
        return None
    return math.ceil(Z_95**2 * pass_at * (1 - pass_at) / (agreement - pass_at) ** 2)


def share(part: int, of: int, what: str) -> Figure:
    """A rate with Wilson's interval; withheld where it rests on fewer than LEAST."""
    return rate_of(part, of, least=LEAST, what=what)


def _items(pack: HeldPack, answered: Answered) -> list[_Item]:
    items = []
    for case, answer in zip(pack.cases, pack.answers, strict=True):
        if case.number not in answered.known:
            said = answered.last.get(case.number)
            ruling, reason = (None, None) if said is None else (said.ruling, said.reason)
            items.append(_Item(case, answer, ruling, reason))
    return items


def _kappa(said: Sequence[_Item]) -> Figure:
    of = len(said)
    if of < LEAST:
        return share(0, of, "answered cases")
    pairs: Counter[tuple[str, str]] = Counter()
    pairs.update((each.answer.ruling, each.ruling or "") for each in said)
    found = kappa(pairs)
    if found is None:
        return Figure(of=of, withheld="answers and trainee have one word for all cases")
    if found.low == found.high:
        return Figure(
            value=round(found.value, 4),
            of=of,
            withheld="no interval: where all agree the large-sample error is 0 and says nothing",
        )
    return figure(found, of)


def _policies(items: Sequence[_Item]) -> tuple[PolicyScore, ...]:
    names = sorted({each.case.policy for each in items})
    return tuple(
        _policy(name, [each for each in items if name is None or each.case.policy == name])
        for name in (None, *names)
    )


def _policy(name: str | None, items: Sequence[_Item]) -> PolicyScore:
    violating, benign = (
        _confusion([each for each in items if each.answer.ruling == ruling])
        for ruling in ("uphold", "overturn")
    )
    return PolicyScore(
        policy=name,
        violating=violating,
        benign=benign,
        sensitivity=share(violating.upheld, violating.answered, "answered violating cases"),
        specificity=share(benign.overturned, benign.answered, "answered benign cases"),
    )


def _confusion(items: Sequence[_Item]) -> Confusion:
    said = Counter(each.ruling for each in items)
    return Confusion(
        cases=len(items),
        upheld=said["uphold"],
        overturned=said["overturn"],
        escalated=said["escalate"],
        unanswered=said[None],
    )


def _viewed(pack: HeldPack, answered: Answered) -> Viewed:
    seconds = answered.seconds_viewed
    by_severity: dict[str, float] = {}
    for case in pack.cases:
        if case.number in seconds:
            before = by_severity.get(case.severity, 0.0)
            by_severity[case.severity] = before + seconds[case.number]
    return Viewed(
        measured=len(seconds),
        total_s=round(sum(seconds.values()), 3),
        median_s=round(median(seconds.values()), 3) if seconds else None,
        by_severity_s={name: round(each, 3) for name, each in sorted(by_severity.items())},
    )
