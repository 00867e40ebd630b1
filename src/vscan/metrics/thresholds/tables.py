"""A calibration's report in words and figures, the same on a terminal and on a page."""

from __future__ import annotations

from vscan.metrics.backtest.tables import Table, hours, percent, rate
from vscan.metrics.thresholds.report import AtThreshold, CalibrationReport, Load

TESTS = {
    "binomial": "the exact binomial tail",
    "betting": "betting on weighted labels",
}


def headline(report: CalibrationReport) -> str:
    """The threshold, and what it replaces."""
    old = "none" if report.old is None else f"{report.old.threshold:g}"
    return f"{report.policy}: {report.action} = {report.certified.threshold:g} in place of {old}"


def guarantee(report: CalibrationReport) -> str:
    """What is certified, and how."""
    of = report.certified
    labels = (
        f"{of.tested} labels" if not of.fitted else f"{of.tested} of {report.labels.used} labels"
    )
    return (
        f"{of.target} is at least {of.at_least:g} with confidence {of.confidence:g}, by"
        f" {TESTS[of.method]} on {labels} (p {of.p:.3g}; {_count(of.tests, 'test')} in a fixed"
        f" order; seed {of.seed})"
    )


def labels_line(report: CalibrationReport) -> str:
    """What came of the labels."""
    of = report.labels
    benign = of.used - of.positives
    told = [f"{of.used} of {of.of_policy} labels used: {of.positives} violating, {benign} benign"]
    for count, why in (
        (of.unmatched, "meet no video of the store, or one that a better label names"),
        (of.unscored, "of videos without prompt scores"),
        (of.matched, "of videos that an exemplar flags"),
        (of.purposive, "picked for what they show"),
        (of.repeated, "of content that is labelled under another name"),
        (of.contradicted, "of content that others label otherwise"),
    ):
        if count:
            told.append(f"{count} {why}")
    return "; ".join(told)


def threshold_table(report: CalibrationReport) -> Table:
    """Old and new threshold: rates on the labels that were tested, and workload."""
    rows = [
        ("threshold", _threshold(report.old_load), _threshold(report.new_load)),
        ("precision", _rate(report.old, "precision"), _rate(report.new, "precision")),
        ("recall", _rate(report.old, "recall"), _rate(report.new, "recall")),
        ("flagged videos", _flagged(report.old_load), _flagged(report.new_load)),
        ("share of the store", _share(report.old_load), _share(report.new_load)),
        ("reviewer hours", hours(report.old_load.hours), hours(report.new_load.hours)),
    ]
    remark = (
        "rates: of the labels that were tested, with 95 % intervals; reviewer hours: every flagged"
        f" video takes {report.minutes_per_review:g} minutes, which is assumed and not measured"
    )
    if report.videos_per_day is not None:
        rows += [
            ("flagged a day", _day(report.old_load), _day(report.new_load)),
            ("reviewer hours a day", _hours_a_day(report.old_load), _hours_a_day(report.new_load)),
        ]
        remark += f"; a day has {report.videos_per_day:g} videos like those of the store"
    return Table("Thresholds", ("", "old", "new"), tuple(rows), remark)


def probability_line(report: CalibrationReport) -> str:
    """What a score means as a probability."""
    of = report.probabilities
    if of is None:
        return "no probabilities: the labels to fit on are all of one class"
    name = "Platt's sigmoid" if of.method == "platt" else "isotonic regression"
    even = "from no score on" if of.even_at is None else f"from a score of {of.even_at:.4f} on"
    held = of.reliability
    return (
        f"a violation is as likely as not {even} ({name} on {of.fitted} labels; on"
        f" {held.labels} others its Brier score is {held.brier:.4f}, that of the raw score"
        f" {held.brier_raw:.4f}, ECE {held.ece:.4f})"
    )


def reliability_table(report: CalibrationReport) -> Table | None:
    """Probability and what was observed, by bin; None without probabilities."""
    if report.probabilities is None:
        return None
    return Table(
        "Reliability",
        ("probability", "observed", "95 % interval", "labels"),
        tuple(
            (
                f"{each.probability:.3f}",
                f"{each.observed:.3f}",
                "-"
                if each.low is None or each.high is None
                else f"{each.low:.3f} to {each.high:.3f}",
                str(each.labels),
            )
            for each in report.probabilities.reliability.bins
        ),
        "bins of about as many labels each; ECE and Brier score are of these labels, which the"
        " probabilities were not fitted on, and chance alone keeps both above 0",
    )


def _threshold(load: Load) -> str:
    return "-" if load.threshold is None else f"{load.threshold:g}"


def _rate(at: AtThreshold | None, name: str) -> str:
    if at is None:
        return "-"
    found = getattr(at, name)
    if found.value is not None and found.low is None:
        return f"{found.value:.2f}, weighted, of {found.of}"
    return rate(found) if "too few" in (found.withheld or "too few") else "not known"


def _flagged(load: Load) -> str:
    by = f" ({load.by_exemplar} by exemplars)" if load.by_exemplar else ""
    return f"{load.flagged} of {load.of}{by}"


def _share(load: Load) -> str:
    return f"{percent(load.share)} ({percent(load.low)} to {percent(load.high)})"


def _day(load: Load) -> str:
    return f"{load.per_day:g} ({load.per_day_low:g} to {load.per_day_high:g})"


def _hours_a_day(load: Load) -> str:
    low, high = load.hours_per_day_low, load.hours_per_day_high
    return f"{load.hours_per_day:.2f} h ({low:.2f} to {high:.2f})"


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"
