"""How a run is stopped: the first SIGINT ends it cleanly, SIGTERM once what is being read has had
its grace, and a second signal at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from vscan.cli.telling import tell
from vscan.errors import InterruptedRunError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
Item = TypeVar("Item")


class Stopped(KeyboardInterrupt):
    """The run was told to stop. Like KeyboardInterrupt, no `except Exception` swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


class _DrawNoMore(BaseException):
    """Ends a listing that is being waited for, where the run is about to stop."""


class StopSignals:
    """Within its block a first signal raises Stopped in the main thread, which leaves the block as
    InterruptedRunError; a second one ends the process there and then.

    With a grace, SIGTERM within a `graceful` block does so only at the end of that block, or when
    the grace is over; until then `stopping` says so to whoever would begin something new.

    By then every line that was written is with the system: at worst the summary still says
    `running`, and lines that newer ones replace are still there for the next run to remove.
    """

    def __init__(self, grace_s: float = 0.0) -> None:
        self._grace_s = grace_s
        self._told: int | None = None
        self._shielded = False
        self._graceful = False
        self._in_grace = False
        self._drawing = False
        self._before: dict[int, Any] = {}
        self._alarm_before: tuple[Any, tuple[float, float], float] | None = None

    def stopping(self) -> bool:
        """Whether the run was told to stop: then nothing new is to be begun."""
        return self._told is not None

    @contextmanager
    def shield(self) -> Iterator[None]:
        """A block that is not interrupted half-way: a first signal waits for its end."""
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False
        if self._told is not None and not self._in_grace:
            raise Stopped(self._told)

    @contextmanager
    def graceful(self) -> Iterator[None]:
        """A block in which what was begun may end after SIGTERM, for as long as the grace lasts."""
        self._graceful = True
        try:
            yield
        finally:
            self._graceful = False
            self._end_grace()
        if self._told is not None:
            raise Stopped(self._told)

    def drawn(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, of which none comes any more once the run was told to stop: SIGTERM does not
        wait for a listing. To be drawn in any thread."""
        each = iter(items)
        try:
            while self._told is None:
                self._drawing = threading.current_thread() is threading.main_thread()
                try:
                    item = next(each)
                except StopIteration:
                    return
                finally:
                    self._drawing = False
                yield item
        except _DrawNoMore:
            return

    def between(self, items: Generator[Item, None, None]) -> Generator[Item, None, None]:
        """The items, up to the one that was being made when the run was told to stop."""
        with closing(items):
            for item in items:
                yield item
                if self.stopping():
                    return

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._told is not None:
            os._exit(128 + number)
        self._told = number
        if number == signal.SIGTERM and self._graceful and self._grace_s > 0:
            self._begin_grace()
            return
        if not self._shielded:
            raise Stopped(number)

    def _begin_grace(self) -> None:
        self._in_grace = True
        handler = signal.signal(signal.SIGALRM, self._grace_is_over)
        timer = signal.setitimer(signal.ITIMER_REAL, self._grace_s)
        self._alarm_before = (handler, timer, time.monotonic())
        tell(
            "stopping",
            f"told to stop: nothing new is begun, what is being read has {self._grace_s:g} s",
            signal="SIGTERM",
            grace_s=self._grace_s,
        )
        if self._drawing:
            self._drawing = False
            raise _DrawNoMore

    def _grace_is_over(self, _number: int, _frame: FrameType | None) -> None:
        self._in_grace = False
        if not self._shielded:
            assert self._told is not None  # noqa: S101 -- or there were no grace
            raise Stopped(self._told)

    def _end_grace(self) -> None:
        """Gives the alarm back to whoever had set one before."""
        self._in_grace = False
        if self._alarm_before is None:
            return
        handler, (left_s, every_s), since_s = self._alarm_before
        self._alarm_before = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left_s:
            left_s = max(left_s - (time.monotonic() - since_s), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left_s, every_s)

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        if isinstance(error, Stopped):
            assert self._told is not None  # noqa: S101 -- by whoever raised it
            raise InterruptedRunError(self._told) from error
