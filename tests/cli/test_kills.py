"""Runs that are killed, that fill the disk, or may not write: no line is lost, doubled or torn."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from tests.conftest import Library, Vscan

from vscan.store.lines import read_lines
from vscan.store.replaced import beside
from vscan.store.verdict_files import VerdictFiles

CORPUS = Path(os.environ.get("VSCAN_CORPUS", "absent"))
PROGRAM = "from vscan.cli.app import main; main()"


def start(command: Sequence[object], *, program: str = PROGRAM) -> subprocess.Popen[str]:
    """A run in a process of its own."""
    arguments = [sys.executable, "-c", program, *map(str, command)]
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)


def whole_lines(output: Path) -> list[bytes]:
    """The lines of an output, sorted; a torn one fails."""
    data = output.read_bytes()
    assert data.endswith(b"\n")
    for line in data.splitlines():
        assert orjson.loads(line)["schema"] == "vscan.verdict/1"
    return sorted(data.splitlines())


def records(output: Path) -> dict[str, set[str]]:
    """By URI, the ids of its records, as they are after a kill: the last line may be torn."""
    found: dict[str, set[str]] = {}
    if output.exists():
        with output.open("rb") as file:
            for stored in read_lines(file, name=str(output)):
                found.setdefault(stored.uri, set()).add(stored.record["id"])
    return found


def moments(rng: random.Random, output: Path) -> Iterator[bool]:
    """False until it is time to kill: somewhere in the start, after the next line or the one after
    that, or within the rewrite that removes old lines."""
    begun = time.monotonic()
    early = rng.uniform(0.0, 2.0) if rng.random() < 0.15 else None
    in_rewrite = rng.random() < 0.5
    size, steps, until = None, rng.randint(1, 3), 0.0
    while True:
        now = time.monotonic()
        with suppress(FileNotFoundError):
            if size != output.stat().st_size:
                steps -= size is not None
                size, until = output.stat().st_size, now + rng.uniform(0.0, 0.2)
        yield (
            (early is not None and now > begun + early)
            or (in_rewrite and beside(output).exists())
            or (steps <= 0 and now > until)
        )
        time.sleep(0.001)


def kill_again_and_again(
    commands: Sequence[Sequence[object]], output: Path, *, kills: int, seed: int
) -> int:
    """Kills runs with SIGKILL until `kills` were killed; where one gets to its end before that,
    the next of the commands goes on, in turn. Returns which was the last one."""
    rng = random.Random(seed)
    killed = turn = 0
    while killed < kills:
        before = records(output)
        with start((*commands[turn % len(commands)], "-o", output)) as child:
            moment = moments(rng, output)
            while child.poll() is None and not next(moment):
                pass
            child.kill()
            _, err = child.communicate()
        assert "Traceback" not in err
        after = records(output)
        assert set(before) <= set(after), "a source lost its line"
        if child.returncode == -9:
            killed += 1
            # What is done stays done; an older line goes only where a newer one is there.
            assert all(before[uri] & after[uri] or len(after[uri]) == 1 for uri in before)
        else:
            assert child.returncode in (0, 3), err
            turn += 1
    return turn % len(commands)


def check_against_one_run(command: Sequence[object], output: Path, other: Path) -> None:
    """The resumed output, once finished, is byte for byte what one undisturbed run writes."""
    for path in (output, other):
        with start((*command, "-o", path)) as child:
            _, err = child.communicate()
        assert child.returncode in (0, 3), err
    assert whole_lines(other) == whole_lines(output)
    assert len(whole_lines(output)) == len(records(output))
    summary = orjson.loads(output.with_suffix(".run.json").read_bytes())
    assert summary["finished"]
    assert len(records(output)) == summary["counts"]["sources"]
    assert {output.name, output.with_suffix(".run.json").name} == {
        entry.name for entry in output.parent.iterdir()
    }


def copies(videos: Sequence[Path], folder: Path, count: int) -> Path:
    """A folder with each video under `count` names."""
    folder.mkdir()
    for video in videos:
        first = folder / f"0-{video.name}"
        shutil.copy(video, first)
        for number in range(1, count):
            (folder / f"{number}-{video.name}").hardlink_to(first)
    return folder


def rules(library: Library, sampling: str) -> tuple[object, ...]:
    """A scan by hashes: quick, and with violations."""
    return (*library.rules, "--flood-share", "0", "--sampling", sampling)


def test_killed_three_times(library: Library, tmp_path: Path) -> None:
    """Three runs over small videos are killed, that replace the lines of another configuration; the
    set is that of one undisturbed run, and what a kill may leave at the worst is passed over."""
    videos = copies(sorted(library.clips.rglob("*.mp4")), tmp_path / "videos", 4)
    output = tmp_path / "out" / "v.jsonl"
    commands = [("scan", videos, *rules(library, plan)) for plan in ("fps:1", "fps:2")]
    with start((*commands[1], "-o", output)) as child:
        assert child.wait() == 3
    last = kill_again_and_again(commands, output, kills=3, seed=1)
    check_against_one_run(commands[last], output, tmp_path / "other.jsonl")
    whole = output.read_bytes()
    output.write_bytes(whole + whole[:100])  # half a line, and half a rewrite
    beside(output).write_bytes(whole[:100])
    with start((*commands[last], "-o", output)) as child:
        _, err = child.communicate()
    assert f"{len(whole.splitlines())} done before" in err
    assert (whole, False) == (output.read_bytes(), beside(output).exists())


@pytest.mark.soak
@pytest.mark.skipif(not CORPUS.is_dir(), reason="VSCAN_CORPUS names no folder of real videos")
def test_killed_a_hundred_times(library: Library, tmp_path: Path) -> None:
    """A hundred random SIGKILLs while real videos, several copies of each, are scanned under
    changing configurations: the set is that of one undisturbed run."""
    real = [p for p in sorted(CORPUS.rglob("*")) if p.suffix in (".mp4", ".mkv", ".mov", ".m4v")]
    videos = copies([*real, library.clips / "broken.mp4"], tmp_path / "videos", 5)
    output = tmp_path / "out" / "v.jsonl"
    commands = [("scan", videos, *rules(library, plan)) for plan in ("fps:1", "fps:0.5")]
    last = kill_again_and_again(commands, output, kills=100, seed=2)
    check_against_one_run(commands[last], output, tmp_path / "other.jsonl")


# A full disk, and one that may not be written


@pytest.fixture
def videos(library: Library, tmp_path: Path) -> Path:
    """Twenty videos."""
    return copies([library.good], tmp_path / "videos", 20)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 KiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(disk: Path, options: str) -> None:
    """The same disk under other options."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


def test_a_full_disk(vscan: Vscan, library: Library, videos: Path, disk: Path) -> None:
    """It ends the run with 2 and says how to go on; the lines before it are whole, and with more
    room the same command does the rest."""
    output = disk / "v.jsonl"
    command = ("scan", videos, *library.rules, "-o", output)
    ran = vscan(*command)
    assert 2 == ran.code
    assert f"vscan: error: {output}: cannot write (No space left on device)" in ran.err
    assert "then run the same command: it resumes" in ran.err
    done = whole_lines(output)
    assert 1 <= len(done) < 20
    assert not orjson.loads(output.with_suffix(".run.json").read_bytes())["finished"]
    remount(disk, "size=1m")
    again = vscan(*command)
    assert (0, 20) == (again.code, len(whole_lines(output)))
    assert f"{len(done)} done before" in again.err
    assert set(done) <= set(whole_lines(output))
    assert len(records(output)) == 20


def test_a_disk_that_may_not_be_written(
    vscan: Vscan, library: Library, videos: Path, disk: Path
) -> None:
    """A read-only output ends the run with 2 before any work; what stood there stays."""
    output = disk / "v.jsonl"
    vscan("scan", library.good, *library.rules, "-o", output)
    before = output.read_bytes()
    remount(disk, "ro")
    for path in (output, disk / "new.jsonl"):
        ran = vscan("scan", videos, *library.rules, "-o", path)
        assert 2 == ran.code
        assert f"{path}: cannot be opened for writing (Read-only file system)" in ran.err
    assert before == output.read_bytes()


LIMITED = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
{PROGRAM}
"""


def test_a_file_that_may_not_grow(library: Library, videos: Path, tmp_path: Path) -> None:
    """A limit on the size of files ends the run as a full disk does, wherever it cuts a line."""
    output = tmp_path / "v.jsonl"
    with start(("scan", videos, *library.rules, "-o", output), program=LIMITED) as child:
        _, err = child.communicate()
    assert 2 == child.returncode
    assert f"{output}: cannot write (File too large)" in err
    done = whole_lines(output)
    assert 8000 - 2000 < output.stat().st_size <= 8000
    summary = orjson.loads(output.with_suffix(".run.json").read_bytes())
    assert ("failed", 2, len(done)) == (
        summary["reason"], summary["exit_code"], summary["counts"]["sources"]
    )  # fmt: skip
    assert "cannot write" in summary["message"]


def test_lines_of_a_killed_run_can_be_merged(
    library: Library, videos: Path, tmp_path: Path
) -> None:
    """What a killed run left is read by others as far as it is whole."""
    output = tmp_path / "out" / "v.jsonl"
    kill_again_and_again([("scan", videos, *library.rules)], output, kills=1, seed=4)
    with VerdictFiles([output]) as files:
        assert set(records(output)) == set(files.latest(0))
