"""What a piece of work takes of the machine: wall, CPU of this process and of its children."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path(os.sep, "proc")


@dataclass(frozen=True)
class Spent:
    """Seconds."""

    wall_s: float
    own_cpu_s: float
    """Of this process, all its threads."""
    children_cpu_s: float
    """Of the processes that it started and that have ended."""

    @property
    def cpu_s(self) -> float:
        """All of it."""
        return self.own_cpu_s + self.children_cpu_s


class Meter:
    """Counts from when it is made; what children that run already used before is left out."""

    def __init__(self) -> None:
        self._children = _ended_children_s() + sum(_cpu_s(pid) for pid in children())
        self._own = time.process_time()
        self.begun_s = time.perf_counter()

    def spent(self) -> Spent:
        """What was used until now; to be asked when every child has ended."""
        return Spent(
            time.perf_counter() - self.begun_s,
            time.process_time() - self._own,
            max(0.0, _ended_children_s() - self._children),
        )


def children() -> Iterator[int]:
    """Ids of the processes that this one started and that run; none beside Linux."""
    me = os.getpid()
    for entry in _PROC.glob("[0-9]*"):
        fields = _stat(int(entry.name))
        if fields and int(fields[1]) == me:
            yield int(entry.name)


def peak_bytes(pid: int | None = None) -> int:
    """The most memory that a running process (None: this one) ever had resident; 0: not known.

    `ru_maxrss` would not do: a new process begins with its parent's.
    """
    try:
        text = (_PROC / str(pid or "self") / "status").read_text("utf-8")
    except OSError:
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0


def forget_peak() -> None:
    """From now on `peak_bytes` of this process counts anew, where the system can do that: loading a
    model takes more for a moment than what comes after, and would hide how that grows."""
    with suppress(OSError):
        (_PROC / "self" / "clear_refs").write_text("5")  # proc(5): the peak becomes what is there


def _ended_children_s() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _cpu_s(pid: int) -> float:
    fields = _stat(pid)
    ticks = int(fields[11]) + int(fields[12]) if fields else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) `stat` from the state on; none for a process that is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
