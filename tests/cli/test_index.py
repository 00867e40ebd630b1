"""`vscan index` as a person uses it, on real videos: what it says, where, and its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from tests.media_factory import scene_frames, write_video
from typer.testing import CliRunner, Result

from vscan.cli.app import app
from vscan.errors import ExemplarIndexError, UsageError
from vscan.exemplars.index import ExemplarIndex

FPS = 12


def run(*arguments: str) -> Result:
    """What a command prints and how it ends; errors that `main` would print are in `exception`."""
    return CliRunner().invoke(app, ["index", *arguments])


def objects(result: Result) -> list[dict[str, Any]]:
    """Objects of `--json`."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(name="clips", scope="module")
def make_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """known.mp4 (6 s), again.mp4 (3 s of others, then its mirror image compressed hard),
    other.mp4, a file that is no video, and a text."""
    folder = tmp_path_factory.mktemp("clips")
    known = list(scene_frames(seed=1, count=6 * FPS, motion=6))
    before = list(scene_frames(seed=2, count=3 * FPS, motion=6))
    write_video(folder / "known.mp4", known, fps=FPS)
    mirrored = [np.ascontiguousarray(frame[:, ::-1]) for frame in known]
    write_video(folder / "again.mp4", [*before, *mirrored], fps=FPS, options={"crf": "34"})
    write_video(folder / "other.mp4", scene_frames(seed=3, count=3 * FPS, motion=6), fps=FPS)
    (folder / "broken.mp4").write_bytes(b"no video at all")
    (folder / "read.me").write_text("nothing to see")
    return folder


@pytest.fixture(name="index")
def make_index(tmp_path: Path) -> str:
    """An empty index of PDQ alone."""
    assert 0 == run("create", str(tmp_path / "known"), "--signals", "pdq").exit_code
    return str(tmp_path / "known")


def test_create_says_what_it_made(tmp_path: Path) -> None:
    """The index is named as asked, and the next step is told on stderr."""
    folder = tmp_path / "deep" / "folder"
    made = run("create", str(folder), "--name", "hashes", "--no-embedding")
    assert (0, "") == (made.exit_code, made.stdout)
    assert "vscan index add" in made.stderr
    index = ExemplarIndex.open(folder)
    assert ("hashes", ("pdq", "keypoints"), None) == (
        index.name, index.signals, index.manifest.model
    )  # fmt: skip
    assert "it will hold PDQ and keypoints" in made.stderr


def test_create_without_a_name_takes_the_folders(index: str) -> None:
    """The folder's name is the index's."""
    assert "known" == ExemplarIndex.open(Path(index)).name


@pytest.mark.parametrize(
    "options",
    [
        ("--no-embedding", "--model", "builtin"),
        ("--signals", "pdq", "--match-similarity", "0.9"),
        ("--signals", "pdq", "--no-keypoints"),
        ("--signals", "pdq,smell"),
        ("--signals", ","),
        ("--match-similarity", "1.5"),
    ],
    ids=str,
)
def test_create_refuses_what_makes_no_sense(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Options that contradict each other or are out of range are usage errors; nothing is made."""
    refused = run("create", str(tmp_path / "known"), *options)
    assert isinstance(refused.exception, UsageError)
    assert not (tmp_path / "known").exists()


@pytest.mark.parametrize(
    ("options", "held"),
    [
        (("--model", "builtin"), ("embedding", "pdq", "keypoints")),
        (("--model", "builtin", "--no-keypoints"), ("embedding", "pdq")),
        (("--no-embedding",), ("pdq", "keypoints")),
        (("--no-embedding", "--no-keypoints"), ("pdq",)),
        (("--signals", " keypoints, pdq"), ("pdq", "keypoints")),
    ],
    ids=str,
)
def test_create_holds_what_is_asked(
    tmp_path: Path, options: tuple[str, ...], held: tuple[str, ...]
) -> None:
    """All signals by default; what is left out or named outright decides."""
    assert 0 == run("create", str(tmp_path / "known"), *options).exit_code
    assert held == ExemplarIndex.open(tmp_path / "known").signals


def test_create_never_overwrites(index: str) -> None:
    """An index that is there is left as it is."""
    refused = run("create", index, "--no-embedding")
    assert isinstance(refused.exception, ExemplarIndexError)
    assert "there already" in refused.exception.message


def test_add_list_show_search(clips: Path, index: str) -> None:
    """The whole way: a clip is added, listed, shown, and found mirrored with both times."""
    added = run(
        "add", index, str(clips / "known.mp4"), "--under", "hoax.known", "--note", "case 17",
        "--by", "ann", "--json",
    )  # fmt: skip
    assert 0 == added.exit_code
    (told,) = objects(added)
    assert ("added", "hoax.known") == (told["status"], told["policy"])

    (listed,) = objects(run("list", index, "--json"))
    assert told["id"] == listed["id"]
    assert str(clips / "known.mp4") == listed["source"]
    assert ("violating", "case 17", "ann") == (
        listed["opinion"], listed["note"], listed["added_by"],
    )  # fmt: skip
    assert (320, 240) == (listed["width"], listed["height"])
    assert listed["duration_s"] == pytest.approx(6.0, abs=0.1)
    assert {"pdq"} == set(listed["tracks"])
    assert (None, 0, 0) == (listed["precision"], listed["confirmed"], listed["deconfirmed"])

    assert listed == objects(run("show", index, listed["id"], "--json"))[0]
    table = run("show", index, listed["id"]).stdout
    assert "case 17" in table

    searched = run("search", index, str(clips / "again.mp4"), str(clips / "other.mp4"), "--json")
    assert 0 == searched.exit_code
    assert "1 matched, 1 without a match" in searched.stderr
    assert re.search(r"vscan: pdq: 1 match for \d+\.\d s of CPU\n", searched.stderr)
    (match,) = objects(searched)
    assert str(clips / "again.mp4") == match["source"]
    assert ("pdq", "mirrored", told["id"]) == (
        match["signal"], match["transform"], match["exemplar"],
    )  # fmt: skip
    assert match["source_span_s"] == pytest.approx([3.0, 9.0], abs=1.0)
    assert match["exemplar_span_s"] == pytest.approx([0.0, 6.0], abs=1.0)
    offset_s = match["source_span_s"][0] - match["exemplar_span_s"][0]
    assert offset_s == pytest.approx(3.0, abs=0.25)
    assert 0.5 <= match["score"] <= 1.0
    assert "mirrored" in run("search", index, str(clips / "again.mp4")).stdout


def test_search_by_keypoints(clips: Path, tmp_path: Path) -> None:
    """A crop is found by keypoints, with how many inliers; --signals leaves out what is not asked.

    What each signal found stands on stderr.
    """
    index, crop = str(tmp_path / "known"), tmp_path / "crop.mp4"
    known = scene_frames(seed=1, count=6 * FPS, motion=6)
    write_video(crop, [np.ascontiguousarray(f[24:216, 40:296]) for f in known], fps=FPS)
    run("create", index, "--no-embedding")
    assert 0 == run("add", index, str(clips / "known.mp4"), "--under", "hoax").exit_code
    found = run("search", index, str(crop), "--signals", "keypoints", "--json")
    assert {"keypoints"} == {match["signal"] for match in objects(found)}
    for match in objects(found):
        assert match["inliers"] > 0
        assert not {"distance", "similarity"} & set(match)
    assert "vscan: keypoints: " in found.stderr
    assert "pdq" not in found.stderr
    assert " inliers" in run("search", index, str(crop)).stdout
    refused = run("search", index, str(crop), "--signals", "embedding")
    assert isinstance(refused.exception, ExemplarIndexError)
    assert "created without embedding" in refused.exception.message


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2999-12-31", "2999-12-31T00:00:00Z"),
        ("2999-12-31T18:00", "2999-12-31T18:00:00Z"),
        ("2999-12-31T18:00:30.5+02:00", "2999-12-31T16:00:30Z"),
        ("2999-12-31T18:00Z", "2999-12-31T18:00:00Z"),
        ("never", None),
    ],
)
def test_add_with_expiry_and_severity(clips: Path, index: str, text: str, kept: str | None) -> None:
    """A date is its first second in UTC; a zone is reckoned with."""
    options = ("--under", "hoax", "--expires", text, "--severity", "critical")
    assert 0 == run("add", index, str(clips / "known.mp4"), *options).exit_code
    (listed,) = objects(run("list", index, "--json"))
    assert (kept, "critical") == (listed["expires_at"], listed["severity"])


@pytest.mark.parametrize("text", ["2001-01-01", "tomorrow", "31.12.2030", ""])
def test_add_refuses_an_expiry_that_cannot_be(clips: Path, index: str, text: str) -> None:
    """What is no date, or lies in the past, is an error; nothing is added."""
    refused = run("add", index, str(clips / "known.mp4"), "--under", "hoax", "--expires", text)
    assert isinstance(refused.exception, UsageError)
    assert "--expires" in refused.exception.message
    assert () == ExemplarIndex.open(Path(index)).exemplars


def test_add_reports_every_input(clips: Path, index: str) -> None:
    """A bad file costs its neighbours nothing; what is there already is said, not added twice."""
    first = run("add", index, str(clips), "--under", "hoax", "--opinion", "benign")
    assert 3 == first.exit_code
    assert "4 videos: 3 added, 1 error; 1 other files skipped" in first.stderr
    assert "broken.mp4: unsupported_format" in first.stderr
    assert ["added"] * 3 == [line.split()[0] for line in first.stdout.splitlines()]
    again = run("add", index, str(clips / "known.mp4"), "--under", "other")
    assert 0 == again.exit_code
    assert "present" == again.stdout.split()[0]
    assert "(under hoax)" in again.stdout
    listed = objects(run("list", index, "--json"))
    assert [("hoax", "benign")] * 3 == [(each["policy"], each["opinion"]) for each in listed]


def test_list_is_a_table(clips: Path, index: str) -> None:
    """Without --json the list is a table with a line for each, and a count on stderr."""
    run("add", index, str(clips / "other.mp4"), "--under", "hoax")
    listed = run("list", index)
    assert ["id", "policy", "opinion", "state"] == listed.stdout.split()[:4]
    assert "other.mp4" in listed.stdout
    assert "1 exemplar in 'known', which holds PDQ\n" in listed.stderr


def test_an_empty_folder_is_an_error(tmp_path: Path, index: str) -> None:
    """A folder without videos is a usage error that says so."""
    (tmp_path / "empty").mkdir()
    refused = run("add", index, str(tmp_path / "empty"), "--under", "hoax")
    assert isinstance(refused.exception, UsageError)
    assert "no videos in" in refused.exception.message


@pytest.mark.parametrize("policy", ["", "Weapons", "a b", "weapons."])
def test_a_policy_that_no_pack_can_have_is_refused(clips: Path, index: str, policy: str) -> None:
    """A mistyped policy would never be matched with a pack's: it is refused with an example."""
    refused = run("add", index, str(clips / "known.mp4"), "--under", policy)
    assert isinstance(refused.exception, UsageError)
    assert "weapons.firearms" in refused.exception.remedy


@pytest.mark.parametrize("command", [("list",), ("show", "ex_1"), ("search", "x.mp4")], ids=str)
def test_where_there_is_no_index(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Every command says how to make an index where none is."""
    name, *rest = command
    refused = run(name, str(tmp_path), *rest)
    assert isinstance(refused.exception, ExemplarIndexError)
    assert "vscan index create" in refused.exception.remedy


def test_show_of_an_unknown_id(index: str) -> None:
    """An id that is not there is an error with the command that lists those that are."""
    refused = run("show", index, "ex_nothing")
    assert isinstance(refused.exception, ExemplarIndexError)
    assert "vscan index list" in refused.exception.remedy


def test_an_index_behind_a_uri_is_read_like_a_folder(index: str, clips: Path) -> None:
    """`list`, `show`, `stats`, `verify` and `search` say the same of a URI as of the folder."""
    run("add", index, str(clips / "known.mp4"), "--under", "a.b")
    system = fsspec.filesystem("memory")
    for file in Path(index).rglob("*"):
        if file.is_file():
            system.pipe(f"/cli/known/{file.relative_to(index)}", file.read_bytes())
    (listed,) = objects(run("list", index, "--json"))
    for words in (
        ("list", "--json"),
        ("show", listed["id"], "--json"),
        ("stats", "--json"),
        ("verify", "--json"),
        ("search", str(clips / "again.mp4"), "--json"),
    ):
        local, remote = (
            run(words[0], place, *words[1:]) for place in (index, "memory://cli/known")
        )
        assert (local.exit_code, local.stdout) == (remote.exit_code, remote.stdout), words
        assert 0 == remote.exit_code
    missing = run("list", "memory://cli/unknown")
    assert isinstance(missing.exception, ExemplarIndexError)
