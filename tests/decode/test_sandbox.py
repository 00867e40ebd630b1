"""What a reader process is refused, in the real child, and what stays where a layer is missing."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media_factory import barcode_clip
from vscan.decode import kernel, process
from vscan.decode.process import ReaderProcess
from vscan.decode.sandbox import OPEN_FILES, ReadLimits, child_environment
from vscan.decode.trial import Trial, try_sandbox
from vscan.decode.workers import ReaderPool
from vscan.media import Measure
from vscan.sampling import EveryRequest

if sys.platform != "linux":
    pytest.skip("the layers are Linux's", allow_module_level=True)

NETWORK = ("connecting to a socket", "sending a datagram")
FILES = ("opening another file", "listing a folder", "reading the parent's environment")
CHANGES = ("writing a file", "changing a file", "removing a file")
RUN_CHILD = "runpy.run_module('vscan.decode.child', run_name='__main__')\n"
PROCESSES = ("starting a program", "starting a process", "signalling another process")


@pytest.fixture(scope="module")
def trial() -> Trial:
    """One reader process that tried everything."""
    return try_sandbox()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Trial]:
    """Tries a reader process in which the kernel answers ENOSYS to the calls named."""

    def tried(*calls: str) -> Trial:
        code = (
            "import errno, os, runpy\n"
            "from vscan.decode import kernel\n"
            "real = kernel.call\n"
            "def call(name, *arguments):\n"
            f"    if name in {calls!r}:\n"
            "        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))\n"
            "    return real(name, *arguments)\n"
            "kernel.call = call\n"
        )
        monkeypatch.setattr(process, "CHILD", ("-P", "-c", code + RUN_CHILD))
        return try_sandbox()

    return tried


def refused(trial: Trial) -> dict[str, str]:
    """Attempt to the layer that refused it; what succeeded is not there."""
    return {each.attempt: each.by for each in trial.outcomes if each.refused}


def layers(trial: Trial) -> dict[str, bool]:
    """Layer to whether it is in force."""
    return {layer.name: layer.in_force for layer in trial.layers}


def needs_landlock() -> None:
    """Skips where this machine's kernel has no Landlock."""
    try:
        kernel.call("landlock_create_ruleset", None, 0, 1)
    except OSError as error:
        pytest.skip(f"no Landlock here: {error.strerror}")


def needs_seccomp() -> None:
    """Skips where this machine's kernel has no seccomp filters."""
    if not Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        pytest.skip("no seccomp here")


def test_seccomp_refuses(trial: Trial) -> None:
    """No socket, no change on disk, no new program or process, no signal to another one."""
    needs_seccomp()
    assert refused(trial).items() >= dict.fromkeys(
        (*NETWORK, *CHANGES, *PROCESSES), "seccomp"
    ).items()  # fmt: skip


def test_landlock_refuses(trial: Trial) -> None:
    """No other file can be opened, no folder listed, and the parent's credentials not read."""
    needs_landlock()
    assert refused(trial).items() >= dict.fromkeys(FILES, "Landlock").items()


def test_nothing_is_left(trial: Trial) -> None:
    """With every layer in force nothing that was tried succeeds."""
    needs_landlock()
    needs_seccomp()
    assert () == trial.allowed
    assert () == trial.missing


def test_without_landlock(without: Callable[..., Trial]) -> None:
    """Where the kernel has no Landlock the filter stands: only reading is open, and it is said."""
    needs_seccomp()
    tried = without("landlock_create_ruleset")
    (missing,) = tried.missing
    assert ("Landlock", os.strerror(errno.ENOSYS)) == (missing.name, missing.detail)
    assert set(FILES) >= set(tried.allowed) >= {"opening another file", "listing a folder"}
    assert {"seccomp"} == {refused(tried)[each] for each in (*NETWORK, *CHANGES, *PROCESSES)}


def test_without_seccomp(without: Callable[..., Trial]) -> None:
    """Where no filter can be set Landlock stands, and a network namespace of its own is tried."""
    needs_landlock()
    tried = without("seccomp")
    found = refused(tried)
    assert {"Landlock"} == {found[each] for each in (*FILES, "writing a file")}
    assert {"removing a file", "starting a program"} <= set(found)
    assert "network namespace" in layers(tried)
    if layers(tried)["network namespace"]:
        assert set(NETWORK) <= set(found)
        assert "network namespace" == found["sending a datagram"]


def test_without_either(without: Callable[..., Trial]) -> None:
    """With neither, an empty network is what is left; without that, nothing, and nothing breaks."""
    tried = without("landlock_create_ruleset", "seccomp")
    if layers(tried)["network namespace"]:
        assert dict.fromkeys(NETWORK, "network namespace") == {
            each: refused(tried)[each] for each in NETWORK
        }
    bare = without("landlock_create_ruleset", "seccomp", "unshare", "capset")
    assert not any(layers(bare)[each] for each in ("Landlock", "seccomp", "network namespace"))
    assert {*NETWORK, "opening another file", "starting a program"} <= set(bare.allowed)


def test_a_child_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that says it was refused is found out by the connection, the file, that are there."""
    code = (
        "import runpy\n"
        "from vscan.decode import kernel, sandbox, trial\n"
        "def call(*_): raise OSError(38, 'none')\n"
        "kernel.call, real = call, trial.attempts\n"
        "sandbox._lower = lambda *_: None  # else no file could be written\n"
        "trial.attempts = lambda told: dict.fromkeys(real(told), 1)\n"
    )
    monkeypatch.setattr(process, "CHILD", ("-P", "-c", code + RUN_CHILD))
    assert ("connecting to a socket", "writing a file") == try_sandbox().allowed


def test_threads_that_were_there_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Landlock does not hold for a thread that is there already; it then counts as not in force."""
    needs_landlock()
    needs_seccomp()
    code = (
        "import runpy, threading\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    monkeypatch.setattr(process, "CHILD", ("-P", "-c", code + RUN_CHILD))
    tried = try_sandbox()
    assert [("Landlock", "1 threads were there before it")] == [
        (layer.name, layer.detail) for layer in tried.missing
    ]


def test_limits_of_the_system() -> None:
    """A reader writes no byte to a file, holds few descriptors, and cannot raise its limits."""
    child = ReaderProcess(ReadLimits(memory_bytes=1 << 30))
    try:
        text = Path(f"/proc/{child.pid}/limits").read_text()
        status = Path(f"/proc/{child.pid}/status").read_text()
    finally:
        child.kill()
    found = {line[:26].strip(): line[26:].split()[:2] for line in text.splitlines()[1:]}
    assert ["0", "0"] == found["Max file size"] == found["Max core file size"]
    assert [str(OPEN_FILES)] * 2 == found["Max open files"]
    assert [str(1 << 30)] * 2 == found["Max address space"]
    held = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert "1" == held["NoNewPrivs"]
    # CAP_DAC_READ_SEARCH alone may stay, where root runs it.
    assert int(held["CapEff"], 16) in (0, 4)


def test_threads_still_start(tmp_path: Path) -> None:
    """Decoders that use several threads work as before."""
    clips = [barcode_clip(tmp_path / name, count=30).path for name in ("a.mp4", "a.ts")]
    with ReaderPool(1, ReadLimits(threads=3)) as readers:
        for clip, reader in zip(clips, ("decord2", "PyAV"), strict=True):
            with readers.session(clip) as video:
                assert 30 == sum(map(len, video.read(EveryRequest(1), Measure(pdq=True))))
                assert video.report.reader.startswith(reader)
                assert () == video.report.warnings


def test_descriptors_do_not_pile_up(tmp_path: Path) -> None:
    """Neither side keeps a file that was served."""
    clip = barcode_clip(tmp_path / "a.mp4", count=5).path
    with ReaderPool(1, ReadLimits(threads=1)) as readers:

        def held() -> tuple[int, int, list[str]]:
            with readers.session(clip) as video:
                list(video.read(EveryRequest(1), Measure()))
                child = Path(f"/proc/{video.process_id}/fd")
            names = [str(each.readlink()) for each in child.iterdir()]
            return len(list(Path("/proc/self/fd").iterdir())), len(names), names

        first = held()
        for _ in range(20):
            last = held()
    assert first[:2] == last[:2]
    assert str(clip) not in last[2]


def test_the_folder_one_stands_in_is_not_imported_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file named like a module, in the folder that is scanned, does not run."""
    for name in ("orjson.py", "socket.py", "av.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit('a stranger ran')\n")
    monkeypatch.chdir(tmp_path)
    ReaderProcess(ReadLimits()).kill()


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="machine code of x86")
def test_a_call_of_another_architecture_kills() -> None:
    """A 32-bit system call, whose numbers mean other things, ends the process."""
    code = (
        "import ctypes, mmap, sys\n"
        "from vscan.decode import kernel, seccomp\n"
        "page = mmap.mmap(-1, 4096, prot=7)\n"
        "page.write(bytes.fromhex('b814000000cd80c3'))  # mov eax, getpid; int 0x80; ret\n"
        "run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))\n"
        "if sys.argv[1] == 'filtered':\n"
        "    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)\n"
        "    seccomp.install()\n"
        "print(run(), flush=True)\n"
    )
    ended = {}
    for which in ("free", "filtered"):
        ended[which] = subprocess.run(
            [sys.executable, "-P", "-c", code, which],
            env=child_environment(os.environ), capture_output=True, check=False,
        ).returncode  # fmt: skip
    if ended["free"] != 0:
        pytest.skip("this kernel runs no 32-bit code")
    assert -signal.SIGSYS == ended["filtered"]
