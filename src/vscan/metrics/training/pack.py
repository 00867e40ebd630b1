"""A pack for reviewer training put together: cases, answers and manifest, as bytes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from vscan.decisions.chain import Verified
from vscan.decisions.decision import Decision
from vscan.errors import UsageError
from vscan.metrics.training.cases import CasesWanted, SettledCase, SettledCases, settled_cases
from vscan.metrics.training.choice import Choice, Mix, choose, said
from vscan.metrics.training.records import (
    ANSWERS,
    CASES,
    PICKS,
    Exposure,
    TrainingAnswer,
    TrainingCase,
    TrainingManifest,
)
from vscan.policies.actions import SEVERITIES
from vscan.provenance import version
from vscan.store.browse import Record


@dataclass(frozen=True)
class TrainingPack:
    """A pack before it is written."""

    manifest: TrainingManifest
    files: Mapping[str, bytes]
    """By name, every file but the manifest and the text for people."""


def build_pack(
    decisions: Sequence[Decision],
    records: Iterable[Record],
    wanted: CasesWanted,
    mix: Mix,
    chain: Verified,
) -> TrainingPack:
    """Chooses the cases and writes them down; the same inputs give the same bytes.

    decisions: all of a log, in its order. records: of the verdict files, where several know a
    source the last alone. chain: what walking the log's chain came to. Raises UsageError where no
    case can be used.
    """
    found = settled_cases(decisions, records, wanted)
    choice = choose(found.cases, mix)
    if not choice.cases:
        raise UsageError("no case of the log can be used", remedy=_why_none(found, choice))
    cases = [_case(number, each) for number, each in enumerate(choice.cases, start=1)]
    answers = [_answer(number, each) for number, each in enumerate(choice.cases, start=1)]
    population = len(found.cases)
    files = {
        CASES: b"".join(each.to_line() for each in cases),
        PICKS: b"".join(
            each.to_pick(seed=mix.seed, population=population, sampled=len(cases)) for each in cases
        ),
        ANSWERS: b"".join(each.to_line() for each in answers),
    }
    return TrainingPack(_manifest(found, choice, wanted, mix, chain, files), files)


def _why_none(found: SettledCases, choice: Choice) -> str:
    told = "; ".join(f"{n} {why}" for why, n in {**found.left_out, **choice.passed_over}.items())
    return (
        f"{told or 'the log holds no ruling on a verdict'}; a case needs an adjudication, an"
        " appeal, or a second look that agrees with the first"
    )


def _case(number: int, case: SettledCase) -> TrainingCase:
    return TrainingCase(
        number=number,
        verdict=case.verdict,
        uri=case.uri,
        sha256=case.sha256,
        policy=case.policy,
        severity=case.severity,
        footage_s=case.footage_s,
        segments=case.segments,
        market=case.market,
    )


def _answer(number: int, case: SettledCase) -> TrainingAnswer:
    return TrainingAnswer(
        number=number,
        verdict=case.verdict,
        policy=case.policy,
        ruling=case.ruling,
        reason=case.reason,
        why=case.why,
        firmness=case.firmness,
        looks=case.looks,
        reviewers=case.reviewers,
    )


def _manifest(
    found: SettledCases,
    choice: Choice,
    wanted: CasesWanted,
    mix: Mix,
    chain: Verified,
    files: Mapping[str, bytes],
) -> TrainingManifest:
    cases = choice.cases
    by_answer = Counter(said(each) for each in cases)
    runs = [sum(1 for _ in run) for graver, run in groupby(cases, lambda e: e.graver) if graver]
    return TrainingManifest(
        vscan=version(),
        seed=mix.seed,
        cases=len(cases),
        settings={
            "cases": mix.cases,
            "share_benign": mix.share_benign,
            "policies": wanted.policies,
            "market": wanted.market,
            "most_severe": wanted.most_severe,
            "most_footage_s": mix.most_footage_s,
        },
        files={name: hashlib.sha256(held).hexdigest() for name, held in files.items()},
        log_head=chain.head,
        log_problem=chain.problem,
        packs=tuple(sorted({each.pack for each in cases})),
        policies=dict(sorted(Counter(each.policy for each in cases).items())),
        answers={answer: by_answer[answer] for answer in choice.asked},
        firmness=dict(sorted(Counter(each.firmness for each in cases).items())),
        disputed=sum(each.disputed for each in cases),
        exposure=exposure(cases),
        most_graver_in_a_row=max(runs, default=0),
        unfilled={
            answer: seats - by_answer[answer]
            for answer, seats in choice.asked.items()
            if seats > by_answer[answer]
        },
        passed_over=choice.passed_over,
        left_out=found.left_out,
    )


def exposure(cases: Sequence[SettledCase]) -> tuple[Exposure, ...]:
    """What there is to look at, in all and by severity."""
    by_severity: dict[str | None, list[SettledCase]] = {None: list(cases)}
    for severity in SEVERITIES:
        by_severity[severity] = [each for each in cases if each.severity == severity]
    return tuple(
        Exposure(
            severity=severity,
            cases=len(some),
            footage_s=round(sum(each.footage_s for each in some), 3),
            longest_s=max((each.footage_s for each in some), default=0.0),
        )
        for severity, some in by_severity.items()
        if some
    )
