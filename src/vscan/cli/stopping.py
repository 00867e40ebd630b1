"""How a run is stopped: the first SIGINT or SIGTERM ends it cleanly, the second one at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from vscan.errors import InterruptedRunError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """The run was told to stop. Like KeyboardInterrupt, no `except Exception` swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


class StopSignals:
    """Within its block a first signal raises Stopped in the main thread, which leaves the block as
    InterruptedRunError; a second one ends the process there and then.

    By then every line that was written is with the system: at worst the summary still says
    `running`, and lines that newer ones replace are still there for the next run to remove.
    """

    def __init__(self) -> None:
        self._told: int | None = None
        self._shielded = False
        self._before: dict[int, Any] = {}

    @contextmanager
    def shield(self) -> Iterator[None]:
        """A block that is not interrupted half-way: a first signal waits for its end."""
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False
        if self._told is not None:
            raise Stopped(self._told)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._told is not None:
            os._exit(128 + number)
        self._told = number
        if not self._shielded:
            raise Stopped(number)

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
