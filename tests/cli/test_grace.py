"""SIGTERM with a grace: what is being read may end, nothing else is begun, and it does end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from tests.conftest import Library

from vscan.cli.stopping import StopSignals
from vscan.errors import InterruptedRunError

SLOW = """
import sys, time
import vscan.decode.session
read = vscan.decode.session.VideoSession.read
def slow(self, *arguments):
    print("reading", flush=True)
    time.sleep(1.0)
    yield from read(self, *arguments)
vscan.decode.session.VideoSession.read = slow
from vscan.cli.app import main
main()
"""
"""The program, with a reader that takes a second, and says when it begins."""


def slow_run(*arguments: object) -> subprocess.Popen[bytes]:
    """A run in a process of its own."""
    command = [sys.executable, "-c", SLOW, *map(str, arguments), "--log-format", "json"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


def check_end(output: Path, err: bytes, *, read: int) -> None:
    """What was begun has its line, and the summary and the log say what ended the run."""
    lines = output.read_bytes().splitlines()
    assert ["clear"] * read == [orjson.loads(line)["outcome"] for line in lines]
    summary = orjson.loads(output.with_suffix(".run.json").read_bytes())
    assert (False, "terminated", 143, read) == (
        summary["finished"], summary["reason"], summary["exit_code"], summary["counts"]["sources"]
    )  # fmt: skip
    events = [orjson.loads(line) for line in err.splitlines()]
    assert ["loading", "started", "stopping", "interrupted", "exit"] == [
        each["event"] for each in events
    ]
    assert ("SIGTERM", 60.0) == (events[2]["signal"], events[2]["grace_s"])


def test_what_is_being_read_ends(library: Library, tmp_path: Path) -> None:
    """The second of many videos is being read when SIGTERM comes: it gets its line, those that wait
    for a reader or in the queue do not, and the exit code is 143."""
    folder, out = tmp_path / "many", tmp_path / "v.jsonl"
    folder.mkdir()
    for number in range(8):
        box = b"\0\0\0\x0cfree" + number.to_bytes(4, "big")
        (folder / f"{number}.mp4").write_bytes(library.good.read_bytes() + box)
    with slow_run("scan", folder, *library.rules, "-o", out, "--grace", "60") as child:
        assert child.stdout is not None
        assert [b"reading\n"] * 2 == [child.stdout.readline() for _ in range(2)]
        child.send_signal(signal.SIGTERM)
        rest, err = child.communicate(timeout=100)
    assert (143, b"") == (child.returncode, rest)
    check_end(out, err, read=2)


def test_a_listing_is_not_waited_for(library: Library, tmp_path: Path) -> None:
    """The next name has not come yet: the video that is being read ends, and the run with it."""
    out = tmp_path / "v.jsonl"
    with slow_run("scan", "-", *library.rules, "-o", out, "--grace", "60") as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{library.good}\n".encode())
        child.stdin.flush()
        assert b"reading\n" == child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        assert 143 == child.wait(timeout=100)
        err = child.stderr.read() if child.stderr is not None else b""
    check_end(out, err, read=1)


HELD = """
import os, signal, time
from vscan.cli.stopping import StopSignals
with StopSignals({grace}) as stop, stop.graceful():
    os.kill(os.getpid(), signal.SIGTERM)
    print("in grace" if stop.stopping() else "not told", flush=True)
    {then}
    print("not reached", flush=True)
"""


@pytest.mark.parametrize(
    ("grace", "then", "code"),
    [
        ("0.1", "time.sleep(600)", 1),
        ("600", "os.kill(os.getpid(), signal.SIGTERM)", 143),
        ("600", "os.kill(os.getpid(), signal.SIGINT)", 130),
    ],
)
def test_the_grace_ends(grace: str, then: str, code: int) -> None:
    """When its time is over, by the error that ends a run; by a second signal at once."""
    done = subprocess.run(
        [sys.executable, "-c", HELD.format(grace=grace, then=then)],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert (code, "in grace\n") == (done.returncode, done.stdout)
    assert ("InterruptedRunError" in done.stderr) == (code == 1)


@pytest.mark.parametrize(("number", "grace_s"), [(signal.SIGINT, 60.0), (signal.SIGTERM, 0.0)])
def test_without_a_grace(number: int, grace_s: float) -> None:
    """Ctrl-C has none, and neither has SIGTERM where it is 0."""
    reached = []
    with pytest.raises(InterruptedRunError), StopSignals(grace_s) as stop, stop.graceful():
        os.kill(os.getpid(), number)
        reached.append("after the signal")
    assert [] == reached


def test_outside_of_the_block_there_is_none() -> None:
    """While a model is loaded or the output is finished, SIGTERM ends the run as it always did."""
    reached = []
    with pytest.raises(InterruptedRunError) as told, StopSignals(60.0) as stop:
        with stop.graceful():
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        reached.append("after the signal")
    assert (143, []) == (told.value.exit_code, reached)


def test_a_shield_within_the_grace() -> None:
    """A line is written to its end, and the loop goes on; alarms that others had set are theirs
    again."""
    handler, reached = signal.getsignal(signal.SIGALRM), []
    before_s, _ = signal.setitimer(signal.ITIMER_REAL, 500.0)
    try:
        with pytest.raises(InterruptedRunError), StopSignals(60.0) as stop, stop.graceful():
            for number in stop.drawn(range(5)):
                with stop.shield():
                    if number == 1:
                        os.kill(os.getpid(), signal.SIGTERM)
                    reached.append(number)
                reached.append(-number)
        left_s, _ = signal.getitimer(signal.ITIMER_REAL)
        assert ([0, 0, 1, -1], True) == (reached, 400 < left_s <= 500)
        assert handler is signal.getsignal(signal.SIGALRM)
    finally:
        signal.setitimer(signal.ITIMER_REAL, before_s)
