"""Where a command's metrics go while it runs: a file that is replaced, an endpoint to scrape."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vscan.cli.telling import tell
from vscan.errors import OutputError, UsageError
from vscan.storage import output_error

if TYPE_CHECKING:
    from vscan.job_metrics import JobMetrics

WRITE_S = 15.0
"""Between two writings of the file."""
HEAD = b"# HELP vscan_"
"""What a metrics file begins with."""


class Ticker:
    """Does something every so many seconds, in a thread of its own, until it is closed."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self._ended = threading.Event()
        self._seconds, self._act = seconds, act
        self._thread = threading.Thread(target=self._tick, name="vscan-ticker", daemon=True)
        self._thread.start()

    def _tick(self) -> None:
        while not self._ended.wait(self._seconds):
            self._act()

    def close(self) -> None:
        """End it, and wait for what it does just now."""
        self._ended.set()
        self._thread.join()


class MetricsFile:
    """A file with the metrics, written at once, every WRITE_S seconds, and when it is closed.

    Raises OutputError where it cannot be written at first; later on that is a note, for metrics
    must not end a run.
    """

    def __init__(self, path: Path, metrics: JobMetrics, *, output: Path | None = None) -> None:
        self._path, self._metrics = path, metrics
        self._noted = False
        _refuse_foreign(path, output)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            metrics.write(path)
        except OSError as error:
            raise output_error(path, error) from error
        self._ticker = Ticker(WRITE_S, self._write)

    def close(self) -> None:
        """Write it for the last time."""
        self._ticker.close()
        self._write()

    def _write(self) -> None:
        try:
            self._metrics.write(self._path)
            self._noted = False
        except OSError as error:
            if not self._noted:
                self._noted = True
                path, why = str(self._path), error.strerror
                tell("metrics_unwritable", f"{path}: metrics cannot be written ({why})", path=path)


def _refuse_foreign(path: Path, output: Path | None) -> None:
    """Raises OutputError for what is replaced by mistake: verdicts, a device, another's file."""
    if not os.path.lexists(path):
        return
    try:
        is_output = output is not None and output.exists() and output.samefile(path)
        if path.is_file() and not is_output:
            with path.open("rb") as file:
                head = file.read(len(HEAD))
            if head == HEAD[: len(head)]:
                return
    except OSError as error:
        raise output_error(path, error) from error
    raise OutputError(
        f"{path}: holds something else than metrics",
        remedy="name another file with --metrics-file",
    )


class MetricsEndpoint:
    """An HTTP endpoint to scrape. Raises UsageError where the port cannot be had."""

    def __init__(self, address: str, port: int, metrics: JobMetrics) -> None:
        from prometheus_client import start_http_server

        try:
            self._server, self._thread = start_http_server(
                port, addr=address, registry=metrics.registry
            )
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"metrics cannot be served at {address} port {port} ({why})",
                remedy="name another port with --metrics-port, 0 for any that is free",
            ) from error
        self.port = port = int(self._server.server_port)
        """The one that it is open at."""
        tell("metrics_served", f"metrics at {address} port {port}", address=address, port=port)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._server.shutdown()
            self._server.server_close()
        self._thread.join()
