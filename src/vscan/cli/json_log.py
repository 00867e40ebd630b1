"""stderr as JSON lines: events of vscan's own, and whatever else arrives there."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from vscan.cli.events import EVENTS, Level

LEVELS: dict[int, Level] = {10: "debug", 20: "info", 30: "warning", 40: "error"}


class JsonLog:
    """Between `install` and `remove` every line on stderr is one JSON object.

    It takes the place of `sys.stderr`, listens to Python's `logging` and `warnings`, and is told of
    exceptions that nothing caught. Safe among threads, and in a handler of signals: what is said
    while a line is being written comes after it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting: deque[bytes] = deque()
        self._is_writing = False
        self._handler = _Records(self)
        self._descriptor = 2
        """That objects are written to."""
        self._undo: list[Callable[[], None]] = []

    def emit(self, event: str, message: str, level: Level | None = None, **fields: Any) -> None:
        """Write one object. A log that cannot be written does not end what it tells of."""
        from vscan.cli.tables import json_line

        level = EVENTS[event].level if level is None else level
        with self._lock:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            told = {"time": now, "level": level, "event": event, "message": message, **fields}
            line = json_line({key: _unicode(value) for key, value in told.items()})
            self._waiting.append(f"{line}\n".encode())
            if self._is_writing:
                return
            self._is_writing = True
            try:
                while self._waiting:
                    self._write(self._waiting.popleft())
            finally:
                self._is_writing = False

    def _write(self, line: bytes) -> None:
        with suppress(OSError):
            while line:
                line = line[os.write(self._descriptor, line) :]

    def log(self, record: logging.LogRecord) -> None:
        """Write a record of Python's `logging`, once, whichever of its handlers comes first."""
        if "told_by_vscan" in record.__dict__:
            return
        record.__dict__["told_by_vscan"] = True
        level = LEVELS[max(10, min(40, record.levelno // 10 * 10))]
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 -- whatever a library passes must not end the run
            message = str(record.msg)
        if record.exc_info and record.exc_info[1] is not None:
            message += "\n" + "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        self.emit("log", message, level, logger=record.name)

    def install(self) -> None:
        """Begin."""
        before = (
            sys.stderr, sys.excepthook, threading.excepthook, sys.unraisablehook,
            warnings.showwarning,
        )  # fmt: skip
        stderr = 2
        with suppress(OSError):
            stderr = sys.stderr.fileno()
        # One of our own: who turns stderr away for a while, and looks at what came, must not take
        # an object for a line of somebody else's.
        with suppress(OSError):
            self._descriptor = os.dup(stderr)
        sys.stderr.flush()
        sys.stderr = _Lines(self, stderr)
        sys.excepthook = self._uncaught
        threading.excepthook = lambda told: self._uncaught(
            told.exc_type, told.exc_value, told.exc_traceback
        )
        sys.unraisablehook = lambda told: self._uncaught(
            told.exc_type, told.exc_value, told.exc_traceback
        )
        warnings.showwarning = self._warned
        logging.getLogger().addHandler(self._handler)

        def undo() -> None:
            if self._descriptor != stderr:
                os.close(self._descriptor)
                self._descriptor = stderr
            sys.stderr, sys.excepthook, threading.excepthook, sys.unraisablehook = before[:4]
            warnings.showwarning = before[4]
            logging.getLogger().removeHandler(self._handler)

        self._undo.append(undo)

    def remove(self) -> None:
        """Leave stderr as it was."""
        while self._undo:
            self._undo.pop()()

    def _warned(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        place = f"{filename}:{lineno}"
        self.emit("python_warning", str(message), category=category.__name__, place=place)

    def _uncaught(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        told = "".join(traceback.format_exception(kind, error, trace)).rstrip()
        self.emit("uncaught", str(error), kind=kind.__name__, traceback=told)


class _Records(logging.Handler):
    """Hears what propagates to the root of Python's `logging`."""

    def __init__(self, log: JsonLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record)


class _Lines(io.TextIOBase):
    """Takes the place of `sys.stderr`: each line that is written becomes an object."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, log: JsonLog, descriptor: int) -> None:
        self._log = log
        self._descriptor = descriptor
        self._begun = threading.local()

    def write(self, text: str) -> int:
        if (record := _record_being_written()) is not None:
            self._log.log(record)
            return len(text)
        *lines, rest = (getattr(self._begun, "text", "") + text.replace("\r", "\n")).split("\n")
        self._begun.text = rest
        for line in lines:
            if line.strip():
                self._log.emit("stray", line)
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return False


def _unicode(value: Any) -> Any:
    """Text that JSON can hold: bytes of a file's name that are no UTF-8 stand as in records."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _record_being_written() -> logging.LogRecord | None:
    """The record, where it is a handler of Python's `logging` that writes: libraries bring handlers
    of their own, some of which let the record pass on to the root, and some not."""
    caller = sys._getframe(2)
    if caller.f_globals.get("__name__") != "logging":
        return None
    record = caller.f_locals.get("record")
    return record if isinstance(record, logging.LogRecord) else None
