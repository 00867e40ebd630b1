"""What `vscan plan` prints for people: a row for each sampling plan, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vscan.planning.forecast import Figure, Forecast
    from vscan.planning.planner import PlanReport

SHOWN_UNREADABLE = 5
LEAST_SHOWN = 0.001


def print_plan(report: PlanReport) -> None:
    """Prints the table, what was looked at below it, and on stderr what could not be read."""
    from vscan.cli.index_output import say
    from vscan.cli.tables import print_line, print_table

    rows = [list(_row(report, each)) for each in report.plans]
    print_table([name for name, _ in rows[0]], ([cell for _, cell in row] for row in rows))
    print_line()
    for line in _footing(report):
        print_line(line)
    for each in report.unreadable[:SHOWN_UNREADABLE]:
        say(f"left out: {each.uri}: {each.code}: {each.message}")
    if len(report.unreadable) > SHOWN_UNREADABLE:
        say(f"left out: {len(report.unreadable) - SHOWN_UNREADABLE} more that cannot be read")


def _row(report: PlanReport, told: Forecast) -> Iterator[tuple[str, str]]:
    """Columns and cells of one sampling plan."""
    device = report.machine.device
    yield "sampling", f"{told.sampling} (first pass)" if told.first_pass else told.sampling
    yield "samples", f"{told.samples.value:.0f}"
    yield "read", _number(told.reading_cpu_s.value)
    if device is not None:
        yield "model" if device == "cpu" else f"model on {device}", _number(told.embedding_s.value)
    yield "judge", _number(told.judging_cpu_s.value)
    yield "CPU s in all", _ranged(told.cpu_s)
    for bill in (told.here, told.there):
        if bill is not None:
            yield f"{_number(bill.video_hours)} h: time", _clock(bill.wall_s.value)
            priced = bill.cost is not None
            yield "cost" if priced else "core hours", _ranged(bill.cost or bill.core_hours)
    for each in told.missed:
        share = "-" if each.chance is None else f"{100 * each.chance.value:.1f} %"
        yield f"missed {each.event_s:g} s", share


def _footing(report: PlanReport) -> Iterator[str]:
    machine, count = report.machine, len(report.looked_at)
    brackets = f", in brackets the 95 % interval over {count} videos" if count > 1 else ""
    yield f"Samples and CPU seconds are for an hour of video{brackets}."
    yield (
        f"Time and cost are those of {_counted(machine.cores, 'core')} at the limit, with"
        f" {_counted(machine.workers, 'worker')}; starting and waiting for the disk are not in"
        " them."
    )
    yield (
        "missed: the chance that no sample shows an event of that length; what is shown, a model"
        " may still not recognise."
    )
    if any(each.first_pass for each in report.plans):
        yield "first pass: more samples follow around what it finds."
    named = [f"{_counted(report.videos, 'video')}, {_clock(report.video_hours * 3600)}"]
    if report.unreadable:
        named.append(f"left out, for they cannot be read: {len(report.unreadable)}")
    if report.unknown_lengths:
        named.append(f"of no claimed length, and not in time and cost: {report.unknown_lengths}")
    yield "; ".join(named) + "."
    model = "no model" if report.model is None else report.model.partition("#")[0]
    how = f" in {report.precision}" if report.precision else ""
    yield (
        f"Looked at: {count} (seed {report.seed}), {_clock(report.read_s)} of them read; signals"
        f" {', '.join(report.signals)}; {model}{how}."
    )


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _ranged(figure: Figure) -> str:
    if figure.low is None or figure.high is None or 0 < figure.value < LEAST_SHOWN:
        return _number(figure.value)
    return f"{_number(figure.value)} ({_number(figure.low)}-{_number(figure.high)})"


def _number(value: float) -> str:
    """With two or three digits that count, and no exponent."""
    if value >= 100:
        return f"{value:.0f}"
    if 0 < value < LEAST_SHOWN:
        return f"<{LEAST_SHOWN:g}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def _clock(seconds: float) -> str:
    """Seconds in the unit that people would choose."""
    for least_s, unit_s, unit in ((172800, 86400, "days"), (5400, 3600, "h"), (120, 60, "min")):
        if seconds >= least_s:
            return f"{seconds / unit_s:.1f} {unit}"
    return f"{seconds:.1f} s"
