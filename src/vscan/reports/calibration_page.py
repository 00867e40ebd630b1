"""A calibration's report as a page for people who do not use a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from vscan.metrics.backtest.tables import Table
from vscan.metrics.thresholds.report import CalibrationReport
from vscan.metrics.thresholds.tables import (
    guarantee,
    headline,
    labels_line,
    probability_line,
    reliability_table,
    threshold_table,
)
from vscan.reports.markup import heading, items, page, pairs, paragraph, sentence, table
from vscan.reports.reliability_plot import STYLE, reliability_plot


def calibration_page(report: CalibrationReport) -> str:
    """The whole page, as text; see `markup.page`."""
    name = report.pack.partition("#")[0]
    return page(f"Calibration: {report.policy} in {name}", _body(report), style=STYLE)


def _body(report: CalibrationReport) -> Iterator[str]:
    yield paragraph(f"{headline(report)}. {sentence(guarantee(report))}")
    yield paragraph(
        "This holds for videos like the labelled ones, scored by the same model with the same"
        " wording: not where what is uploaded has changed since."
    )
    yield items(report.notes)
    yield heading("What changes")
    yield _table(threshold_table(report), ())
    yield heading("What a score means")
    yield paragraph(sentence(probability_line(report)))
    bins = reliability_table(report)
    if bins is not None and report.probabilities is not None:
        yield reliability_plot(
            "Share of labelled videos that violates against the probability told",
            report.probabilities.reliability,
        )
        yield paragraph("On the line, a probability is what it says.", remark=True)
        yield _table(bins, (0, 1, 2, 3))
    yield heading("What it rests on")
    yield pairs(_said(report))


def _said(report: CalibrationReport) -> Iterator[tuple[str, str]]:
    yield "pack", report.pack
    yield "policy", report.policy
    yield "action", report.action
    yield "model", report.model
    yield "store", report.store
    for name, digest in report.indexes.items():
        yield "exemplar index", f"{name} ({digest})"
    yield "labels", f"{report.labels.file} ({report.labels.sha256})"
    yield "used", labels_line(report)
    for code, videos in report.unjudged.items():
        yield "not judged", f"{videos} videos: {code}"
    yield "seed", str(report.certified.seed)
    yield "vscan", report.vscan


def _table(each: Table, figures: tuple[int, ...]) -> str:
    drawn = table(each.title, each.columns, each.rows, figures=figures)
    return f"{drawn}\n{paragraph(each.remark, remark=True)}" if each.remark else drawn
