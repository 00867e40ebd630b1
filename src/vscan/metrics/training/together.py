"""Trainees side by side: each one's figures, what most get wrong, how far they agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from vscan.metrics.enforcement.agreement_statistics import alpha
from vscan.metrics.figures import Figure, figure, none, too_few
from vscan.metrics.labelled import LEAST
from vscan.metrics.training.answered import Answered, TraineeLog, gather
from vscan.metrics.training.files import HeldPack
from vscan.metrics.training.score import trainee_score
from vscan.metrics.training.score_records import (
    BetweenTrainees,
    HardCase,
    ScoredLog,
    TrainingScore,
)


def score_pack(
    pack: HeldPack, logs: Sequence[TraineeLog], *, pass_at: float, reviewers: Sequence[str] = ()
) -> TrainingScore:
    """The report on everybody who decided in the logs, or on `reviewers` alone.

    Raises UsageError as `gather` and `trainee_score` do.
    """
    answered = gather(pack, logs, reviewers)
    return TrainingScore(
        pack=pack.digest,
        seed=pack.seed,
        cases=len(pack.cases),
        pass_at=pass_at,
        logs=tuple(
            ScoredLog(
                name=log.name,
                decisions=len(log.decisions),
                head=log.chain.head,
                problem=log.chain.problem,
            )
            for log in logs
        ),
        trainees=tuple(trainee_score(pack, each, pass_at=pass_at) for each in answered),
        between=between(answered, seed=pack.seed) if len(answered) > 1 else None,
        hard=hard_cases(pack, answered),
        notes=tuple(_notes(logs, answered)),
    )


def between(answered: Sequence[Answered], *, seed: int) -> BetweenTrainees:
    """How far trainees rule alike on cases that several answered."""
    pairs = agreeing = 0
    for one, other in combinations(answered, 2):
        both = one.last.keys() & other.last.keys()
        pairs += len(both)
        agreeing += sum(one.last[number].ruling == other.last[number].ruling for number in both)
    return BetweenTrainees(
        pairs=pairs,
        agreeing=agreeing,
        share=round(agreeing / pairs, 4) if pairs >= LEAST else None,
        alpha=_alpha(answered, seed),
    )


def _alpha(answered: Sequence[Answered], seed: int) -> Figure:
    numbers = sorted({number for each in answered for number in each.last})
    units = [
        [each.last[number].ruling for each in answered if number in each.last] for number in numbers
    ]
    several = sum(len(unit) > 1 for unit in units)
    if several < LEAST:
        return none(several, too_few(several, LEAST, "cases that several answered"))
    found = alpha(units, seed=seed)
    if found is None:
        return none(several, "all trainees have one word for all cases")
    return figure(found, several)


def hard_cases(pack: HeldPack, answered: Sequence[Answered]) -> tuple[HardCase, ...]:
    """Cases that at least two trainees answered and most of those otherwise than the answer."""
    found = []
    for case, answer in zip(pack.cases, pack.answers, strict=True):
        said = [each.last[case.number].ruling for each in answered if case.number in each.last]
        wrong = sum(ruling != answer.ruling for ruling in said)
        if len(said) > 1 and 2 * wrong > len(said):
            found.append(
                HardCase(
                    number=case.number,
                    verdict=case.verdict,
                    uri=case.uri,
                    policy=case.policy,
                    severity=case.severity,
                    ruling=answer.ruling,
                    why=answer.why,
                    firmness=answer.firmness,
                    answered=len(said),
                    wrong=wrong,
                    escalated=said.count("escalate"),
                )
            )
    return tuple(sorted(found, key=lambda e: (-e.wrong / e.answered, -e.wrong, e.number)))


def _notes(logs: Sequence[TraineeLog], answered: Sequence[Answered]) -> Iterator[str]:
    for log in logs:
        if log.chain.problem is not None:
            yield f"{log.name}: its chain does not hold: {log.chain.problem}"
    for each in answered:
        if len(each.logs) > 1:
            yield (
                f"{each.reviewer} decided in {len(each.logs)} logs, which count as one, in the"
                " order in which they were given"
            )
