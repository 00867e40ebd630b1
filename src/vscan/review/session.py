"""One reviewer's session: the case at hand, what was decided, what can be taken back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from vscan.decisions.deciding import decide
from vscan.decisions.decision import Decision
from vscan.decisions.log import DecisionLog
from vscan.errors import ReviewError
from vscan.review.queue import QueuedCase

State = Literal["open", "decided", "skipped", "elsewhere"]


class DecidedMeanwhileError(ReviewError):
    """Somebody else decided the case since the queue was made."""


@dataclass
class _Place:
    """How far a case of the queue has come."""

    case: QueuedCase
    state: State = "open"
    made: list[Decision] = field(default_factory=list)
    """What this session decided on it, in order: the last counts."""
    viewed_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What the reviewer has before them."""

    number: int | None
    """The case's place in the queue, from 0; None where nothing is left."""
    case: QueuedCase | None
    before: Decision | None
    """What this session decided on it last, where it was opened again."""
    total: int
    decided: int
    skipped: int
    elsewhere: int
    """Cases that others decided meanwhile."""
    can_undo: bool


class ReviewSession:
    """A queue and where its reviewer stands in it. Safe among threads.

    Every decision is in the log, on the disk, before `decide` returns. To undo opens the case
    again; the decision that was made stays in the log, and stands until another one is made.
    """

    def __init__(
        self,
        cases: Sequence[QueuedCase],
        *,
        log: Path,
        reviewer: str,
        market: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """log: a decision log that is there; clock: seconds, never back; now: with a time zone."""
        self.reviewer = reviewer
        self._log, self._market, self._clock, self._now = log, market, clock, now
        self._places = [_Place(case) for case in cases]
        self._history: list[int] = []
        self._at: int | None = None
        self._since = clock()
        self._lock = threading.Lock()

    def case(self, number: int) -> QueuedCase:
        """A case of the queue by its place. Raises ReviewError."""
        if not 0 <= number < len(self._places):
            raise ReviewError("the queue has no such case")
        return self._places[number].case

    def turn(self) -> Turn:
        """The case at hand: the one that is open, or the next that nobody has decided."""
        with self._lock:
            return self._turn()

    def decide(
        self, number: int, *, ruling: str, reason: str | None, note: str, seconds_viewed: float
    ) -> Turn:
        """Rule on the case at hand: it is in the log when this returns; what comes next.

        seconds_viewed: since the case came up; what is more than has passed since is cut off.
        Raises ReviewError for a case that is not at hand, DecidedMeanwhileError where somebody else
        was faster (nothing is then logged, and the case is over), DecisionError, DecisionLogError.
        """
        with self._lock:
            place = self._at_hand(number)
            viewed_s = self._viewed_s(place, seconds_viewed)
            case = place.case
            made = decide(
                case.record,
                ruling=ruling,
                reviewer=self.reviewer,
                at=self._now(),
                policy=case.policy,
                reason=reason,
                kind=case.kind,
                about=case.about,
                market=self._market,
                seconds_viewed=round(viewed_s, 1),
                note=note,
                asked=True,
            )
            place.made.append(self._append(place, made))
            # Not before: the page tells the same seconds again where the log refused.
            place.viewed_s = viewed_s
            self._leave(number, "decided")
            return self._turn()

    def skip(self, number: int, *, seconds_viewed: float) -> Turn:
        """Leave the case at hand as it is; it comes up again when the command is started again.
        Raises ReviewError for a case that is not at hand."""
        with self._lock:
            place = self._at_hand(number)
            place.viewed_s = self._viewed_s(place, seconds_viewed)
            self._leave(number, "decided" if place.made else "skipped")
            return self._turn()

    def undo(self, *, seconds_viewed: float) -> Turn:
        """Open the case again that was decided or skipped last. Raises ReviewError where none was.

        seconds_viewed: of the case that is at hand now, which waits.
        """
        with self._lock:
            if not self._history:
                raise ReviewError("there is nothing to undo")
            if self._at is not None:
                waits = self._places[self._at]
                waits.viewed_s = self._viewed_s(waits, seconds_viewed)
            number = self._history.pop()
            self._places[number].state = "open"
            self._at, self._since = number, self._clock()
            return self._turn()

    def _at_hand(self, number: int) -> _Place:
        if self._at is None or number != self._at:
            raise ReviewError("this case is not at hand any more; nothing was recorded")
        return self._places[number]

    def _viewed_s(self, place: _Place, seconds: float) -> float:
        """Of all visits to the case at hand, this one included."""
        return place.viewed_s + min(max(0.0, seconds), self._clock() - self._since)

    def _leave(self, number: int, state: State) -> None:
        self._places[number].state = state
        self._history.append(number)
        self._at = None

    def _append(self, place: _Place, made: Decision) -> Decision:
        """In one transaction with the look whether somebody else was faster; what was logged."""
        with DecisionLog(self._log) as log, log.appending():
            if not self._decided_elsewhere(log, place):
                made = _about_what_counts(log, made)
                log.add(made)
                return made
        place.state, self._at = "elsewhere", None
        raise DecidedMeanwhileError(
            "somebody else decided this case meanwhile; nothing was recorded"
        )

    def _decided_elsewhere(self, log: DecisionLog, place: _Place) -> bool:
        case = place.case
        if case.kind == "gold":
            return False
        ours = {each.id for each in place.made}
        open_kinds = ("gold",) if case.kind == "first" else ("gold", "first")
        return any(
            each.policy == case.policy and each.kind not in open_kinds and each.id not in ours
            for each in log.of_verdict(case.record["id"])
        )

    def _turn(self) -> Turn:
        if self._at is None:
            self._next()
        place = None if self._at is None else self._places[self._at]
        states = [each.state for each in self._places]
        return Turn(
            number=self._at,
            case=place.case if place is not None else None,
            before=place.made[-1] if place is not None and place.made else None,
            total=len(states),
            decided=states.count("decided"),
            skipped=states.count("skipped"),
            elsewhere=states.count("elsewhere"),
            can_undo=bool(self._history),
        )

    def _next(self) -> None:
        """Moves on to the next case that is open, passing over what others have decided."""
        with DecisionLog(self._log) as log:
            for number, place in enumerate(self._places):
                if place.state != "open":
                    continue
                if self._decided_elsewhere(log, place):
                    place.state = "elsewhere"
                    continue
                self._at, self._since = number, self._clock()
                return


def _about_what_counts(log: DecisionLog, made: Decision) -> Decision:
    """A second look follows the first look that counts now: whoever made it may have taken it back
    since the queue was made."""
    if made.kind != "second":
        return made
    firsts = [
        each.id
        for each in log.of_verdict(made.verdict)
        if each.kind == "first" and each.policy == made.policy
    ]
    return replace(made, about=firsts[-1]) if firsts else made
