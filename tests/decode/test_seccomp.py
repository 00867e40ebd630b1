"""The filter's instructions, run by an interpreter of classic BPF, for both machines."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from vscan.decode import seccomp, syscalls
from vscan.decode.kernel import MACHINES

ALLOWED, KILLED = 0x7FFF0000, 0x80000000
REFUSED, UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_* of linux/audit.h."""
PID = 4711
USED = {
    # What Python and decoders call all the time: read, write, mmap, futex, recvmsg, exit_group,
    # getrandom, madvise, lseek.
    "x86_64": (0, 1, 9, 202, 47, 231, 318, 28, 8),
    "aarch64": (63, 64, 222, 98, 212, 94, 278, 233, 62),
}


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    """Each test runs once for each machine."""
    return str(request.param)


def answer(machine: str, number: int, *arguments: int, arch: int | None = None) -> int:
    """What the filter says of one call: BPF of linux/filter.h over `struct seccomp_data`."""
    program = seccomp.program_for(MACHINES.index(machine), PID)
    data = {0: number, 4: ARCHES[machine] if arch is None else arch}
    data |= {16 + 8 * k: value & 0xFFFFFFFF for k, value in enumerate(arguments)}
    at, loaded = 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        match code:
            case 0x20:  # BPF_LD | BPF_W | BPF_ABS
                loaded = data[operand]
            case 0x06:  # BPF_RET | BPF_K
                return operand
            case 0x15:  # BPF_JMP | BPF_JEQ | BPF_K
                at += if_true if loaded == operand else if_false
            case 0x35:  # BPF_JMP | BPF_JGE | BPF_K
                at += if_true if loaded >= operand else if_false
            case 0x45:  # BPF_JMP | BPF_JSET | BPF_K
                at += if_true if loaded & operand else if_false
            case _:
                pytest.fail(f"instruction {code:#x}")


def test_foreign_and_unknown_calls(machine: str) -> None:
    """Another architecture's calls and x32's kill; those that are too new do not exist."""
    other = next(arch for name, arch in ARCHES.items() if name != machine)
    assert KILLED == answer(machine, USED[machine][0], arch=other)
    assert KILLED == answer(machine, USED[machine][0], arch=0x40000003)
    assert KILLED == answer(machine, 0x40000000 | USED[machine][0])
    assert UNKNOWN == answer(machine, syscalls.LAST + 1)


def test_what_is_refused(machine: str) -> None:
    """Every call of the list is refused, and none that readers live by."""
    column = MACHINES.index(machine)
    refused = syscalls.numbers(syscalls.REFUSED, column)
    assert {"socket", "connect", "execve", "ptrace", "unlinkat", "io_uring_setup"} <= set(refused)
    assert {REFUSED} == {answer(machine, number) for number in refused.values()}
    assert {ALLOWED} == {answer(machine, number) for number in USED[machine]}


def test_what_arguments_decide(machine: str) -> None:
    """Threads, reading and one's own limits are let through; processes and writing are not."""
    call = syscalls.numbers(syscalls.WITH_ARGUMENTS, MACHINES.index(machine))
    thread = 0x3D0F00  # what pthread_create asks of clone(2)
    cases = [
        ("clone", (thread,), ALLOWED),
        ("clone", (17,), REFUSED),
        ("clone", (0x4111,), REFUSED),  # CLONE_VM | CLONE_VFORK | SIGCHLD: posix_spawn
        ("clone3", (0, 88), UNKNOWN),
        ("openat2", (0, 0, 0, 24), UNKNOWN),
        ("openat", (0, 0, os.O_RDONLY | os.O_CLOEXEC), ALLOWED),
        ("tgkill", (PID, PID, 6), ALLOWED),
        ("tgkill", (1, 1, 9), REFUSED),
        ("ioctl", (0, 0x5401), ALLOWED),
        ("ioctl", (0, 0x5412), REFUSED),
        ("ioctl", (0, 0x541C), REFUSED),
        ("ioctl", (0, 0x8901), REFUSED),  # FIOSETOWN
        ("ioctl", (0, 0x40086602), REFUSED),  # FS_IOC_SETFLAGS
        ("fcntl", (0, 3), ALLOWED),  # F_GETFL
        ("fcntl", (0, 1030), ALLOWED),  # F_DUPFD_CLOEXEC
        ("fcntl", (0, 8), REFUSED),  # F_SETOWN
        ("fcntl", (0, 10), REFUSED),  # F_SETSIG
        ("fcntl", (0, 15), REFUSED),  # F_SETOWN_EX
        ("prctl", (15, 0), ALLOWED),  # PR_SET_NAME
        ("prctl", (1, 0), REFUSED),  # PR_SET_PDEATHSIG
        ("prlimit64", (0, 7), ALLOWED),
        ("prlimit64", (PID, 7), ALLOWED),
        ("prlimit64", (1, 7), REFUSED),
    ]
    cases += [
        ("openat", (0, 0, flags), REFUSED)
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC)
    ]
    if machine == "x86_64":
        cases += [("open", (0, os.O_RDONLY), ALLOWED), ("open", (0, os.O_RDWR), REFUSED)]
    assert {name for name, _, _ in cases} == set(call)
    for name, arguments, wanted in cases:
        assert wanted == answer(machine, call[name], *arguments), (name, arguments)


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def test_numbers_are_the_kernel_s(machine: str) -> None:
    """Every number that the kernel's header has too is the header's."""
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    text = HEADERS[machine].read_text()
    header = {
        name: int(number)
        for name, number in re.findall(r"^#define __NR(?:3264)?_(\w+) (\d+)$", text, re.MULTILINE)
    }
    column = MACHINES.index(machine)
    ours = syscalls.numbers(syscalls.REFUSED, column)
    ours |= syscalls.numbers(syscalls.WITH_ARGUMENTS, column)
    assert len(ours.keys() & header.keys()) > 120
    assert {} == {name: n for name, n in ours.items() if header.get(name, n) != n}
    # A number that another call has would refuse that one.
    assert {} == {
        name: n for name, n in header.items() if n in ours.values() and ours.get(name) != n
    }
