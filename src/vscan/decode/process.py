"""One reader process, seen from its parent: started, talked to with a deadline, killed."""

from __future__ import annotations

import collections
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from vscan.decode import wire
from vscan.decode.sandbox import OPEN_TIMEOUT_S, Layer, ReadLimits, child_environment

CHILD = ("-P", "-m", "vscan.decode.child")
"""What Python is started with; -P: a module of the current folder is anyone's, never imported."""
STDERR_LINES = 20
READ_CHUNK = 1 << 20


class ProcessFailed(Exception):  # noqa: N818 - becomes a SourceError once it is known what to do
    """The process ended, hung or spoke nonsense; `code` is the one of errors.ERROR_CODES."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Deadline:
    """Seconds left of waiting for a process. Only waiting counts, not the parent's own work."""

    def __init__(self, seconds: float, *, limit_s: float | None = None) -> None:
        self.allowed_s = seconds
        self.limit_s = seconds if limit_s is None else limit_s
        """The limit that `seconds` are a share of."""
        self.used_s = 0.0

    @property
    def left_s(self) -> float:
        """Seconds of waiting left, at least 0."""
        return max(0.0, self.allowed_s - self.used_s)


class ReaderProcess:
    """A child that runs `vscan.decode.child`. Raises ProcessFailed from every call that talks."""

    confinement: tuple[Layer, ...]
    """How the child is confined, and how not: what it said before it was given any file."""

    def __init__(self, limits: ReadLimits) -> None:
        self.files_served = 0
        self.resident_bytes = 0
        self._killed = False
        self._limits = limits
        # Open files go over a socket: the child can open none of its own.
        self._files, for_child = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with for_child:
            self._child = subprocess.Popen(
                [sys.executable, *CHILD, str(os.getpid()), str(for_child.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(for_child.fileno(),),
                env=child_environment(os.environ),
                start_new_session=True,
                bufsize=0,
            )
        self._stderr: collections.deque[str] = collections.deque(maxlen=STDERR_LINES)
        self._drain = threading.Thread(target=self._drain_stderr, daemon=True)
        self._drain.start()
        deadline = Deadline(OPEN_TIMEOUT_S)
        self.send({"op": "hello", "memory_bytes": limits.memory_bytes})
        ready, _ = self.receive(deadline)
        self.confinement = tuple(Layer(**layer) for layer in ready["confinement"])

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the child can still be talked to."""
        return not self._killed and self._child.poll() is None

    def send(self, header: Mapping[str, Any], file: int | None = None) -> None:
        """One message, and an open file's descriptor for the child to have a copy of.

        Requests are small enough never to block.
        """
        assert self._child.stdin is not None  # noqa: S101 - opened as a pipe above
        try:
            if file is not None:
                socket.send_fds(self._files, [b"\0"], [file])
            for piece in wire.frame_message(header):
                self._child.stdin.write(piece)
        except OSError as error:
            raise self._death() from error

    def receive(self, deadline: Deadline) -> tuple[dict[str, Any], list[bytearray]]:
        """The child's next message. A child that takes longer than the deadline is killed."""
        try:
            return wire.read_message(lambda size: self._read_exactly(size, deadline))
        except EOFError as error:
            raise self._death() from error
        except ValueError as error:
            self.kill()
            raise ProcessFailed(
                "worker_died", f"the reader process spoke nonsense: {error}"
            ) from error

    def kill(self) -> None:
        """Ends the child and all it started, at once; may be called again."""
        self._killed = True
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._child.kill()
        self._child.wait()
        self._files.close()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._drain.join(timeout=1)  # it closes the last pipe, once all that was said is read

    def _read_exactly(self, size: int, deadline: Deadline) -> bytearray:
        assert self._child.stdout is not None  # noqa: S101 - opened as a pipe above
        if self._child.stdout.closed:
            raise EOFError
        descriptor = self._child.stdout.fileno()
        data = bytearray(size)
        view, filled = memoryview(data), 0
        while filled < size:
            began = time.monotonic()
            ready, _, _ = select.select([descriptor], [], [], deadline.left_s)
            deadline.used_s += time.monotonic() - began
            if not ready:
                self.kill()
                raise ProcessFailed(
                    "deadline",
                    f"the reader was killed after more than limit timeout_s = {deadline.limit_s:g}",
                )
            got = os.readv(descriptor, [view[filled : filled + READ_CHUNK]])
            if got == 0:
                raise EOFError
            filled += got
        return data

    def _death(self) -> ProcessFailed:
        """What to say of a child that is gone."""
        try:
            status = self._child.wait(timeout=1)
        except subprocess.TimeoutExpired:
            status = 0
        self.kill()
        said = "\n".join(self._stderr)
        if "MemoryError" in said or "bad_alloc" in said or "Cannot allocate memory" in said:
            return ProcessFailed("memory_limit", self._limits.out_of_memory)
        if status == -signal.SIGXCPU:
            most = f" = {self._limits.cpu_s:g}" if self._limits.cpu_s is not None else ""
            return ProcessFailed(
                "deadline", f"the reader took more CPU time than limit cpu_s{most}"
            )
        if status < 0:
            name = signal.Signals(-status).name
            perhaps = ", perhaps by the system for want of memory" if -status == 9 else ""
            return ProcessFailed("worker_died", f"the reader process was ended by {name}{perhaps}")
        return ProcessFailed("worker_died", f"the reader process ended with status {status}")

    def _drain_stderr(self) -> None:
        assert self._child.stderr is not None  # noqa: S101 - opened as a pipe above
        with self._child.stderr as stream:
            while part := stream.read(4096):
                self._stderr.extend(part.decode("utf-8", "replace").splitlines())
