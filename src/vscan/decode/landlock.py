"""Landlock: no file can be opened but those listed, and those only to be read.

See landlock(7) and the kernel's Documentation/userspace-api/landlock.rst, which gives the rights
and structures of each ABI. It governs opening: what is open already, or is handed over, stays so.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress

from vscan.decode import kernel

_VERSION = 1
_PATH_BENEATH = 1

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FS_RIGHTS = (
    (1, (1 << 13) - 1),  # execute, write, read, list, remove and make of every kind
    (2, 1 << 13),  # refer: rename or link into another folder
    (3, 1 << 14),  # truncate
    (5, 1 << 15),  # ioctl on devices
)
"""(ABI since when, rights over files)"""
_NET_RIGHTS = (1 << 0) | (1 << 1)
"""Bind and connect TCP; ABI 4."""
_SCOPES = (1 << 0) | (1 << 1)
"""Abstract Unix sockets and signals to processes outside; ABI 6."""


def restrict_to(readable: Iterable[str]) -> str:
    """Confines this thread, and those it starts, for good; says which ABI did it.

    readable: files, and folders with all below them, that can still be opened to be read. What is
    not there is left out. Raises OSError where the kernel refuses: nothing is confined then.
    """
    abi = kernel.call("landlock_create_ruleset", None, 0, _VERSION)
    handled = sum(rights for since, rights in _FS_RIGHTS if abi >= since)
    fields = [handled]
    fields += [_NET_RIGHTS] if abi >= 4 else []
    fields += [_SCOPES] if abi >= 6 else []
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = kernel.call("landlock_create_ruleset", _bytes(attributes), len(attributes), 0)
    try:
        for path in readable:
            with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                _allow(ruleset, path)
        kernel.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return f"ABI {abi}"


def _allow(ruleset: int, path: str) -> None:
    """One rule: the path, and all below it, may be read."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rights = _READ_FILE | _READ_DIR if folder else _READ_FILE
        rule = struct.pack("=Qi", rights, descriptor)
        kernel.call("landlock_add_rule", ruleset, _PATH_BENEATH, _bytes(rule), 0)
    finally:
        os.close(descriptor)


def _bytes(data: bytes) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(data, len(data))
