"""A seccomp filter: no network, no new programs or processes, nothing changed on disk.

The filter is classic BPF over `struct seccomp_data` (seccomp(2)): instructions of 8 bytes (`code`,
`jt`, `jf`, `k`), as in linux/filter.h. Threads of this process work as before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Sequence

from vscan.decode import kernel, syscalls

_SET_MODE_FILTER, _TSYNC = 1, 1
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000
_ARCHES = (0xC000003E, 0xC00000B7)
"""AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 (linux/audit.h); both are little endian."""
_X32 = 0x40000000
"""Set in the numbers of the x32 calls, which come under the architecture of x86_64."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH = 0, 4

_CLONE_THREAD = 0x00010000
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_IOCTLS = {
    "TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "FIOSETOWN": 0x8901, "SIOCSPGRP": 0x8902,
    "FIOASYNC": 0x5452, "FS_IOC_SETFLAGS": 0x40086602, "FS_IOC_FSSETXATTR": 0x401C5820,
}  # fmt: skip
"""Typing into a terminal; having signals sent to another process; a file's attributes."""
_FCNTLS = {"F_SETOWN": 8, "F_SETSIG": 10, "F_SETOWN_EX": 15}
"""Having signals sent to another process."""

Instruction = tuple[int, int, int, int]
"""(code, steps to skip where it holds, steps to skip where not, operand)"""


def install() -> str:
    """Puts the filter on all threads of this process for good; says what it is.

    Raises OSError where the kernel refuses or the machine is not known: no filter is there then.
    """
    column = kernel.machine_column()
    program = b"".join(struct.pack("=HBBI", *each) for each in program_for(column, os.getpid()))
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a count, padding, a pointer.
    head = ctypes.create_string_buffer(
        struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    )
    stuck = kernel.call("seccomp", _SET_MODE_FILTER, _TSYNC, head)
    if stuck:
        raise OSError(errno.EBUSY, f"thread {stuck} cannot be brought under the filter")
    return kernel.MACHINES[column]


def program_for(column: int, pid: int) -> list[Instruction]:
    """The filter's instructions for one machine (kernel.machine_column) and process."""
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, _ARCHES[column]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_AT_LEAST, 0, 1, syscalls.LAST + 1),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    refused = syscalls.numbers(syscalls.REFUSED, column)
    for number in sorted(refused.values()):
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    for name, number in syscalls.numbers(syscalls.WITH_ARGUMENTS, column).items():
        body = _judged_by_arguments(name, pid)
        program += [(_EQUAL, 0, len(body), number), *body]
    return [*program, (_RETURN, 0, 0, _ALLOW)]


def _judged_by_arguments(name: str, pid: int) -> Sequence[Instruction]:
    """What becomes of one call, by the lower halves of its arguments; it always ends the filter."""
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    allow = (_RETURN, 0, 0, _ALLOW)
    match name:
        case "clone3" | "openat2":
            # What they are asked is in memory, where no filter sees it; libraries then fall back.
            return [(_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
        case "clone":
            return [_argument(0), (_ANY_BIT, 1, 0, _CLONE_THREAD), refuse, allow]
        case "open":
            return [_argument(1), (_ANY_BIT, 0, 1, _WRITES), refuse, allow]
        case "openat":
            return [_argument(2), (_ANY_BIT, 0, 1, _WRITES), refuse, allow]
        case "tgkill":
            return [_argument(0), (_EQUAL, 1, 0, pid), refuse, allow]
        case "ioctl":
            return [_argument(1), *_one_of(_IOCTLS.values()), refuse, allow]
        case "fcntl":
            return [_argument(1), *_one_of(_FCNTLS.values()), refuse, allow]
        case "prctl":
            # It may not outlive its parent.
            return [_argument(0), (_EQUAL, 0, 1, kernel.PR_SET_PDEATHSIG), refuse, allow]
        case _:  # prlimit64: its own limits alone
            return [_argument(0), (_EQUAL, 2, 0, 0), (_EQUAL, 1, 0, pid), refuse, allow]


def _one_of(values: Iterable[int]) -> list[Instruction]:
    """Goes on with the next instruction where it is one of them, else with the one after it."""
    *others, last = values
    count = len(others)
    steps = [(_EQUAL, count - k, 0, value) for k, value in enumerate(others)]
    return [*steps, (_EQUAL, 0, 1, last)]


def _argument(index: int) -> Instruction:
    """Loads the lower 32 bits of an argument; struct seccomp_data has six of 64 bits from 16 on."""
    return (_LOAD, 0, 0, 16 + 8 * index)
