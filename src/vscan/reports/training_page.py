"""The report on trainees as a page: figures alone, no picture of what they looked at."""

from __future__ import annotations

from collections.abc import Iterator

from vscan.metrics.backtest.tables import Table
from vscan.metrics.training.score_records import TraineeScore, TrainingScore
from vscan.metrics.training.tables import (
    hard_table,
    policies_table,
    remarks,
    trainees_table,
)
from vscan.reports.markup import heading, items, page, pairs, paragraph, table


def training_page(score: TrainingScore) -> str:
    """The whole page, as text; see `markup.page`."""
    return page("Reviewer training", _body(score))


def _body(score: TrainingScore) -> Iterator[str]:
    yield _table(trainees_table(score))
    yield items(list(remarks(score)))
    if score.hard:
        yield heading("What most get wrong")
        yield _table(hard_table(score))
    for each in score.trainees:
        yield heading(each.reviewer)
        yield _table(policies_table(each), figures=range(2, 7))
        yield pairs(_viewed(each))
    yield heading("What was scored")
    yield pairs(_said(score))


def _viewed(each: TraineeScore) -> Iterator[tuple[str, str]]:
    if each.viewed.measured:
        yield "seconds viewed", f"{each.viewed.total_s:g} on {each.viewed.measured} cases"
        for severity, seconds in each.viewed.by_severity_s.items():
            yield f"of these {severity}", f"{seconds:g}"


def _said(score: TrainingScore) -> Iterator[tuple[str, str]]:
    yield "pack", f"{score.cases} cases, seed {score.seed}, manifest sha256:{score.pack}"
    for log in score.logs:
        yield "log", f"{log.name}: {log.decisions} decisions, head {log.head}"


def _table(each: Table, *, figures: range = range(0)) -> str:
    drawn = table(each.title, each.columns, each.rows, figures=figures)
    return f"{drawn}\n{paragraph(each.remark, remark=True)}" if each.remark else drawn
