"""Enforcement figures as tables: the sample, the reviewers, the markets, the earlier run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vscan.metrics.backtest.tables import ALL, Table, length
from vscan.metrics.enforcement.consistency import MarketTest
from vscan.metrics.enforcement.exposure import Exposure
from vscan.metrics.enforcement.report import Metrics
from vscan.metrics.enforcement.tables import (
    INTERVALS,
    NOTHING,
    change,
    group_tables,
    rate,
    with_reasons,
)

_MEASURES = {
    "flagged_share": "share flagged",
    "precision": "precision",
    "decision_overturn_rate": "first rulings overturned",
}


def sample_tables(report: Metrics) -> Iterator[Table]:
    """What the sample says of the whole, and of what it was drawn."""
    if not report.sampled:
        return
    drawn = report.sampled
    yield Table(
        "From the sample",
        ("policy", "market", "prevalence", "recall", "precision", "violative view rate"),
        tuple(
            (each.policy, each.market or ALL, rate(each.prevalence), rate(each.recall),
             rate(each.precision), rate(each.violative_view_rate))
            for each in drawn
        ),
        with_reasons(
            "weighted to the population, of all videos there; the number after `of` is that of the"
            f" answers; {INTERVALS}",
            [figure for each in drawn for figure in
             (each.prevalence, each.recall, each.precision, each.violative_view_rate)],
        ),
    )  # fmt: skip
    yield Table(
        "Strata of the sample",
        ("policy", "market", "stratum", "population", "drawn", "answered", "violating"),
        tuple(
            (each.policy, each.market or ALL, one.stratum, str(one.population), str(one.sampled),
             str(one.answered), str(one.violating))
            for each in drawn
            for one in each.strata
        ),
    )  # fmt: skip


def agreement_tables(report: Metrics) -> Iterator[Table]:
    """Whether reviewers agree, and are right where that is known."""
    if report.agreement:
        yield Table(
            "Agreement of first and second looks",
            ("policy", "second looks", "agreed", "kappa", "alpha"),
            tuple(
                (each.policy or ALL, str(each.pairs), rate(each.agreed), rate(each.kappa),
                 rate(each.alpha))
                for each in report.agreement
            ),
            with_reasons(
                "kappa: Cohen's; alpha: Krippendorff's, of cases; both are 0 where they agree no"
                " more than chance would. A second look that knew of the first is not independent",
                [figure for each in report.agreement for figure in
                 (each.agreed, each.kappa, each.alpha)],
            ),
        )  # fmt: skip
    if report.gold:
        yield Table(
            "Reviewers on items with a known answer",
            ("reviewer", "right", "wrong", "accuracy", "not scored", "no known answer"),
            tuple(
                (each.reviewer, str(each.right), str(each.wrong), rate(each.accuracy),
                 str(each.unscored), str(each.unknown))
                for each in report.gold
            ),
            with_reasons(
                "not scored: escalated, or overturned for a reason that leaves it open",
                [each.accuracy for each in report.gold],
            ),
        )  # fmt: skip


def exposure_tables(report: Metrics) -> Iterator[Table]:
    """What reviewers had to look at."""
    if not report.reviewers:
        return
    remark = "as far as it was measured (seconds_viewed); days are of UTC; gold items count"
    yield Table(
        "Reviewers' exposure",
        ("reviewer", "decisions", "not measured", "viewed", "longest day", "on", "by severity"),
        tuple(
            (each.reviewer, str(each.decisions), str(each.unmeasured), length(each.viewed_s),
             length(each.longest_day_s), each.longest_day or NOTHING, _sums(each.by_severity))
            for each in (*report.reviewers, _all(report.reviewers))
        ),
        remark,
    )  # fmt: skip
    yield Table(
        "Reviewers' exposure by policy",
        ("reviewer", "policy", "viewed"),
        tuple(
            (each.reviewer, policy, length(seconds))
            for each in report.reviewers
            for policy, seconds in each.by_policy.items()
        ),
        remark,
    )


def _all(reviewers: Iterable[Exposure]) -> Exposure:
    """All reviewers together; the longest day is that of one of them."""
    held = list(reviewers)
    severities: dict[str, float] = {}
    for each in held:
        for name, seconds in each.by_severity.items():
            severities[name] = severities.get(name, 0.0) + seconds
    longest = max(held, key=lambda each: each.longest_day_s)
    return Exposure(
        reviewer=ALL,
        decisions=sum(each.decisions for each in held),
        unmeasured=sum(each.unmeasured for each in held),
        viewed_s=sum(each.viewed_s for each in held),
        by_severity=severities,
        by_policy={},
        longest_day_s=longest.longest_day_s,
        longest_day=longest.longest_day,
    )


def _sums(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {length(each)}" for name, each in seconds.items()) or NOTHING


def consistency_table(report: Metrics) -> Iterator[Table]:
    """Markets held against each other."""
    if report.consistency is None:
        return
    told = report.consistency
    yield Table(
        "Markets",
        ("policy", "measure", "p", "corrected", "V", "beyond chance", "furthest", "by", "markets"),
        tuple(_market_row(each) for each in told.tests),
        f"under {told.pack}: {told.videos} videos in a market; {told.without_market} without one"
        f" and {told.other_packs} of other packs are left out; p that the rate is one and the same,"
        " corrected by Holm for all these tests; V: Cramér's, the size of the difference; by: the"
        " furthest market less the others; " + "; ".join(told.notes),
    )


def _market_row(each: MarketTest) -> tuple[str, ...]:
    rates = ", ".join(f"{one.market} {rate(one.rate)}" for one in each.markets) or NOTHING
    measure = _MEASURES[each.measure]
    if each.p is None or each.p_corrected is None or each.furthest_difference is None:
        why = f"{each.withheld}: {rates}"
        return (each.policy, measure, *[NOTHING] * 3, "no test", NOTHING, NOTHING, why)
    return (
        each.policy, measure, f"{each.p:.2g}", f"{each.p_corrected:.2g}", f"{each.v:.2f}",
        "yes" if each.differs else "no", each.furthest or NOTHING,
        change(each.furthest_difference), rates,
    )  # fmt: skip


def drift_table(report: Metrics) -> Iterator[Table]:
    """This run held against an earlier one."""
    if report.drift is None:
        return
    told = report.drift
    yield Table(
        "Drift",
        ("policy", "flagged before", "now", "change", "distance", "scores before", "now", "p",
         "corrected"),
        tuple(
            (each.policy, rate(each.before), rate(each.after), change(each.change),
             NOTHING if each.distance is None else f"{each.distance:.2f}",
             str(each.scores_before), str(each.scores_after),
             NOTHING if each.p is None else f"{each.p:.2g}",
             NOTHING if each.p_corrected is None else f"{each.p_corrected:.2g}")
            for each in told.policies
        ),
        f"against {', '.join(told.against)} ({told.videos_before} videos, {told.errors_before}"
        " errors); distance: Kolmogorov and Smirnov's, of the scores of what is flagged; p"
        " corrected by Holm; " + "; ".join(told.notes),
    )  # fmt: skip


def all_tables(report: Metrics) -> Iterator[Table]:
    """Every table of a report, in the order in which they are read."""
    yield from group_tables(report)
    yield from sample_tables(report)
    yield from agreement_tables(report)
    yield from exposure_tables(report)
    yield from consistency_table(report)
    yield from drift_table(report)
