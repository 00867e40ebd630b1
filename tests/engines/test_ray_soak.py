"""The Ray engine on real videos: actors that are killed, a run that is stopped, a cluster left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from tests.cli.test_kills import PROGRAM, whole_lines

CORPUS = Path(os.environ.get("VSCAN_CORPUS", "absent"))
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="VSCAN_CORPUS names no folder of real videos"),
]
RULES = ("--policy", "demo", "--model", "builtin", "--signals", "embedding,pdq")
READING, MODEL = "ray::MapWorker(MapBatches(Reading))", "ray::ModelActor"
WITHIN_S = 600.0
CLOSED_S = 60.0
"""Seconds in which a stopped run has ended, on a machine with little to spare."""


def start(command: Sequence[object], *, new_session: bool = False) -> subprocess.Popen[str]:
    """A run in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=new_session,
    )


def parents() -> dict[int, tuple[int, str]]:
    """By process id, its parent's and its title, of every process that may be looked at."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            title = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            continue
        found[int(path.name)] = parent, title
    return found


def below(root: int, title: str) -> list[int]:
    """Descendants of a process whose title begins so."""
    processes = parents()

    def is_below(pid: int) -> bool:
        while pid in processes and pid != root:
            pid = processes[pid][0]
        return pid == root

    return [pid for pid, (_, told) in processes.items() if told.startswith(title) and is_below(pid)]


def until(holds: Callable[[], object], *, within_s: float = WITHIN_S) -> None:
    """Waits until it holds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < within_s
        time.sleep(0.02)


def lines_in(output: Path) -> int:
    """Lines of an output so far."""
    return output.read_bytes().count(b"\n") if output.exists() else 0


def has_lines(child: subprocess.Popen[str], output: Path, count: int) -> bool:
    """Whether a run has written more lines than that, or has ended."""
    return lines_in(output) > count or child.poll() is not None


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two copies of each real video."""
    folder = tmp_path_factory.mktemp("videos")
    real = [p for p in sorted(CORPUS.rglob("*")) if p.suffix in (".mp4", ".mkv", ".mov", ".m4v")]
    for number in range(2):
        for path in real:
            shutil.copy(path, folder / f"{number}-{path.name}")
    return folder


def command(videos: Path, *options: object) -> list[object]:
    """A scan of them."""
    return ["scan", videos, *RULES, *options]


@pytest.fixture(scope="module")
def expected(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of the local engine."""
    output = tmp_path_factory.mktemp("local") / "v.jsonl"
    with start([*command(videos), "-o", output]) as child:
        child.communicate()
    return whole_lines(output)


@pytest.mark.parametrize("sampling", ["adaptive", "keyframes"])
def test_same_lines(videos: Path, tmp_path: Path, sampling: str) -> None:
    """Also where a plan follows what the model says while it reads."""
    outputs = tmp_path / "local.jsonl", tmp_path / "ray.jsonl"
    for engine, output in zip(("local", "ray"), outputs, strict=True):
        options = ("--engine", engine, "--sampling", sampling, "-o", output)
        with start(command(videos, *options)) as child:
            _, err = child.communicate()
        assert child.returncode == 0, err
    assert whole_lines(outputs[0]) == whole_lines(outputs[1])


@pytest.mark.parametrize("victim", [READING, MODEL], ids=["reading", "model"])
def test_a_killed_actor(
    videos: Path,
    expected: Sequence[bytes],
    tmp_path: Path,
    victim: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Three times the actor at work is killed with SIGKILL: the lines are those of an undisturbed
    run, each once, no video is an error for it, and Ray says nothing about it on stdout."""
    output = tmp_path / "v.jsonl"
    with start([*command(videos), "--engine", "ray", "-o", output]) as child:
        for kill in range(3):
            until(partial(has_lines, child, output, 4 + 8 * kill))
            assert child.poll() is None
            until(lambda: below(child.pid, victim))
            for pid in below(child.pid, victim)[:1]:
                os.kill(pid, signal.SIGKILL)
        _, err = child.communicate()
    assert child.returncode == 0, err
    assert expected == whole_lines(output)
    assert "" == capfd.readouterr().out
    assert [] == [line for line in err.splitlines() if not line.startswith("vscan: ")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whom", ["the run", "all of it"])
def test_stopped(
    videos: Path,
    expected: Sequence[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    whom: str,
) -> None:
    """A signal ends the run soon, with what was done, no process and no folder left behind; the
    same command does the rest. A terminal's Ctrl-C reaches every process of Ray as well."""
    temporary = tempfile.TemporaryDirectory(prefix="v", dir="/tmp")
    monkeypatch.setenv("TMPDIR", temporary.name)
    output = tmp_path / "v.jsonl"
    whole = [*command(videos), "--engine", "ray", "-o", output]
    with start(whole, new_session=True) as child:
        until(lambda: lines_in(output) > 5)
        mine = below(child.pid, "")
        begun = time.monotonic()
        if whom == "the run":
            child.send_signal(number)
        else:
            os.killpg(child.pid, number)
        _, err = child.communicate()
    took_s = time.monotonic() - begun
    assert 128 + number == child.returncode, err
    assert "Traceback" not in err
    assert took_s < CLOSED_S
    until(lambda: not set(mine) & set(parents()), within_s=CLOSED_S)
    assert [] == list(Path(temporary.name).glob("vscan-ray-*"))
    with start(whole) as child:
        child.communicate()
    temporary.cleanup()
    assert expected == whole_lines(output)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster of one node on this machine."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")  # an address alone is not handed Ray's token
    ray = Path(sys.executable).with_name("ray")
    head = subprocess.Popen(
        [ray, "start", "--head", "--port=6399", "--num-cpus=3", "--include-dashboard=false",
         "--object-store-memory=200000000", "--block"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: below(head.pid, "") and _answers(6399), within_s=120)
        yield "127.0.0.1:6399"
    finally:
        head.terminate()
        head.wait()


def _answers(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_a_cluster_stays(
    videos: Path, expected: Sequence[bytes], tmp_path: Path, cluster: str
) -> None:
    """A run on a cluster leaves it as it was, also one that is stopped: none of its actors."""
    output = tmp_path / "v.jsonl"
    whole = [*command(videos), "--engine", "ray", "--ray-address", cluster, "-o", output]
    with start(whole) as child:
        until(lambda: lines_in(output) > 5 or child.poll() is not None)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate()
    assert 130 == child.returncode, err
    until(lambda: not [t for _, t in parents().values() if t.startswith((READING, MODEL))])
    with start(whole) as child:
        _, err = child.communicate()
    assert child.returncode == 0, err
    assert expected == whole_lines(output)
