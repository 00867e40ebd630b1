"""A session made of files: verdicts, the log, picks and gold items, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vscan.decisions.decision import Decision
from vscan.decisions.log import DecisionLog
from vscan.errors import DecisionError, UsageError
from vscan.review.gold import gold_cases, gold_seed, mixed
from vscan.review.picks import load_picks
from vscan.review.queue import QueuedCase, first_looks, picked_looks, second_looks
from vscan.review.session import ReviewSession
from vscan.store.browse import Record, load_records


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody wants to review."""

    log: Path
    """It is made where there is none."""
    verdicts: Path
    reviewer: str
    market: str | None = None
    second: bool = False
    picks: Path | None = None
    gold: Path | None = None
    gold_share: float = 0.05
    """Share 0..1 of the queue that is gold items."""


@dataclass(frozen=True)
class Opened:
    """A session, and what there is to say of its queue."""

    session: ReviewSession
    notes: tuple[str, ...]


def open_session(wanted: Wanted) -> Opened:
    """The session that is asked for.

    Raises UsageError, DecisionLogError or OutputError where a file or an option is unusable; a log
    is then not made.
    """
    _check(wanted)
    records = load_records(wanted.verdicts)
    decisions: list[Decision] = []
    if wanted.log.exists():
        with DecisionLog(wanted.log) as log:
            decisions = list(log.decisions())
    notes: list[str] = []
    cases = _with_gold(wanted, records, decisions, _queue(wanted, records, decisions, notes), notes)
    DecisionLog(wanted.log, create=True).close()
    notes.insert(0, f"{len(cases)} case{'' if len(cases) == 1 else 's'} of {len(records)} verdicts")
    session = ReviewSession(cases, log=wanted.log, reviewer=wanted.reviewer, market=wanted.market)
    return Opened(session, tuple(notes))


def _check(wanted: Wanted) -> None:
    if wanted.second and wanted.picks is not None:
        raise UsageError("--second and --picks exclude each other", remedy="give one")
    if not 0.0 <= wanted.gold_share <= 0.5:
        raise UsageError(
            f"--gold-share {wanted.gold_share:g} is not between 0 and 0.5",
            remedy="0.05 is one item in twenty",
        )
    for name, value in (("--reviewer", wanted.reviewer), ("--market", wanted.market)):
        # Now, and not when the first decision is made.
        if value is not None and not (0 < len(value.strip()) <= len(value) <= 256):
            raise DecisionError(f"{name} is empty, or longer than 256 characters")
        if value is not None and not value.isprintable():
            raise DecisionError(f"{name} holds characters that do not print")


def _queue(
    wanted: Wanted, records: list[Record], decisions: list[Decision], notes: list[str]
) -> list[QueuedCase]:
    if wanted.second:
        return second_looks(records, decisions, wanted.reviewer)
    if wanted.picks is None:
        return first_looks(records, decisions)
    cases, unknown = picked_looks(records, load_picks(wanted.picks), decisions)
    if unknown:
        notes.append(f"{unknown} picks name a verdict that is not in {wanted.verdicts}")
    return cases


def _with_gold(
    wanted: Wanted,
    records: list[Record],
    decisions: list[Decision],
    queue: list[QueuedCase],
    notes: list[str],
) -> list[QueuedCase]:
    if wanted.gold is None:
        return queue
    gold = gold_cases(wanted.gold, records)
    cases, drawn = mixed(
        queue,
        gold,
        decisions,
        reviewer=wanted.reviewer,
        seed=gold_seed(wanted.gold),
        share=wanted.gold_share,
        ordered=wanted.picks is None,
    )
    notes += _told_of_gold(queue, gold, cases, drawn)
    return cases


def _told_of_gold(
    queue: list[QueuedCase], gold: list[QueuedCase], cases: list[QueuedCase], drawn: int
) -> Iterator[str]:
    if not gold:
        yield "no gold item is among the verdicts"
    elif not drawn:
        yield "no gold item is mixed in: none is left that fits the queue"
    else:
        yield f"{drawn} of {len(gold)} gold items are mixed in"
    left_out = len(queue) - (len(cases) - drawn)
    if left_out:
        yield f"{left_out} cases are left out: their answers are known"
