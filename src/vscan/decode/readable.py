"""What a reader process must be able to open besides its input: Python's code, shared libraries."""

from __future__ import annotations

import glob
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LOADED_LATER = ("decord", "cv2", "PIL")
"""Packages that are imported only when a file asks for them."""
_SYSTEM = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
    "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo",
    "/dev/null", "/dev/urandom",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu",
)  # fmt: skip
"""The dynamic linker's folders and cache; what libraries ask about cores and memory."""


def readable_paths() -> list[str]:
    """Files, and folders with all below them; some may not exist.

    A folder that only PYTHONPATH names may be anyone's, with videos beside the code: of such a
    folder only the packages in use are listed. Texts, not paths: it costs every process's start.
    """
    found = dict.fromkeys((*_SYSTEM, *_code(), *_libraries()))
    return [name for name in found if name not in ("", "/")]


def _code() -> list[str]:
    """The interpreter's own folders on sys.path, and every package that lies elsewhere."""
    own = tuple(f"{prefix}{os.sep}lib" for prefix in {sys.prefix, sys.base_prefix})
    found = [
        entry for entry in sys.path
        if entry.startswith(own)
        or os.path.basename(entry) in ("site-packages", "dist-packages")  # noqa: PTH119 - a text
    ]  # fmt: skip
    known = tuple(f"{folder}{os.sep}" for folder in found)
    for place in _packages():
        if not place.startswith(known):
            found.append(place)
            # Where repaired wheels keep the libraries that they bring along.
            found += glob.glob(f"{glob.escape(os.path.dirname(place))}/*.libs")  # noqa: PTH120, PTH207
    return found


def _packages() -> Iterator[str]:
    """The folder or file of every module at the top level that is loaded, or will be."""
    tops = {name.partition(".")[0] for name in sys.modules}
    for name in (*tops, *LOADED_LATER):
        module = sys.modules.get(name)
        with suppress(ImportError, ValueError):
            spec = module.__spec__ if module is not None else importlib.util.find_spec(name)
            if spec is None:
                continue
            if spec.submodule_search_locations:
                yield from spec.submodule_search_locations
            elif spec.has_location and spec.origin:
                yield spec.origin


def _libraries() -> Iterator[str]:
    """Folders of the shared libraries that are loaded, and that the linker is told to look in."""
    yield from os.environ.get("LD_LIBRARY_PATH", "").split(":")
    for prefix in (sys.base_prefix, sys.prefix):  # a Python that brings its own: conda, uv
        yield f"{prefix}/lib"
    with suppress(OSError):
        # proc_pid_maps(5): the name is all from the first slash on.
        for line in Path("/proc/self/maps").read_bytes().splitlines():
            _, _, name = line.partition(b"/")
            if b".so" in name:
                yield "/" + os.fsdecode(name.rpartition(b"/")[0])
