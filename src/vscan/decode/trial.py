"""What a reader process is refused, tried for real in one: what `vscan doctor` reports.

The parent makes what the child is to fail at (a listening socket, a file of its own), the child
tries, and both sides must agree: a connection that arrives was not refused.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vscan.decode.process import Deadline, ReaderProcess
from vscan.decode.sandbox import Layer, ReadLimits

TRIAL_S = 30.0
_PATIENCE_S = 2.0
_SECRET = b"a file of somebody else"
_CONNECTING, _WRITING = "connecting to a socket", "writing a file"


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended."""

    attempt: str
    """What was tried, as `connecting to a socket`."""
    refused: bool
    by: str
    """The layer that refused it, or the system's word where none is known to say so."""


@dataclass(frozen=True)
class Trial:
    """What the child said of itself, and what it was refused."""

    layers: tuple[Layer, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def missing(self) -> tuple[Layer, ...]:
        """The layers that are not in force."""
        return tuple(each for each in self.layers if not each.in_force)

    @property
    def refused(self) -> dict[str, list[str]]:
        """What was refused, by the name of the layer that refused it."""
        found: dict[str, list[str]] = {}
        for each in self.outcomes:
            if each.refused:
                found.setdefault(each.by, []).append(each.attempt)
        return found

    @property
    def allowed(self) -> tuple[str, ...]:
        """What succeeded though it should not."""
        return tuple(each.attempt for each in self.outcomes if not each.refused)


def try_sandbox(limits: ReadLimits | None = None) -> Trial:
    """Starts a reader process and has it try. Raises ProcessFailed where it does not answer."""
    process = ReaderProcess(limits if limits is not None else ReadLimits())
    try:
        with (
            tempfile.TemporaryDirectory(prefix="vscan-trial-") as folder,
            socket.create_server(("127.0.0.1", 0)) as listening,
        ):
            outside, written = Path(folder) / "outside", Path(folder) / "written"
            outside.write_bytes(_SECRET)
            process.send(
                {
                    "op": "trial",
                    "outside": str(outside),
                    "written": str(written),
                    "port": listening.getsockname()[1],
                    "parent": os.getpid(),
                }
            )
            answer, _ = process.receive(Deadline(TRIAL_S))
            happened = {_CONNECTING: _arrived(listening), _WRITING: written.exists()}
    finally:
        process.kill()
    layers = process.confinement
    return Trial(
        layers,
        tuple(
            Outcome(name, number != 0 and not happened.get(name), _refused_by(number, layers))
            for name, number in answer["outcomes"].items()
        ),
    )


def attempts(told: Mapping[str, Any]) -> dict[str, int]:
    """Called in the child: what each attempt was answered, as an errno; 0: it succeeded."""
    outside, written = told["outside"], told["written"]
    tries: dict[str, Callable[[], object]] = {
        _CONNECTING: lambda: _connect(int(told["port"])),
        "sending a datagram": lambda: _send(int(told["port"])),
        "opening another file": lambda: Path(outside).read_bytes(),
        "listing a folder": lambda: os.listdir(Path(outside).parent),  # noqa: PTH208 - raises at once
        "reading the parent's environment": lambda: _read(f"/proc/{told['parent']}/environ"),
        _WRITING: lambda: Path(written).write_bytes(b"x"),
        "changing a file": lambda: os.utime(outside),
        "removing a file": lambda: Path(outside).unlink(),
        "starting a program": lambda: os.posix_spawn(
            sys.executable, [sys.executable, "-c", ""], {}
        ),
        "starting a process": _fork,
        "signalling another process": lambda: os.kill(int(told["parent"]), 0),
    }
    return {name: _errno_of(attempt) for name, attempt in tries.items()}


def _errno_of(attempt: Callable[[], object]) -> int:
    try:
        attempt()
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _connect(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S).close()


def _send(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.sendto(b"x", ("127.0.0.1", port))


def _read(name: str) -> bytes:
    with Path(name).open("rb") as file:
        return file.read()


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _arrived(listening: socket.socket) -> bool:
    listening.setblocking(False)
    try:
        listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _refused_by(number: int, layers: tuple[Layer, ...]) -> str:
    """Which layer answers so; the system's own word where none of those in force does."""
    answers = {
        "seccomp": (errno.EPERM,),
        "Landlock": (errno.EACCES, errno.EPERM),
        "network namespace": (errno.ENETUNREACH, errno.ECONNREFUSED),
    }
    in_force = {layer.name for layer in layers if layer.in_force}
    for name, numbers in answers.items():
        if name in in_force and number in numbers:
            return name
    return os.strerror(number) if number else ""
