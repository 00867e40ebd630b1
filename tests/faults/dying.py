"""Reader processes that die on purpose: where a file says so, its process is ended by a signal."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from vscan.decode.process import Deadline
from vscan.decode.session import VideoSession

DEADLY = "ends-its-reader"
"""Files whose name begins so are those that end their reader."""


def make_deadly(
    patch: pytest.MonkeyPatch, number: signal.Signals, *, most: int | None = None
) -> list[int]:
    """From now on a process that has opened a deadly file is ended by that signal before it reads.

    most: how often it happens; None: always. Returns the ids of the processes, as they die.
    """
    died: list[int] = []
    really: Callable[[VideoSession, Deadline], None] = VideoSession._open

    def opened(video: VideoSession, deadline: Deadline) -> None:
        really(video, deadline)
        is_deadly = video._path.name.startswith(DEADLY)
        if is_deadly and video.process_id is not None and (most is None or len(died) < most):
            died.append(video.process_id)
            end_when_asked(video.process_id, number)

    patch.setattr(VideoSession, "_open", opened)
    return died


def end_when_asked(pid: int, number: signal.Signals) -> None:
    """Ends a process by that signal while it is asked for frames: it stands still until then, or it
    might be gone before it is asked, which is another matter."""
    os.kill(pid, signal.SIGSTOP)

    def go_on() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)

    threading.Timer(0.2, go_on).start()


def descriptors() -> int:
    """How many this process holds."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- iterdir would hold one itself


def is_there(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()
