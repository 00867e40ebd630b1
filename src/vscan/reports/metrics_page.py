"""Enforcement figures as a page for the people who answer for a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vscan.metrics.backtest.tables import ALL, Table
from vscan.metrics.enforcement.consistency import MarketTest
from vscan.metrics.enforcement.report import Group, Metrics
from vscan.metrics.enforcement.reviewer_tables import (
    agreement_tables,
    consistency_table,
    drift_table,
    exposure_tables,
    sample_tables,
)
from vscan.metrics.enforcement.tables import dimensions, group_tables, rate, summary
from vscan.metrics.figures import Figure
from vscan.reports.interval_rows import STYLE, IntervalRow, interval_rows
from vscan.reports.markup import heading, items, page, pairs, paragraph, table

MOST_ROWS = 40
"""Rates that are drawn; the tables have all."""
MOST_CELLS = 1000
"""Rows of one table that the page shows; more make it slow to read and to open."""
_WIDE = """\
.scroll th[scope=row]{min-width:8rem}.scroll td:not(.figure){min-width:6.5rem}
.scroll td:last-child:not(.figure){min-width:20rem}
"""
"""Tables here are wider than a page: their words must not be squeezed into a letter a line."""


def metrics_page(report: Metrics) -> str:
    """The whole page, as text; see `markup.page`."""
    return page("Enforcement figures", _body(report), style=STYLE + _WIDE)


def _body(report: Metrics) -> Iterator[str]:
    yield items(list(summary(report)))
    if report.notes:
        yield heading("What to know")
        yield items(report.notes)
    yield heading("What is flagged")
    told = list(group_tables(report))
    yield from _rates(
        "share flagged",
        report,
        lambda group: group.content.flagged_share if group.content else None,
    )
    yield _table(told[0], words=len(report.by))
    if len(told) > 1:
        yield heading("What people ruled")
        yield from _rates(
            "precision", report, lambda group: group.rulings.precision if group.rulings else None
        )
        for each in told[1:]:
            yield _table(each, words=len(report.by))
    yield heading("What was missed")
    if report.sampled_withheld is not None:
        yield paragraph(
            f"Recall, prevalence and violative view rate are withheld: {report.sampled_withheld}."
        )
    for number, each in enumerate(sample_tables(report)):
        yield _table(each, words=2 + number)
    yield from _reviewers(report)
    yield from _markets(report)
    for each in drift_table(report):
        yield heading("Against an earlier run")
        yield _table(each, words=1)
    yield heading("What was counted")
    yield pairs(_said(report))


def _rates(about: str, report: Metrics, of: Callable[[Group], Figure | None]) -> Iterator[str]:
    """The rates of all groups, drawn; those of the totals first, as in the tables."""
    rows = [
        _row(", ".join(dimensions(report, group)) or ALL, figure)
        for group in report.groups
        if (figure := of(group)) is not None
    ]
    yield interval_rows(about, rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        yield paragraph(f"{len(rows) - MOST_ROWS} more stand in the table", remark=True)


def _row(name: str, figure: Figure) -> IntervalRow:
    return IntervalRow(name, figure.value, figure.low, figure.high, rate(figure))


def _reviewers(report: Metrics) -> Iterator[str]:
    told = [*agreement_tables(report), *exposure_tables(report)]
    if told:
        yield heading("Reviewers")
    for each in told:
        yield _table(each, words=2 if each.columns[:2] == ("reviewer", "policy") else 1)


def _markets(report: Metrics) -> Iterator[str]:
    if report.consistency is None:
        return
    yield heading("Markets held against each other")
    differing = [each for each in report.consistency.tests if each.differs]
    yield items([*map(_difference, differing), *report.consistency.notes])
    for each in differing:
        if len(each.markets) <= MOST_ROWS:
            yield paragraph(f"{each.policy}: {_measure(each)}")
            yield interval_rows(
                f"{each.policy}, {_measure(each)}",
                [_row(one.market, one.rate) for one in each.markets],
            )
    for drawn in consistency_table(report):
        yield _table(drawn, words=2, last=1)


def _measure(each: MarketTest) -> str:
    return each.measure.replace("_", " ")


def _difference(each: MarketTest) -> str:
    by = each.furthest_difference
    told = "" if by is None or by.value is None else f" by {100 * by.value:+.1f} points"
    return (
        f"{each.policy}: {_measure(each)} differs beyond chance (corrected p"
        f" {each.p_corrected:.2g}, V {each.v:.2f}); {each.furthest} lies furthest from the"
        f" others,{told}"
    )


def _said(report: Metrics) -> Iterator[tuple[str, str]]:
    yield "verdict files", ", ".join(report.verdicts.files)
    if report.decisions is not None:
        yield "decision log", report.decisions.log
    yield "least cases", str(report.least)
    yield "seed", str(report.seed)
    yield "vscan", report.vscan


def _table(each: Table, *, words: int, last: int = 0) -> str:
    """words: columns at the left that hold words; last: such columns at the right."""
    shown = each.rows[:MOST_CELLS]
    left_out = len(each.rows) - len(shown)
    remark = each.remark + (f"; {left_out} more rows are not shown" if left_out else "")
    drawn = table(each.title, each.columns, shown, figures=range(words, len(each.columns) - last))
    return f"{drawn}\n{paragraph(remark, remark=True)}" if remark else drawn
