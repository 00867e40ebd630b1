"""What a reader process may use: limits, environment, and how it dies with its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OPEN_TIMEOUT_S = 60.0
"""Seconds allowed for opening a file, and on top of the video's duration for reading it."""

_KEPT = ("PATH", "PYTHONPATH", "LANG", "LANGUAGE", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_SINGLE_THREADED = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class ReadLimits:
    """What reading one file may cost. Beyond a limit that file gets an error, no other does."""

    timeout_s: float | None = None
    """Seconds of waiting for the reader process; None: 60 plus the video's duration."""
    memory_bytes: int = 3 << 30
    """Address space of the reader process."""
    max_pixels: int = 36_000_000
    """Width x height of a stored frame; 8K is 33 million."""
    max_duration_s: float = 24 * 3600.0
    """Longest video that is read, in seconds of presentation time."""
    threads: int | None = None
    """Decoding threads of one reader process; None: the machine's cores shared by the pool."""

    def __post_init__(self) -> None:
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise ValueError(f"timeout_s must be above 0, got {self.timeout_s}")
        if self.memory_bytes < 256 << 20:
            raise ValueError(f"memory_bytes must be at least 256 MiB, got {self.memory_bytes}")
        if self.max_pixels < 1 or not self.max_duration_s > 0:
            raise ValueError(f"limits must be above 0: {self.max_pixels=} {self.max_duration_s=}")

    def timeout_for(self, duration_s: float | None) -> float:
        """Seconds that reading a video of that claimed duration may take."""
        if self.timeout_s is not None:
            return self.timeout_s
        claimed = duration_s if duration_s is not None else 0.0
        return OPEN_TIMEOUT_S + min(max(claimed, 0.0), self.max_duration_s)


def child_environment(parent: Mapping[str, str]) -> dict[str, str]:
    """The reader process's environment: an allow-list, so that no credential comes along.

    The folder that holds the running `vscan` goes first on PYTHONPATH, so that the child runs the
    parent's code wherever it was imported from.
    """
    kept = {name: parent[name] for name in _KEPT if name in parent}
    kept.update({name: value for name, value in parent.items() if name.startswith("LC_")})
    kept.update(dict.fromkeys(_SINGLE_THREADED, "1"))
    home = str(Path(__file__).resolve().parents[2])
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [home, kept.get("PYTHONPATH", "")]))
    kept["PYTHONDONTWRITEBYTECODE"] = "1"
    return kept


def confine(memory_bytes: int, parent_pid: int) -> None:
    """Called in the child: limits its memory, forbids core dumps, ties its life to its parent's."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:  # the parent died before the request above took hold
            os._exit(1)


def resident_bytes() -> int:
    """Memory that this process holds now; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()
