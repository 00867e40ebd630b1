"""A session: what is acknowledged is in the log, what was undone is asked again, who was faster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from tests.decisions.made import decision, verdict
from vscan.decisions.decision import Decision
from vscan.decisions.log import DecisionLog
from vscan.decisions.standing import disagreements, standing
from vscan.errors import DecisionError, ReviewError
from vscan.review.queue import QueuedCase, first_looks
from vscan.review.session import DecidedMeanwhileError, ReviewSession


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """The moment."""
        return self.now


def logged(path: Path) -> list[Decision]:
    """What the log holds."""
    with DecisionLog(path) as log:
        return list(log.decisions())


@pytest.fixture
def clock() -> Clock:
    """A clock at 0."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty log."""
    DecisionLog(tmp_path / "d.db", create=True).close()
    return tmp_path / "d.db"


def session(path: Path, clock: Clock, cases: list[QueuedCase] | None = None) -> ReviewSession:
    """Ana's session over `v_a` under drugs and weapons, in the market of its verdict."""
    record = orjson.loads(
        verdict("clips/a.mp4", "drugs", "weapons", meta={"market": "DE"}).to_line()
    )
    return ReviewSession(
        cases if cases is not None else first_looks([record], []),
        log=path, reviewer="ana", clock=clock, now=lambda: datetime(2026, 11, 2, tzinfo=UTC),
    )  # fmt: skip


def uphold(held: ReviewSession, number: int, seconds: float = 0.0, note: str = "") -> None:
    """Uphold the case at hand."""
    held.decide(number, ruling="uphold", reason=None, note=note, seconds_viewed=seconds)


def test_decisions_are_logged_as_they_are_made(path: Path, clock: Clock) -> None:
    """Each is in the log when the call returns, with reviewer, market, segments and note; the end
    of the queue is told."""
    held = session(path, clock)
    first = held.turn()
    assert (0, 2, 0, False) == (first.number, first.total, first.decided, first.can_undo)
    uphold(held, 0, note="a toy")
    (made,) = logged(path)
    assert ("v_a", "drugs", "uphold", "ana", "DE", "a toy", ((3.0, 7.5),)) == (
        made.verdict, made.policy, made.ruling, made.reviewer, made.market, made.note, made.segments
    )  # fmt: skip
    turn = held.decide(1, ruling="overturn", reason="technical", note="", seconds_viewed=0)
    assert (None, None, 2) == (turn.number, turn.case, turn.decided)
    assert ["drugs", "weapons"] == [each.policy for each in logged(path)]


def test_seconds_viewed_are_no_more_than_have_passed(path: Path, clock: Clock) -> None:
    """What a browser says is cut off at what has passed since the case came up; time of several
    visits to a case adds up."""
    held = session(path, clock)
    held.turn()
    clock.now = 10.0
    uphold(held, 0, seconds=3600.0)
    clock.now = 14.0
    held.undo(seconds_viewed=4.0)
    clock.now = 20.0
    uphold(held, 0, seconds=5.0)
    clock.now = 22.0
    uphold(held, 1, seconds=-1.0)
    assert [10.0, 15.0, 4.0] == [each.seconds_viewed for each in logged(path)]


def test_seconds_of_a_refused_ruling_are_not_counted_twice(path: Path, clock: Clock) -> None:
    """A page whose ruling was refused tells the same seconds again with the next one: they count
    once."""
    held = session(path, clock)
    held.turn()
    clock.now = 10.0
    with pytest.raises(DecisionError):
        held.decide(0, ruling="overturn", reason=None, note="", seconds_viewed=8.0)
    clock.now = 60.0
    uphold(held, 0, seconds=9.0)
    assert [9.0] == [each.seconds_viewed for each in logged(path)]


def test_undo_opens_a_case_again(path: Path, clock: Clock) -> None:
    """Undo takes nothing out of the log: the case comes up with what was ruled, and a later ruling
    of the same kind stands. Skipped after undo, the first ruling goes on to stand."""
    held = session(path, clock)
    with pytest.raises(ReviewError, match="nothing to undo"):
        held.undo(seconds_viewed=0)
    held.turn()
    uphold(held, 0)
    turn = held.undo(seconds_viewed=0)
    assert (0, "uphold", 0) == (turn.number, turn.before and turn.before.ruling, turn.decided)
    turn = held.skip(0, seconds_viewed=0)
    assert (1, 1, 0) == (turn.number, turn.decided, turn.skipped)
    held.undo(seconds_viewed=0)
    held.decide(0, ruling="overturn", reason="false_positive", note="", seconds_viewed=0)
    assert ["uphold", "overturn"] == [each.ruling for each in logged(path)]
    assert {"first"} == {each.kind for each in logged(path)}
    assert "overturn" == standing(logged(path))["v_a", "drugs"].ruling
    turn = held.skip(1, seconds_viewed=0)
    assert (None, 1, 1) == (turn.number, turn.decided, turn.skipped)
    assert 1 == held.undo(seconds_viewed=0).number


def test_two_reviewers_at_once(path: Path, clock: Clock) -> None:
    """A case that somebody decides while it is at hand is over: nothing is logged twice, and the
    next one comes; one that was decided before it came up is passed over."""
    held = session(path, clock)
    held.turn()
    with DecisionLog(path) as log:
        log.append(decision("d_bo", policy="drugs", verdict="v_a", reviewer="bo"))
    with pytest.raises(DecidedMeanwhileError, match="decided this case meanwhile"):
        uphold(held, 0)
    turn = held.turn()
    assert (1, 1) == (turn.number, turn.elsewhere)
    with pytest.raises(ReviewError, match="not at hand"):
        uphold(held, 0)
    other = session(path, clock)
    assert (1, 1) == (other.turn().number, other.turn().elsewhere)
    assert ["d_bo"] == [each.id for each in logged(path)]


def test_second_and_gold(path: Path, clock: Clock) -> None:
    """A second look is about the first one, and its undo another second look; a gold item is
    logged as gold, whatever others have decided on it."""
    with DecisionLog(path) as log:
        log.append(decision("d_bo", policy="weapons", verdict="v_a", reviewer="bo"))
        log.append(decision("d_cy", policy="drugs", verdict="v_a", reviewer="cy"))
    record = orjson.loads(verdict("clips/a.mp4", "drugs", "weapons").to_line())
    cases = [
        QueuedCase(record=record, policy="weapons", kind="second", about="d_bo"),
        QueuedCase(record=record, policy="drugs", kind="gold"),
    ]
    held = session(path, clock, cases)
    held.turn()
    uphold(held, 0)
    held.undo(seconds_viewed=0)
    held.decide(0, ruling="escalate", reason=None, note="", seconds_viewed=0)
    uphold(held, 1)
    assert [("second", "d_bo"), ("second", "d_bo"), ("gold", None)] == [
        (each.kind, each.about) for each in logged(path)[2:]
    ]


def test_a_second_look_follows_the_first_that_counts(path: Path, clock: Clock) -> None:
    """A first look that was taken back after the queue was made is not what the second one is held
    against."""
    first = {"policy": "weapons", "verdict": "v_a", "reviewer": "bo"}
    with DecisionLog(path) as log:
        log.append(decision("d_bo", **first))
    record = orjson.loads(verdict("clips/a.mp4", "weapons").to_line())
    held = session(
        path, clock, [QueuedCase(record=record, policy="weapons", kind="second", about="d_bo")]
    )
    held.turn()
    with DecisionLog(path) as log:
        log.append(decision("d_bo2", ruling="overturn", reason="technical", **first))
        log.append(decision("d_bo3", **{**first, "policy": "drugs"}))
    held.decide(0, ruling="overturn", reason="technical", note="", seconds_viewed=0)
    assert "d_bo2" == logged(path)[-1].about
    assert [] == disagreements(logged(path))


def test_a_case_that_nothing_flags(path: Path, clock: Clock) -> None:
    """One that is asked for may be upheld, or overturned for a missed segment, and no more."""
    record = orjson.loads(verdict("clips/a.mp4", "weapons").to_line())
    held = session(path, clock, [QueuedCase(record=record, policy="hoax")])
    held.turn()
    with pytest.raises(DecisionError, match="no finding under 'hoax'"):
        held.decide(0, ruling="overturn", reason="false_positive", note="", seconds_viewed=0)
    uphold(held, 0)
    held.undo(seconds_viewed=0)
    held.decide(0, ruling="overturn", reason="missed_segment", note="", seconds_viewed=0)
    assert [(), ()] == [each.segments for each in logged(path)]
