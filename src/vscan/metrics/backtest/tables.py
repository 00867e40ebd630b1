"""A backtest's report as tables of words and figures, the same on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vscan.metrics.backtest.flip import Flip
from vscan.metrics.backtest.report import Backtest
from vscan.metrics.labelled import LEAST, LabelledPolicy, Rate
from vscan.verdicts import Segment

ALL = "(any)"
"""Stands where a row is of no single policy."""


@dataclass(frozen=True)
class Table:
    """Rows of cells under their columns, with what is to be known of them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""


def volume_table(report: Backtest) -> Table:
    """Videos by policy and action under both packs."""
    return Table(
        "Flagged videos",
        ("policy", "as", "old", "new", "gained", "lost"),
        tuple(
            (each.policy or ALL, each.action, str(each.old), str(each.new),
             str(each.gained), str(each.lost))
            for each in report.volumes
        ),
        "flagged: with any action; gained and lost: under one of the packs alone",
    )  # fmt: skip


def review_table(report: Backtest) -> Table:
    """What both packs give people to do."""
    review = report.review
    return Table(
        "Review",
        ("", "old", "new", "change"),
        (
            ("flagged videos", str(review.old.flagged), str(review.new.flagged),
             signed(review.change_videos)),
            ("share of the videos", percent(review.old.share), percent(review.new.share),
             points(review.new.share - review.old.share)),
            ("reviewer hours", hours(review.old.hours), hours(review.new.hours),
             f"{review.change_hours:+.2f} h"),
            ("footage in flagged segments", length(review.old.footage_s),
             length(review.new.footage_s),
             length(review.new.footage_s - review.old.footage_s, sign="+")),
        ),
        f"reviewer hours: every flagged video takes {review.minutes_per_review:g} minutes, which is"
        " assumed and not measured; videos that could not be judged are not among them",
    )  # fmt: skip


def transition_table(report: Backtest) -> Table:
    """Outcomes under the old pack and what they become."""
    return Table(
        "Outcomes",
        ("old", "new", "videos"),
        tuple(
            (_outcome(each.old_outcome, each.old_action),
             _outcome(each.new_outcome, each.new_action), str(each.videos))
            for each in report.transitions
        ),
    )  # fmt: skip


def label_tables(report: Backtest) -> Iterator[Table]:
    """Errors on labelled videos, then the rates, where there are labels."""
    labels = report.labels
    if labels is None or not labels.policies:
        return
    yield Table(
        "Errors on labelled videos",
        ("policy", "violating", "benign", "false pos. old", "new", "change", "false neg. old",
         "new", "change"),
        tuple(
            (each.policy or ALL, str(each.violating), str(each.benign),
             str(each.old.false_positives), str(each.new.false_positives),
             signed(each.false_positives_change),
             str(each.old.false_negatives), str(each.new.false_negatives),
             signed(each.false_negatives_change))
            for each in labels.policies
        ),
        f"{ALL}: videos with any label, each once; it violates where any of its labels says so, and"
        " is flagged where any policy that it is labelled for flags it, for whichever reason",
    )  # fmt: skip
    rows = tuple(row for each in labels.policies for row in _rates(each))
    if rows:
        yield Table(
            "Rates on labelled videos, with 95 % intervals",
            ("policy", "rate", "old", "new", "change"),
            rows,
            "intervals: Wilson's for a rate, Newcombe's for paired proportions for a change, p of"
            " the exact McNemar test; precision has none for its change, as the packs flag"
            f" different videos; no rate without {LEAST} labels; {ALL}: each video counts once, for"
            " labels of one video are not independent",
        )


def _rates(each: LabelledPolicy) -> Iterator[tuple[str, ...]]:
    """Rows of a policy's rates, without those that too few labels are there for."""
    told: tuple[tuple[str, Rate | None, Rate | None, Rate | None], ...] = (
        ("precision", each.old.precision, each.new.precision, None),
        ("recall", each.old.recall, each.new.recall, each.recall_change),
        ("benign flagged", None, None, each.false_positive_rate_change),
    )
    for name, old, new, changed in told:
        if any(one is not None and one.value is not None for one in (old, new, changed)):
            yield each.policy or ALL, name, rate(old), rate(new), change(changed)


def label_remarks(report: Backtest) -> Iterator[str]:
    """What became of the labels, and what to know of the figures on them."""
    labels = report.labels
    if labels is None:
        return
    others = (
        (labels.unmatched, "that match no video in the store"),
        (labels.unjudged, "of videos that could not be judged"),
        (labels.undecided, "escalated rulings, which are no labels"),
        (labels.replaced, "replaced by a later line"),
        (labels.overruled, "of videos of which another label says it more exactly or later"),
    )
    told = [f"{count} {what}" for count, what in others if count]
    yield f"labels: {labels.used} of {labels.labels} used" + "".join(f"; {each}" for each in told)
    if labels.in_neither_pack:
        yield f"labelled policies that neither pack has: {', '.join(labels.in_neither_pack)}"
    if labels.policies and not any(row for each in labels.policies for row in _rates(each)):
        yield f"too few labels for any rate: each needs {LEAST}"
    yield from labels.notes


def flip_table(
    title: str, flips: Iterable[Flip], remark: str = "", *, repeat: bool = False
) -> Table:
    """One row for each policy that says something else of a video.

    repeat: whether the video's name and outcomes stand in each of its rows, for those who hear one
    row at a time.
    """
    return Table(
        title,
        ("source", "old", "new", "when", "why"),
        tuple(row for flip in flips for row in _flip_rows(flip, repeat)),
        remark,
    )


def _flip_rows(flip: Flip, repeat: bool) -> Iterator[tuple[str, ...]]:
    head = (
        flip.uri,
        _outcome(flip.old_outcome, flip.old_action),
        _outcome(flip.new_outcome, flip.new_action),
    )
    for each in flip.policies:
        yield (*head, spans(each.new.segments or each.old.segments), each.reason)
        head = head if repeat else ("", "", "")


def _outcome(outcome: str, action: str) -> str:
    """The outcome, with the action where it says more."""
    return outcome if (outcome, action) in PLAIN else f"{outcome}, {action}"


PLAIN = {("clear", "allow"), ("review", "review"), ("error", "review")}


def sources_line(report: Backtest) -> str:
    """What was compared and what could not be."""
    sources = report.sources
    told = [f"{videos(sources.videos)} in the store, {sources.compared} judged under both packs"]
    if sources.unjudged:
        codes = ", ".join(f"{each.videos} {each.code}" for each in sources.unjudged)
        told.append(f"not judged, for a person to look at under either pack: {codes}")
    if sources.damaged:
        told.append(f"damaged files in the store: {sources.damaged}")
    return "; ".join(told)


def flips_line(report: Backtest) -> str:
    """How many videos flip, and how."""
    flips = report.flips
    if not flips.total:
        return "flips: none"
    return (
        f"flips: {videos(flips.total)} ({flips.outcome} by outcome, {flips.action} by action alone,"
        f" {flips.policies} by what single policies recommend)"
    )


def videos(count: int) -> str:
    """As `1 video`, `25 videos`."""
    return "1 video" if count == 1 else f"{count} videos"


def spans(segments: Iterable[Segment]) -> str:
    """Times of segments in seconds, as `3.0–7.5 s`."""
    told = ", ".join(f"{each.start_s:.1f}–{each.end_s:.1f}" for each in segments)
    return f"{told} s" if told else "-"


def signed(count: int) -> str:
    """A change in counts, as `+3`, `-2`, `0`."""
    return f"{count:+d}" if count else "0"


def percent(share: float) -> str:
    """A share 0..1 as `12.3 %`."""
    return f"{share:.1%}".replace("%", " %")


def points(change: float) -> str:
    """A change of a share, as `+1.2 points`."""
    return f"{100 * change:+.1f} points"


def hours(value: float) -> str:
    """As `1.25 h`."""
    return f"{value:.2f} h"


def length(seconds: float, sign: str = "") -> str:
    """A length of time, as `12.0 s`, `3.5 min` or `1.25 h`; sign: `+` for a change."""
    if abs(seconds) < 60:
        return f"{seconds:{sign}.1f} s"
    if abs(seconds) < 3600:
        return f"{seconds / 60:{sign}.1f} min"
    return f"{seconds / 3600:{sign}.2f} h"


def rate(each: Rate | None) -> str:
    """As `0.80 (0.55 to 0.93) of 15`, `too few (3)`, or `-` where it has no meaning."""
    if each is None:
        return "-"
    if each.value is None or each.low is None or each.high is None:
        return f"too few ({each.of})"
    return f"{each.value:.2f} ({each.low:.2f} to {each.high:.2f}) of {each.of}"


def change(each: Rate | None) -> str:
    """As `+0.10 (-0.02 to +0.21), p 0.13`, and else as `rate`."""
    if each is None or each.value is None or each.low is None or each.high is None:
        return rate(each)
    p = "" if each.p is None else f", p {each.p:.2g}"
    return f"{each.value:+.2f} ({each.low:+.2f} to {each.high:+.2f}){p}"
