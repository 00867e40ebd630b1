"""Linux system calls that Python has no function for, by ctypes; a refusal is an OSError."""

from __future__ import annotations

import ctypes
import functools
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

_NUMBERS = {
    # name: (x86_64, aarch64), from the kernel's unistd_64.h and asm-generic/unistd.h
    "capget": (125, 90),
    "capset": (126, 91),
    "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "seccomp": (317, 277),
    "unshare": (272, 97),
}
MACHINES = ("x86_64", "aarch64")
"""Names of `os.uname().machine`, in the order of the numbers."""


def machine_column() -> int:
    """Which column of a table of numbers is this machine's. Raises OSError for another machine.

    A 32-bit Python on a 64-bit kernel counts as another.
    """
    machine = os.uname().machine
    if machine not in MACHINES or sys.maxsize < 1 << 32:
        raise OSError(0, f"not known for {machine} in {sys.maxsize.bit_length() + 1} bits")
    return MACHINES.index(machine)


def call(name: str, *arguments: object) -> int:
    """The system call `name`; integers and ctypes pointers as arguments. Raises OSError."""
    number = _NUMBERS[name][machine_column()]
    return _checked("syscall", number, *arguments)


def prctl(option: int, value: int) -> int:
    """prctl(2) with one value. Raises OSError."""
    return _checked("prctl", option, value, 0, 0, 0)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(function: str, *arguments: object) -> int:
    foreign = getattr(_libc(), function)
    foreign.restype = ctypes.c_long
    # A variadic function takes an unspecified int for 32 bits; the kernel wants all 64.
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    answer: int = foreign(*given)
    if answer == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
