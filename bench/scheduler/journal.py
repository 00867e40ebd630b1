"""What a run did, written down as it does it, so that a killed run has said it too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self

Event = Literal["hashed", "begun", "read", "fired"]
EVENTS: tuple[Event, ...] = ("hashed", "begun", "read", "fired")
_MARKS = {event: event[0].encode() for event in EVENTS}


class Journal:
    """A file to which one run appends; safe among threads."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)

    def note(self, event: Event, number: int = 0) -> None:
        """One event of one source; it is with the system when this returns."""
        os.write(self._descriptor, b"%b %d\n" % (_MARKS[event], number))

    def close(self) -> None:
        """No event comes after this."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(path: Path) -> dict[Event, list[int]]:
    """Numbers of the sources by event, in order; empty where the run noted nothing."""
    found: dict[Event, list[int]] = {event: [] for event in EVENTS}
    marks = {event[0].encode(): found[event] for event in EVENTS}
    if path.exists():
        for line in path.read_bytes().splitlines():
            mark, _, number = line.partition(b" ")
            marks[mark].append(int(number))
    return found
