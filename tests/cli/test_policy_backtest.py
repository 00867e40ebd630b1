"""`vscan policy backtest` as a person uses it: what it prints, writes, and how it ends."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import orjson
import pytest
from tests.conftest import Vscan
from tests.metrics.stored import Archive, pack

from vscan.cli import policy_backtest
from vscan.cli.policy_backtest import backtest
from vscan.demo.scenes import Scene, play
from vscan.demo.story import write_video
from vscan.metrics.backtest.judging_twice import TwoPacks
from vscan.metrics.backtest.volumes import MINUTES_PER_REVIEW
from vscan.reports import backtest_page
from vscan.scanning import scan
from vscan.settings import ScanSettings


@pytest.fixture
def asked(tmp_path: Path) -> tuple[str, ...]:
    """Old pack, new pack and store: 25 videos of cigarettes flip, one of beer does not."""
    archive = Archive.at(tmp_path / "store")
    for number in range(25):
        archive.add(f"clip{number:02}.mp4", "a cigarette", [0.65, 0.66])
    archive.add("beer.mp4", "a beer", [0.9])
    archive.add_error("gone.mp4")
    beer = ("beer", "a beer", "review = 0.6")
    old = pack(tmp_path / "old.toml", ("tobacco", "a cigarette", "review = 0.7"), beer)
    new = pack(tmp_path / "new.toml", ("tobacco", "a cigarette", "review = 0.6"), beer)
    return old, new, "--store", str(tmp_path / "store")


def test_tables(vscan: Vscan, asked: tuple[str, ...]) -> None:
    """What changes stands on stdout: counts, hours with their assumption, flips with causes."""
    ran = vscan("policy", "backtest", *asked)
    assert (0, "") == (ran.code, ran.err)
    text = ran.out.decode()
    assert "27 videos in the store, 26 judged under both packs" in text
    assert "1 decode_failed" in text
    assert "flips: 25 videos (25 by outcome" in text
    assert "every flagged video takes 2 minutes, which is assumed" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["tobacco", "review", "0", "25", "25", "0"] in rows
    assert 20 == text.count("was below review 0.70")
    assert "(5 more: --sample draws some of all, -o writes all)" in text


def test_json_and_files(vscan: Vscan, asked: tuple[str, ...], tmp_path: Path) -> None:
    """One JSON object on stdout; every flip in a file of lines; the page beside it."""
    flips, page = tmp_path / "flips.jsonl", tmp_path / "page.html"
    ran = vscan("policy", "backtest", *asked, "--json", "-o", flips, "--html", page)
    (report,) = ran.records
    assert ("vscan.backtest/1", 25) == (report["schema"], report["flips"]["total"])
    lines = [orjson.loads(line) for line in flips.read_bytes().splitlines()]
    assert lines == report["listed_flips"]
    assert {"vscan.flip/1"} == {line["schema"] for line in lines}
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert [] == list(tmp_path.glob(".*"))


def test_outputs_that_are_there_already(
    vscan: Vscan, asked: tuple[str, ...], tmp_path: Path
) -> None:
    """Refused before anything is judged, both of them, unless with --force."""
    flips, page = tmp_path / "flips.jsonl", tmp_path / "page.html"
    for name in (flips, page):
        name.write_text("mine", "utf-8")
        ran = vscan("policy", "backtest", *asked, "-o" if name is flips else "--html", name)
        assert (2, b"") == (ran.code, ran.out)
        assert "exists already" in ran.err and "mine" == name.read_text("utf-8")
    ran = vscan("policy", "backtest", *asked, "--force", "-o", flips, "--html", page)
    assert 0 == ran.code
    assert 25 == len(flips.read_bytes().splitlines())
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    old = Path(asked[0])
    told = old.read_bytes()
    ran = vscan("policy", "backtest", *asked, "--force", "-o", old)
    assert 2 == ran.code and "files to read" in ran.err and told == old.read_bytes()


def test_a_file_that_fails_at_the_end(
    vscan: Vscan, asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is printed and the other file written all the same; the exit code tells."""
    flips, page = tmp_path / "flips.jsonl", tmp_path / "page.html"

    def drawn(_report: object) -> str:
        page.mkdir()  # as somebody else may, after it was looked at
        return "<!DOCTYPE html>"

    monkeypatch.setattr(backtest_page, "backtest_page", drawn)
    ran = vscan("policy", "backtest", *asked, "-o", flips, "--html", page)
    assert 2 == ran.code
    assert "page.html" in ran.err and "Traceback" not in ran.err
    assert b"flips: 25 videos" in ran.out
    assert 25 == len(flips.read_bytes().splitlines())


def test_files_are_written_where_nobody_reads_on(
    vscan: Vscan, asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`| head` that has seen enough costs neither file."""

    def gone(_report: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(policy_backtest, "_print", gone)
    flips, page = tmp_path / "flips.jsonl", tmp_path / "page.html"
    kept = os.dup(1)  # the program puts nothing in the place of a stdout that nobody reads
    try:
        vscan("policy", "backtest", *asked, "-o", flips, "--html", page)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert 25 == len(flips.read_bytes().splitlines())
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_sample_is_the_same_for_the_same_seed(vscan: Vscan, asked: tuple[str, ...]) -> None:
    """--sample draws that many; another seed draws others."""

    def sampled(seed: int) -> list[str]:
        (report,) = vscan(
            "policy", "backtest", *asked, "--json", "--sample", "4", "--seed", str(seed)
        ).records
        return [flip["uri"] for flip in report["sample"]["flips"]]

    assert sampled(1) == sampled(1)
    assert 4 == len(set(sampled(1)))
    assert sampled(1) != sampled(2)


def test_labels(vscan: Vscan, asked: tuple[str, ...], tmp_path: Path) -> None:
    """With labels: errors under both packs, rates with intervals, and what matched nothing."""
    labels = tmp_path / "labels.csv"
    rows = "".join(
        f"clip{n:02}.mp4,tobacco,{'violating' if n < 15 else 'benign'}\n" for n in range(30)
    )
    labels.write_text(f"uri,policy,label\n{rows}", "utf-8")
    ran = vscan("policy", "backtest", *asked, "--labels", labels)
    text = ran.out.decode()
    assert "labels: 25 of 30 used; 5 that match no video in the store" in text
    assert "(any): videos with any label, each once" in text
    assert "0.60 (0.41 to 0.77) of 25" in text
    assert "too few (0)" in text and "no rate without 10 labels" in text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("absent.toml",), "absent.toml"),
        (("--store", "nowhere"), "no frame store"),
        (("--labels", "nowhere.csv"), "nowhere.csv"),
        (("-o", "no/such/folder/flips.jsonl"), "cannot be written"),
        (("--html", "no/such/folder/page.html"), "cannot be written"),
        (("-o", "."), "not a regular file"),
        (("--html", "."), "not a regular file"),
        (("-o", "one.html", "--html", "./one.html"), "by -o and by --html"),
        (("--minutes-per-review", "nan"), "minutes-per-review"),
        (("--sample", "-1"), "sample"),
    ],
)
def test_what_cannot_be_used(
    vscan: Vscan,
    asked: tuple[str, ...],
    wrong: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A message and exit code 2 before anything is judged, nothing on stdout, no traceback."""

    def judged(_self: object) -> None:
        pytest.fail("it was judged first")

    monkeypatch.setattr(TwoPacks, "pairs", judged)
    old, new, *rest = asked
    first, *options = wrong if not wrong[0].startswith("-") else (new, *wrong)
    ran = vscan("policy", "backtest", old, first, *rest, *options)
    assert (2, b"") == (ran.code, ran.out)
    assert message in ran.err and "Traceback" not in ran.err


def test_the_default_is_the_documented_assumption() -> None:
    """The option's default is the library's."""
    parameters = inspect.signature(backtest).parameters
    assert MINUTES_PER_REVIEW == parameters["minutes_per_review"].default


def test_from_videos_to_flips(vscan: Vscan, tmp_path: Path) -> None:
    """Two real videos, scanned with a store by the built-in model: a threshold that falls below
    what was seen flags the one that shows it, at the time at which it is shown."""
    scenes = {
        "knife.mp4": (
            Scene(2, ("red apple",), seed=41),
            Scene(3, ("kitchen knife",), seed=42, size=0.7),
        ),
        "fruit.mp4": (Scene(4, ("banana",), seed=43),),
    }
    for name, played in scenes.items():
        write_video(tmp_path / "clips" / name, play(played))
    store = str(tmp_path / "frames")
    settings = ScanSettings(model="builtin", policy="demo", store=store, workers=1)
    assert 2 == len(list(scan([tmp_path / "clips"], settings=settings)))
    vscan("policy", "new", tmp_path / "next.toml", "--from", "demo")
    strict = (tmp_path / "next.toml").read_text("utf-8").replace("review = 0.689", "review = 0.999")
    (tmp_path / "strict.toml").write_text(strict.replace("remove = 0.833", ""), "utf-8")
    ran = vscan("policy", "backtest", tmp_path / "strict.toml", "demo", "--store", store, "--json")
    (report,) = ran.records
    (flip,) = report["listed_flips"]
    assert flip["uri"].endswith("knife.mp4")
    (change,) = flip["policies"]
    assert ("weapons", "gained", "knife") == (
        change["policy"], change["change"], change["new"]["prompt"],
    )  # fmt: skip
    assert change["new"]["segments"][0]["start_s"] == pytest.approx(2.0, abs=1.01)
