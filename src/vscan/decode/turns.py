"""Turns: so many callers at a time, in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """Lets `size` callers go on at a time. Safe among threads.

    stalls, resumes: called for each caller that has to wait, and when its wait is over. The second
    is called by the one that leaves, before it does anything else: at no moment do both count as
    standing still.
    """

    def __init__(
        self,
        size: int,
        *,
        stalls: Callable[[], None] = lambda: None,
        resumes: Callable[[], None] = lambda: None,
    ) -> None:
        self._free = size
        self._queue: deque[threading.Event] = deque()
        self._lock = threading.Lock()
        self._stalls = stalls
        self._resumes = resumes

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A block that begins when it is the caller's turn."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    def _take(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Event()
            self._queue.append(mine)
            self._stalls()
        mine.wait()

    def _leave(self) -> None:
        with self._lock:
            if not self._queue:
                self._free += 1
                return
            self._resumes()
            self._queue.popleft().set()
