"""How a reader process is confined: environment, limits of the system, Landlock, seccomp.

Each layer stands by itself: what the kernel refuses is reported, not raised, the others are there.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import struct
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vscan.decode import kernel, landlock, seccomp
from vscan.decode.limits import OPEN_TIMEOUT_S as OPEN_TIMEOUT_S
from vscan.decode.limits import ReadLimits as ReadLimits
from vscan.decode.readable import readable_paths

OPEN_FILES = 64
"""Descriptors that a reader process may hold; it needs a dozen."""
LARGE_BYTES = 4 << 20
"""What is allocated by itself, and given back when it is freed. Once a frame was freed, glibc takes
others from its heap, where pictures that outlive them keep ten times their size from reuse."""

_KEPT = ("PATH", "PYTHONPATH", "LANG", "LANGUAGE", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_SINGLE_THREADED = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_CAPABILITY_VERSION = 0x20080522
_CAP_DAC_READ_SEARCH = 1 << 2
"""Kept where it is there, so that root finds Python's code wherever it lies; it writes nothing."""


@dataclass(frozen=True)
class Layer:
    """One way in which a process is confined."""

    name: str
    in_force: bool
    detail: str
    """Its kind where it is in force, else why it is not."""


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
    kept["MALLOC_MMAP_THRESHOLD_"] = str(LARGE_BYTES)
    return kept


def limit_process(memory_bytes: int, parent_pid: int) -> None:
    """Called in the child: its memory, descriptors and files; its life tied to its parent's."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    _lower(resource.RLIMIT_AS, memory_bytes)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:  # the parent died before the request above took hold
            os._exit(1)


def limit_cpu(seconds: float) -> None:
    """Called in the child: SIGXCPU ends it after so many further seconds of CPU time.

    A second line behind the parent's deadline, for a decoder that spins.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (_at_most(limit, hard), hard))


def restrict() -> tuple[Layer, ...]:
    """Called in the child, after its imports and before it sees a file: confines it for good.

    The layers, in force or not; nothing is raised.
    """
    if sys.platform != "linux":
        return (Layer("Landlock", False, "only Linux has it"),
                Layer("seccomp", False, "only Linux has it"))  # fmt: skip
    layers = [
        _layer("no new privileges", _no_new_privileges),
        _layer("Landlock", _landlock),
        _layer("seccomp", seccomp.install),
    ]
    if not layers[-1].in_force:
        layers.append(_layer("network namespace", _network_namespace))
    layers.append(_layer("no capabilities", _drop_capabilities))
    return tuple(layers)


def resident_bytes() -> int:
    """Memory that this process holds now; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def _lower(which: int, limit: int) -> None:
    """Sets a limit for good: it can be lowered again, not raised."""
    _, hard = resource.getrlimit(which)
    limit = _at_most(limit, hard)
    resource.setrlimit(which, (limit, limit))


def _at_most(limit: int, hard: int) -> int:
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)


def _layer(name: str, apply: Callable[[], str]) -> Layer:
    try:
        return Layer(name, True, apply())
    except (OSError, AttributeError) as error:  # a C library without prctl or syscall
        return Layer(name, False, getattr(error, "strerror", None) or str(error))


def _no_new_privileges() -> str:
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    return ""


def _landlock() -> str:
    threads = len(list(Path("/proc/self/task").iterdir()))
    found = landlock.restrict_to(readable_paths())
    if threads > 1:
        raise OSError(0, f"{threads - 1} threads were there before it")
    return found


def _network_namespace() -> str:
    kernel.call("unshare", kernel.CLONE_NEWUSER | kernel.CLONE_NEWNET)
    return "empty"


def _drop_capabilities() -> str:
    """capset(2): two halves of effective, permitted and inheritable bits."""
    head = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION, 0), 8)
    held = ctypes.create_string_buffer(24)
    kernel.call("capget", head, held)
    kept = struct.unpack("=6I", held.raw)[1] & _CAP_DAC_READ_SEARCH
    kernel.call(
        "capset", head, ctypes.create_string_buffer(struct.pack("=6I", kept, kept, *[0] * 4))
    )
    return ""
