"""Enforcement figures as tables of words and figures: what is flagged, and what people ruled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from vscan.metrics.backtest.tables import ALL, Table, length
from vscan.metrics.enforcement.content import Content
from vscan.metrics.enforcement.report import Group, Metrics
from vscan.metrics.enforcement.rulings import Rulings
from vscan.metrics.figures import TOO_FEW, Figure

NOTHING = "-"
FEW_TOLD = "there are fewer than are needed"
INTERVALS = "in brackets: 95 % intervals"


def group_tables(report: Metrics) -> Iterator[Table]:
    """What stands in the groups: content first, then rulings, appeals and times."""
    yield _table(
        report, "Flagged videos",
        ("videos", "errors", "flagged", "share", "review", "escalate", "remove", "in segments"),
        lambda group: _of_content(group.content),
        f"share: of videos that could be judged, Wilson's interval; errors are in no rate, and a"
        f" person has to look at them; {INTERVALS}",
        [each.content.flagged_share for each in report.groups if each.content],
    )  # fmt: skip
    if not any(each.rulings for each in report.groups):
        return
    yield _table(
        report, "Rulings",
        ("cases", "upheld", "overturned", "undecided", "not flagged", "precision",
         "verdicts overturned", "first rulings overturned", "escalated"),
        lambda group: _of_rulings(group.rulings),
        "precision: upheld of upheld and overturned, verdicts overturned is the rest; first rulings"
        " overturned: another one stands now; it is of what was decided, which is all that is"
        f" flagged only where all of it was reviewed, or drawn at random; {_together(report)}",
        [figure for each in _rulings(report) for figure in
         (each.precision, each.decision_overturn_rate, each.escalation_rate)],
    )  # fmt: skip
    yield _table(
        report, "Appeals and reports",
        ("appealed", "overturned on appeal", "found before a report", "report not known"),
        lambda group: _of_appeals(group.rulings),
        "appealed: with an answer to an appeal, of what could be appealed; recent cases may still"
        " be appealed; found before a report: of upheld cases of which it is known",
        [figure for each in _rulings(report) for figure in
         (each.appeal_rate, each.appeal_overturn_rate, each.proactive_rate)],
    )  # fmt: skip
    yield _table(
        report, "Time to the first decision",
        ("half within", "nine of ten within", "of", "not dated", "before it was known"),
        lambda group: _of_times(group.rulings),
        "from the earliest of uploaded_at, flagged_at and reported_at; intervals of order"
        " statistics, open where there are too few to bound them",
        [each.turnaround.p50_s for each in _rulings(report)],
    )  # fmt: skip


def _table(
    report: Metrics,
    title: str,
    columns: tuple[str, ...],
    cells: Callable[[Group], tuple[str, ...] | None],
    remark: str,
    figures: Iterable[Figure],
) -> Table:
    rows = [
        (*dimensions(report, group), *told)
        for group in report.groups
        if (told := cells(group)) is not None
    ]
    return Table(title, (*report.by, *columns), tuple(rows), with_reasons(remark, figures))


def dimensions(report: Metrics, group: Group) -> tuple[str, ...]:
    """The cells that say which group a row is of."""
    return tuple(getattr(group, name) or ALL for name in report.by)


def _rulings(report: Metrics) -> Iterator[Rulings]:
    return (each.rulings for each in report.groups if each.rulings is not None)


def _of_content(content: Content | None) -> tuple[str, ...] | None:
    if content is None:
        return None
    counts = (content.review, content.escalate, content.remove)
    return (
        str(content.videos), str(content.errors), str(content.flagged),
        rate(content.flagged_share), *map(str, counts), length(content.segments_s),
    )  # fmt: skip


def _of_rulings(told: Rulings | None) -> tuple[str, ...] | None:
    if told is None:
        return None
    return (
        str(told.cases), str(told.upheld), str(told.overturned), str(told.undecided),
        str(told.not_flagged),
        rate(told.precision), rate(told.verdict_overturn_rate), rate(told.decision_overturn_rate),
        rate(told.escalation_rate),
    )  # fmt: skip


def _of_appeals(told: Rulings | None) -> tuple[str, ...] | None:
    if told is None:
        return None
    rates = (told.appeal_rate, told.appeal_overturn_rate, told.proactive_rate)
    return (*map(rate, rates), str(told.report_unknown))


def _of_times(told: Rulings | None) -> tuple[str, ...] | None:
    if told is None:
        return None
    times = told.turnaround
    return (
        time(times.p50_s), time(times.p90_s), str(times.p50_s.of), str(times.undated),
        str(times.backward),
    )  # fmt: skip


def _together(report: Metrics) -> str:
    if "policy" not in report.by:
        return "each verdict counts once"
    return f"{ALL}: each verdict counts once, for its cases are not independent"


def with_reasons(remark: str, figures: Iterable[Figure]) -> str:
    """The remark, and why figures of its table are withheld, each reason once."""
    told: dict[str, None] = {}
    for each in figures:
        if each.withheld is not None:
            few = each.withheld.startswith(TOO_FEW)
            told[FEW_TOLD if few else each.withheld] = None
    return f"{remark}; {NOTHING}: withheld, for {'; or '.join(told)}" if told else remark


def rate(each: Figure) -> str:
    """As `0.80 (0.55 to 0.93) of 15`, or `- of 3` where it is withheld; with as many decimals as
    the value needs to have two digits, and four at most."""
    if each.value is None:
        return f"{NOTHING} of {each.of}"
    size = abs(each.value or each.high or 0.0)
    decimals = 2 if size >= 0.095 or not size else 3 if size >= 0.0095 else 4
    if each.low is None or each.high is None:
        return f"{each.value:.{decimals}f} of {each.of}"
    low, high = (f"{end:.{decimals}f}" for end in (each.low, each.high))
    return f"{each.value:.{decimals}f} ({low} to {high}) of {each.of}"


def change(each: Figure) -> str:
    """As `+0.10 (-0.02 to +0.21)`."""
    if each.value is None or each.low is None or each.high is None:
        return NOTHING
    return f"{each.value:+.2f} ({each.low:+.2f} to {each.high:+.2f})"


def time(each: Figure) -> str:
    """As `2.0 min (1.5 min to 4.0 min)`; an end that nothing bounds is `…`."""
    if each.value is None:
        return NOTHING
    low, high = ("…" if end is None else length(end) for end in (each.low, each.high))
    return f"{length(each.value)} ({low} to {high})"


def summary(report: Metrics) -> Iterator[str]:
    """What was read, in a few lines."""
    read = report.verdicts
    left_out = f"; {read.outside} outside of these days or not dated" if read.outside else ""
    yield f"verdicts: {read.videos} videos, {read.errors} of them errors{left_out}"
    yield f"packs: {', '.join(read.packs) or NOTHING}"
    if report.decisions is not None:
        told = report.decisions
        yield (
            f"decisions: {told.decisions} on {told.cases} cases"
            f" ({told.gold} gold, {told.of_other_verdicts} cases of verdicts that are not here)"
        )
    if report.first_day or report.last_day:
        yield f"days: {report.first_day or '…'} to {report.last_day or '…'} (UTC)"
