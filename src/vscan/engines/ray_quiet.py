"""Ray kept quiet: nothing of it on stdout, on stderr errors alone, and signals stay ours."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from vscan.errors import UsageError

_log = logging.getLogger(__name__)

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}
"""Environment of Ray, where the user has not said otherwise: it reports home to nobody, and does
not write into the terminal what concerns nobody there."""
CHATTER = re.compile(rb"\[[-0-9:, ]+ [IW] ")
"""How a line of Ray's log begins that informs or warns; what is wrong is raised as well."""


def quiet_ray() -> Any:
    """The module `ray`, which writes to stderr only what is an error, and nothing to stdout.

    Raises UsageError where Ray, or Ray Data, is not installed.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UsageError(
            f"--engine ray needs Ray Data, which is not installed here ({error.name})",
            remedy="pip install 'vscan[ray]'",
        ) from error
    for logger in ("ray", "ray.data"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    _keep_off_stdout()
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray


def _keep_off_stdout() -> None:
    """Ray prints on stdout that a process died and is started again, whatever it is told about
    logs (2.60: `listen_error_messages`); there verdicts are. It goes to vscan's log instead."""
    from ray._private import worker

    module: Any = worker

    def logged(data: Mapping[str, Any], **_told: object) -> None:
        for line in data.get("lines", ()):
            _log.info("Ray: %s", line)

    if hasattr(module, "print_to_stdstream"):
        module.print_to_stdstream = logged


def start_quietly(ray: Any, **options: Any) -> None:
    """`ray.init` with these options, silent where it succeeds; signal handlers stay.

    Raises what it raises, and UsageError where the cluster wants a token that it was not given.
    """
    with _own_signals(), tempfile.TemporaryFile() as said:
        try:
            with _stderr_to(said.fileno()):
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
        except Exception as error:
            said.seek(0)
            if b"InvalidAuthToken" in said.read():
                raise UsageError(
                    "the Ray cluster wants a token, and this process has none or another one",
                    remedy="set RAY_AUTH_MODE=token, with its token in RAY_AUTH_TOKEN or in"
                    " ~/.ray/auth_token",
                ) from error
            raise
        finally:
            said.seek(0)
            # By way of sys.stderr, which may make objects of lines (`--log-format json`).
            wrong = b"".join(line for line in said if not CHATTER.match(line))
            sys.stderr.write(wrong.decode("utf-8", "backslashreplace"))


@contextlib.contextmanager
def _stderr_to(file: int) -> Iterator[None]:
    """A block whose stderr, also that of Ray's own code, goes into an open file: asked to be
    silent, Ray tells that it was asked, and it repeats for half a minute that it cannot connect."""
    sys.stderr.flush()
    before = os.dup(2)
    os.dup2(file, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """A block that leaves the signal handlers as they are: ray.init takes SIGTERM for itself."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
