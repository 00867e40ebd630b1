"""A run that is told to stop: at once, at the end of what must not be cut, and only once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from vscan.cli.stopping import StopSignals
from vscan.errors import InterruptedRunError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_leaves_the_block(number: int) -> None:
    """As an error that knows the exit code; no `except Exception` on the way keeps it."""
    reached = []
    with pytest.raises(InterruptedRunError) as told, StopSignals():
        try:
            os.kill(os.getpid(), number)
            reached.append("after the signal")
        except Exception:  # noqa: BLE001 -- as a library might
            reached.append("swallowed")
    assert (128 + number, []) == (told.value.exit_code, reached)


def test_a_shield_is_not_cut() -> None:
    """What stands under a shield is done to its end, and nothing after it."""
    reached = []
    with pytest.raises(InterruptedRunError), StopSignals() as stop:
        with stop.shield():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("under the shield")
        reached.append("after it")
    assert ["under the shield"] == reached


def test_what_fails_under_a_shield_is_told() -> None:
    """An error that comes at the same time as the signal is the one that counts."""
    with pytest.raises(RuntimeError, match="disk"), StopSignals() as stop, stop.shield():
        os.kill(os.getpid(), signal.SIGINT)
        raise RuntimeError("disk")


def test_handlers_are_given_back() -> None:
    """Outside the block both signals mean what they meant before, whatever happened within."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopSignals():
        assert before != [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(InterruptedRunError), StopSignals():
        os.kill(os.getpid(), signal.SIGTERM)
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


TWICE = """
import os, signal
from vscan.cli.stopping import StopSignals
with StopSignals():
    try:
        os.kill(os.getpid(), {first})
    finally:
        print("ending", flush=True)
        os.kill(os.getpid(), {second})
        print("not reached", flush=True)
"""


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [(signal.SIGINT, signal.SIGINT, 130), (signal.SIGINT, signal.SIGTERM, 143)],
)
def test_the_second_signal_ends_the_process(first: int, second: int, code: int) -> None:
    """In the middle of what the first one began, with the second one's exit code."""
    program = TWICE.format(first=int(first), second=int(second))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (code, "ending\n", "") == (done.returncode, done.stdout, done.stderr)
