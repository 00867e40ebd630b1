"""A backtest's report as a page for people who do not use a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from vscan.metrics.backtest.report import Backtest
from vscan.metrics.backtest.tables import (
    Table,
    flip_table,
    flips_line,
    label_remarks,
    label_tables,
    review_table,
    sources_line,
    transition_table,
    volume_table,
)
from vscan.reports.markup import bars, heading, items, page, pairs, paragraph, sentence, table

MOST_FLIPS = 500
"""Flips that the page shows; more make it slow to read and to open."""
MOST_BARS = 30
"""Policies that are drawn; the table has all."""


def backtest_page(report: Backtest) -> str:
    """The whole page, as text; see `markup.page`."""
    title = f"Backtest: {_name(report.old.pack)} to {_name(report.new.pack)}"
    return page(title, _body(report))


def _name(pack: str) -> str:
    return pack.partition("#")[0]


def _body(report: Backtest) -> Iterator[str]:
    yield paragraph(f"{sentence(flips_line(report))} {sentence(sources_line(report))}")
    yield items(report.notes)
    yield heading("Workload")
    yield _table(review_table(report), figures=(1, 2, 3))
    yield heading("What is flagged")
    yield from _bars(report)
    yield _table(volume_table(report), figures=(2, 3, 4, 5))
    yield _table(transition_table(report), figures=(2,))
    if report.labels is not None:
        yield heading("Against labels")
        yield items(list(label_remarks(report)))
        for number, each in enumerate(label_tables(report)):
            yield _table(each, figures=range(1, 9) if number == 0 else ())
    yield from _flips(report)
    yield heading("What was compared")
    yield pairs(_said(report))
    yield items(report.sources.damages)


def _bars(report: Backtest) -> Iterator[str]:
    policies = [each for each in report.volumes if each.policy and each.action == "flagged"]
    changed = sorted(policies, key=lambda each: -abs(each.new - each.old))[:MOST_BARS]
    rows = [(each.policy or "", each.old, each.new) for each in changed]
    if rows:
        yield bars("Flagged videos by policy under the old and the new pack", rows)
        left_out = len(policies) - len(rows)
        more = f"; the {left_out} policies that change least are left out" if left_out else ""
        yield paragraph(f"upper bar: old pack; lower bar: new pack{more}", remark=True)


def _flips(report: Backtest) -> Iterator[str]:
    if report.sample is not None:
        sample = report.sample
        yield heading("A sample of the flips")
        remark = (
            f"drawn by policy and direction in turn, with seed {sample.seed}: rare changes are in"
            " it more often than among all flips"
        )
        yield _table(flip_table("Sampled flips", sample.flips, remark, repeat=True))
        yield table(
            "What was drawn from",
            ("policy", "change", "flips", "in the sample"),
            ((s.policy, s.change, str(s.flips), str(s.sampled)) for s in sample.strata),
            figures=(2, 3),
        )
    shown = report.listed_flips[:MOST_FLIPS]
    if shown:
        yield heading("Flips")
        left_out = report.flips.total - len(shown)
        remark = f"{left_out} more are not shown" if left_out else ""
        yield _table(flip_table("Videos that flip", shown, remark, repeat=True))


def _said(report: Backtest) -> Iterator[tuple[str, str]]:
    yield "old pack", f"{report.old.given} ({report.old.pack})"
    yield "new pack", f"{report.new.given} ({report.new.pack})"
    yield "store", report.store
    for name, digest in report.indexes.items():
        yield "exemplar index", f"{name} ({digest})"
    for each in report.sources.measured:
        model = f", {each.model}, {each.precision}" if each.model else ""
        yield "measured by", f"{each.sampling}{model}"
    yield (
        "signals judged",
        f"old {', '.join(report.old.signals)}; new " + ", ".join(report.new.signals),
    )
    yield "vscan", report.vscan


def _table(each: Table, *, figures: tuple[int, ...] | range = ()) -> str:
    drawn = table(each.title, each.columns, each.rows, figures=figures)
    return f"{drawn}\n{paragraph(each.remark, remark=True)}" if each.remark else drawn
