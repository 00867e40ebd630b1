"""Runs of `vscan scan`: shards, summaries, names that meet, and how a run is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.conftest import Library, Vscan
from tests.verdict_schema import check_run


def lines(path: Path) -> list[dict[str, Any]]:
    """The records of a verdict file."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def summary(output: Path) -> dict[str, Any]:
    """The run summary of an output, held against its schema."""
    read: dict[str, Any] = orjson.loads(output.with_suffix(".run.json").read_bytes())
    assert [] == check_run(read)
    return read


@pytest.fixture
def many(library: Library, tmp_path: Path) -> Path:
    """A folder of many videos, so that a run can be met half-way: of one look, each of its own
    content by a last box of MP4 that says nothing, for equal content is read only once."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        box = b"\0\0\0\x0cfree" + number.to_bytes(4, "big")
        (folder / f"{number:03}.mp4").write_bytes(library.good.read_bytes() + box)
    return folder


@contextmanager
def at_work(*arguments: object, output: Path) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own that stands still at its first line; killed in the end."""
    program = [sys.executable, "-c", "from vscan.cli.app import main; main()"]
    command = [*program, *map(str, arguments), "-o", str(output)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        try:
            until = time.monotonic() + 120
            while not (output.exists() and output.stat().st_size) and time.monotonic() < until:
                time.sleep(0.01)
            child.send_signal(signal.SIGSTOP)
            yield child
        finally:
            child.kill()


def stop(child: subprocess.Popen[str], number: int) -> None:
    """Send a signal to a run that stands still, let it go on, and wait for its end."""
    child.send_signal(number)
    child.send_signal(signal.SIGCONT)
    child.communicate(timeout=120)


# Stopping


def test_a_second_run_on_the_same_output(
    vscan: Vscan, library: Library, many: Path, tmp_path: Path
) -> None:
    """While one run writes, another one is told so and ends; it touches neither verdicts nor
    summary, and imports nothing heavy before it knows."""
    out = tmp_path / "v.jsonl"
    command = ("scan", many, *library.rules)
    with at_work(*command, output=out) as first:
        program = (
            "import sys\nfrom vscan.cli.app import main\n"
            "try:\n    main()\nfinally:\n    print([m for m in ('numpy', 'torch', 'vscan.scanning')"
            " if m in sys.modules])"
        )
        second = subprocess.run(
            [sys.executable, "-c", program, *map(str, command), "-o", str(out)],
            capture_output=True, text=True,
        )  # fmt: skip
        assert None is first.poll()
        assert (2, "[]\n") == (second.returncode, second.stdout)
        assert f"vscan: error: {out}: another run is writing this file" in second.stderr
        assert "running" == summary(out)["reason"]
        stop(first, signal.SIGINT)
    assert (130, "interrupted") == (first.returncode, summary(out)["reason"])
    assert 0 == vscan(*command, "-o", out).code
    assert 40 == len({each["source"]["uri"] for each in lines(out)}) == len(lines(out))


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_the_summary_of_a_stopped_run(
    library: Library, many: Path, tmp_path: Path, number: int, code: int, reason: str
) -> None:
    """It says what stopped the run, and counts the lines that are there."""
    out = tmp_path / "v.jsonl"
    with at_work("scan", many, *library.rules, output=out) as child:
        stop(child, number)
    told = summary(out)
    assert (code, code, False, reason) == (
        child.returncode, told["exit_code"], told["finished"], told["reason"]
    )  # fmt: skip
    assert len(lines(out)) == told["counts"]["sources"] == told["counts"]["outcomes"]["clear"]


STUBBORN = """
import sys, time
import vscan.decode.workers
def close(pool):
    print("closing", flush=True)
    time.sleep(600)
vscan.decode.workers.ReaderPool.close = close
from vscan.cli.app import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(
    vscan: Vscan, library: Library, many: Path, tmp_path: Path, number: int
) -> None:
    """Where the clean end hangs, the next signal does not wait for it; lines are whole, and the
    next run goes on from them."""
    out = tmp_path / "v.jsonl"
    command = ("scan", many, *library.rules, "-o", out)
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN, *map(str, command)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        until = time.monotonic() + 120
        while not (out.exists() and out.stat().st_size) and time.monotonic() < until:
            time.sleep(0.01)
        child.send_signal(number)
        assert "closing\n" == child.stdout.readline()
        child.send_signal(number)
        assert 128 + number == child.wait(timeout=60)
    done = lines(out)
    assert 1 <= len(done) < 40
    assert (False, "running") == (summary(out)["finished"], summary(out)["reason"])
    ran = vscan(*command)
    assert (0, 40) == (ran.code, len(lines(out)))
    assert f"{len(done)} done before" in ran.err


# The summary


def test_the_summary(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """It counts what the run came to and repeats its configuration; a rerun counts what was
    done before."""
    out = tmp_path / "v.jsonl"
    command = ("scan", library.clips, *library.rules, "-o", out, "--fail-on", "violation")
    vscan(*command)
    told = summary(out)
    assert (True, None, 3) == (told["finished"], told["reason"], told["exit_code"])
    assert {"clear": 1, "review": 0, "violation": 1, "error": 1} == told["counts"]["outcomes"]
    (failed,) = (each["error"]["code"] for each in lines(out) if "error" in each)
    assert {failed: 1} == told["counts"]["errors"]
    samples = [each["samples"] for each in lines(out) if each["samples"]]
    assert sum(each["planned"] for each in samples) == told["samples"]["planned"]
    assert (11.0, 1.0) == (round(told["samples"]["video_s"], 1), told["samples"]["coverage"])
    configuration = told["configuration"]
    assert lines(out)[0]["provenance"] == configuration["provenance"]
    assert ("vscan scan", 1, None) == tuple(
        configuration[key] for key in ("command", "workers", "shard")
    )
    assert [str(library.clips)] == configuration["settings"]["inputs"]
    assert "violation" == configuration["settings"]["fail_on"]
    vscan(*command)
    again = summary(out)
    assert {"clear": 1, "review": 0, "violation": 1, "error": 1} == again["counts"]["done_before"]
    assert (0, None, 3) == (
        sum(again["counts"]["outcomes"].values()), again["samples"]["coverage"], again["exit_code"]
    )  # fmt: skip


def test_where_the_summary_goes(
    vscan: Vscan, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For stdout there is none unless --summary names a place; that place serves -o as well."""
    monkeypatch.chdir(tmp_path)
    assert 1 == len(vscan("scan", library.good, *library.rules).records)
    assert [] == list(tmp_path.iterdir())
    vscan("scan", library.good, *library.rules, "--summary", "s.json")
    assert None is orjson.loads(Path("s.json").read_bytes())["output"]
    vscan("scan", library.good, *library.rules, "--summary", "s.json", "-o", "v.jsonl")
    assert "v.jsonl" == orjson.loads(Path("s.json").read_bytes())["output"]
    assert {"s.json", "v.jsonl"} == {entry.name for entry in tmp_path.iterdir()}


def test_a_run_that_never_began_leaves_no_summary(
    vscan: Vscan, library: Library, tmp_path: Path
) -> None:
    """A pack that does not hold: the summary of the run before stays, as its verdicts do."""
    out = tmp_path / "v.jsonl"
    vscan("scan", library.good, *library.rules, "-o", out)
    before = summary(out)
    assert 2 == vscan("scan", library.good, "--policy", "none.toml", "-o", out).code
    assert before == summary(out)


def test_a_run_without_inputs(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """A folder without videos: no verdict file, and a summary that says what failed."""
    empty, out = tmp_path / "empty", tmp_path / "v.jsonl"
    empty.mkdir()
    assert 2 == vscan("scan", empty, *library.rules, "-o", out).code
    told = summary(out)
    assert (False, "failed", 2) == (told["finished"], told["reason"], told["exit_code"])
    assert f"no videos in {empty}" == told["message"]
    assert not out.exists()


# Shards


def test_shards_are_the_whole(vscan: Vscan, library: Library, many: Path, tmp_path: Path) -> None:
    """Shards of a folder, or of a list with names that meet, hold each source once; merged they
    are, byte for byte, one run's sorted lines; the shard stands in the summary."""
    listed = tmp_path / "list.jsonl"
    names = [*(f"{many}/{number:03}.mp4" for number in range(8)), f"{many}/./003.mp4"]
    (tmp_path / "again").symlink_to(many)
    names += [f"{tmp_path}/again/005.mp4", str(library.clips / "broken.mp4"), "gone.mp4"]
    listed.write_bytes(b"\n".join(orjson.dumps({"uri": name, "views": 1}) for name in names))
    command = ("scan", "--from-file", listed, *library.rules)
    vscan(*command, "-o", tmp_path / "whole.jsonl")
    shards = [tmp_path / f"shard-{number}.jsonl" for number in range(1, 13)]
    for number, path in enumerate(shards, start=1):
        ran = vscan(*command, "--shard", f"{number}/12", "-o", path)
        told = summary(path)
        assert f"{number}/12" == told["configuration"]["shard"]
        assert len(lines(path)) == told["counts"]["sources"]
        assert 10 == told["counts"]["sources"] + told["counts"]["other_shards"]
        assert ran.code == told["exit_code"] == (3 if told["counts"]["errors"] else 0)
    assert any(path.stat().st_size == 0 for path in shards)
    merged = tmp_path / "merged.jsonl"
    assert 0 == vscan("verdicts", "merge", *shards, "-o", merged, "--strict").code
    whole = (tmp_path / "whole.jsonl").read_bytes().splitlines()
    whole.sort(key=lambda line: orjson.loads(line)["source"]["uri"])
    assert whole == merged.read_bytes().splitlines()


@pytest.mark.parametrize("shard", ["0/3", "4/3", "third"])
def test_no_such_shard(vscan: Vscan, library: Library, tmp_path: Path, shard: str) -> None:
    """A shard that cannot be is refused before anything is opened."""
    ran = vscan("scan", library.good, *library.rules, "--shard", shard, "-o", tmp_path / "v.jsonl")
    assert (2, []) == (ran.code, list(tmp_path.iterdir()))
    assert "shard" in ran.err


# Names that meet, and content that changes


def test_one_path_is_one_line(
    vscan: Vscan, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name, as `./name`, through a linked folder and in a list twice: one line, also where
    the rerun spells it differently; the same content under two names has two."""
    monkeypatch.chdir(tmp_path)
    Path("v").mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(library.good, f"v/{name}")
    Path("w").symlink_to("v")
    Path("list").write_text("v/a.mp4\n./v/a.mp4\nw/a.mp4\nv//a.mp4\n", "utf-8")
    command = (*library.rules, "-o", "out.jsonl")
    vscan("scan", "./v/a.mp4", "v", "w", "--from-file", "list", *command)
    assert ["v/a.mp4", "v/b.mp4"] == sorted(
        each["source"]["uri"] for each in lines(Path("out.jsonl"))
    )
    ran = vscan("scan", "v/./b.mp4", "./v/", "--from-file", "list", *command)
    assert "2 videos: 2 done before" in ran.err
    assert 2 == len(lines(Path("out.jsonl")))


def test_changed_content_is_judged_anew(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """Another video under the same name: its line takes the place of the older one."""
    out, video = tmp_path / "v.jsonl", tmp_path / "a.mp4"
    shutil.copy(library.good, video)
    vscan("scan", video, *library.rules, "-o", out)
    shutil.copy(library.clips / "deep" / "copy.mp4", video)
    ran = vscan("scan", video, *library.rules, "-o", out)
    assert "1 video: 1 violation" in ran.err
    assert ["violation"] == [each["outcome"] for each in lines(out)]


def test_back_to_the_first_pack(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """A run under another pack that was killed half-way, then one under the first pack again: every
    line is the first pack's in the end."""
    out, pack = tmp_path / "v.jsonl", tmp_path / "milder.toml"
    text = (library.folder / "known.toml").read_text("utf-8")
    pack.write_text(text.replace('"remove"', '"review"'), "utf-8")
    first = ("scan", library.clips, *library.rules, "-o", out)
    vscan(*first)
    whole = out.read_bytes()
    index = ("--index", library.folder / "index")
    vscan("scan", library.clips / "deep", "--policy", pack, *index, "-o", tmp_path / "other.jsonl")
    out.write_bytes(whole + (tmp_path / "other.jsonl").read_bytes())
    assert "2 done before" in vscan(*first).err
    assert sorted(whole.splitlines()) == sorted(out.read_bytes().splitlines())


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_signals_are_given_back(vscan: Vscan, library: Library) -> None:
    """After a run in this process Ctrl-C means what it meant before."""
    before = signal.getsignal(signal.SIGINT)
    vscan("scan", library.good, *library.rules)
    assert before is signal.getsignal(signal.SIGINT)
