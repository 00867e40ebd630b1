"""A reader process: what it inherits, what it imports, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vscan.decode.process import Deadline, ProcessFailed, ReaderProcess
from vscan.decode.sandbox import ReadLimits, child_environment

LINUX = sys.platform == "linux"


def test_environment_is_an_allow_list() -> None:
    """Credentials stay with the parent; the child finds this very vscan."""
    parent = {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "HF_TOKEN": "secret",
        "LD_PRELOAD": "evil.so",
        "PYTHONPATH": "elsewhere",
    }
    child = child_environment(parent)
    assert "secret" not in child.values()
    assert "LD_PRELOAD" not in child
    assert ("/bin", "C.UTF-8") == (child["PATH"], child["LC_ALL"])
    first, *rest = child["PYTHONPATH"].split(os.pathsep)
    assert (Path(first) / "vscan" / "decode").is_dir()
    assert ["elsewhere"] == rest


@pytest.mark.skipif(not LINUX, reason="reads /proc")
def test_limits_hold() -> None:
    """The child has its memory limit, writes no core, and stands in a session of its own."""
    process = ReaderProcess(ReadLimits(memory_bytes=1 << 30))
    try:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        lines = {line[:26].strip(): line[26:].split() for line in limits.splitlines()}
        assert str(1 << 30) == lines["Max address space"][0]
        assert "0" == lines["Max core file size"][0]
        assert process.pid == os.getsid(process.pid)
    finally:
        process.kill()
    assert not process.alive


def test_the_child_imports_little() -> None:
    """No torch, OpenCV or decord before a file asks for it: a process starts fast and small."""
    code = (
        "import sys, vscan.decode.child; "
        "print([m for m in ('torch', 'cv2', 'decord', 'open_clip', 'faiss', 'pydantic', 'pickle') "
        "if m in sys.modules and m != 'pickle'])"
    )
    environment = child_environment(os.environ)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert "[]" == done.stdout.strip()


def test_death_and_silence_are_told_apart() -> None:
    """A child that is killed is `worker_died`, one that says nothing is `deadline`."""
    process = ReaderProcess(ReadLimits())
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(ProcessFailed) as caught:
        process.receive(Deadline(10))
    assert "worker_died" == caught.value.code
    assert "SIGKILL" in caught.value.message
    process = ReaderProcess(ReadLimits())
    deadline = Deadline(0.2)
    with pytest.raises(ProcessFailed) as caught:
        process.receive(deadline)
    assert "deadline" == caught.value.code
    assert 0.0 == deadline.left_s
    assert not process.alive


@pytest.mark.skipif(not LINUX, reason="the tie to the parent is Linux's")
@pytest.mark.parametrize("stopped", [False, True])
def test_dies_with_its_parent(stopped: bool) -> None:
    """A parent that is killed leaves no reader behind, not even one that is stuck."""
    code = (
        "import sys, time\n"
        "from vscan.decode.process import ReaderProcess\n"
        "from vscan.decode.sandbox import ReadLimits\n"
        "print(ReaderProcess(ReadLimits()).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = child_environment(os.environ)
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    if stopped:
        os.kill(child, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(100):
        if not _running(child):
            break
        time.sleep(0.05)
    assert not _running(child)


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
