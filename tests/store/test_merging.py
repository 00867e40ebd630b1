"""Verdict files put together: a line for each source, sorted, from any number of files."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from tests.store.test_records import OTHER, error_verdict, uris, verdict

from vscan.errors import OutputError, UsageError
from vscan.store import verdict_files
from vscan.store.merging import merge
from vscan.store.records import RecordFile
from vscan.verdicts import Verdict


def write(path: Path, *verdicts: Verdict, tail: bytes = b"") -> Path:
    """A verdict file."""
    path.write_bytes(b"".join(each.to_line() for each in verdicts) + tail)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the lines go."""
    return tmp_path / "out.jsonl"


def test_shards_are_the_whole(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of many shards in any order: all of them, once, sorted, byte for byte; even where
    only two of the files may be open at a time."""
    monkeypatch.setattr(verdict_files, "MOST_OPEN", 2)
    whole = [verdict(f"{number:03}") for number in range(200)]
    shuffled = whole.copy()
    random.Random(1).shuffle(shuffled)
    files = [write(tmp_path / f"{k}.jsonl", *shuffled[k::7]) for k in range(7)]
    merged = merge(files, out)
    assert b"".join(each.to_line() for each in whole) == out.read_bytes()
    assert (200, 0, 0, 1) == (
        merged.lines, merged.repeated, merged.conflicts, merged.configurations
    )  # fmt: skip


def test_the_same_line_once(tmp_path: Path, out: Path) -> None:
    """What two files say alike stands once, and is no conflict, not even for --strict."""
    one = write(tmp_path / "1", verdict("a"), verdict("b"))
    two = write(tmp_path / "2", verdict("b"), verdict("c"))
    merged = merge([one, two], out, strict=True)
    assert (["a", "b", "c"], 1, 0) == (uris(out), merged.repeated, merged.conflicts)


@pytest.mark.parametrize(
    "newer",
    [
        verdict("a", provenance=OTHER),
        verdict("a", "bb"),
        dataclasses.replace(verdict("a"), warnings=("packets_skipped",)),
        error_verdict("a", "aa", "decode_failed"),
    ],
    ids=["configuration", "content", "line", "error"],
)
def test_the_later_file_wins(tmp_path: Path, out: Path, newer: Verdict) -> None:
    """Of two different lines the later file's is taken, and told; --strict refuses, and writes
    nothing."""
    one, two = write(tmp_path / "1", verdict("a")), write(tmp_path / "2", newer)
    for files, last in (([one, two], newer), ([two, one], verdict("a"))):
        merged = merge(files, out, force=True)
        assert last.to_line() == out.read_bytes()
        assert (1, ("a",)) == (merged.conflicts, merged.conflicting)
    out.unlink()
    with pytest.raises(UsageError, match=r"files differ about a\n"):
        merge([one, two], out, strict=True)
    assert not out.exists()


@pytest.mark.parametrize("passing", [("aa", "deadline"), (None, "not_found")])
def test_an_answer_beats_none(tmp_path: Path, out: Path, passing: tuple[str | None, str]) -> None:
    """A source that one job could not have at the time is taken from the job that had it."""
    one = write(tmp_path / "1", verdict("a"))
    two = write(tmp_path / "2", error_verdict("a", *passing))
    for files in ([one, two], [two, one]):
        assert 0 == merge(files, out, force=True, strict=True).conflicts
        assert verdict("a").to_line() == out.read_bytes()


def test_old_and_torn_lines_are_left_out(tmp_path: Path, out: Path) -> None:
    """A file of a run that was killed counts as its next run would see it."""
    torn = verdict("c").to_line()[:90]
    one = write(tmp_path / "1", verdict("a"), verdict("b"), verdict("a", provenance=OTHER),
                tail=torn)  # fmt: skip
    two = write(tmp_path / "2", verdict("a", provenance=OTHER), tail=b"\n\n")
    merged = merge([one, two], out, strict=True)
    assert verdict("a", provenance=OTHER).to_line() + verdict("b").to_line() == out.read_bytes()
    assert ((one,), 2) == (merged.torn, merged.configurations)


def test_a_last_line_without_its_end(tmp_path: Path, out: Path) -> None:
    """A record whose newline an editor took is whole, and gets one."""
    one = tmp_path / "1"
    one.write_bytes(verdict("b").to_line().rstrip(b"\n"))
    merged = merge([one, write(tmp_path / "2", verdict("a"))], out)
    assert verdict("a").to_line() + verdict("b").to_line() == out.read_bytes()
    assert () == merged.torn


def test_what_is_there_is_not_lost(tmp_path: Path, out: Path) -> None:
    """An output that exists stays unless --force says otherwise; one that is also an input always,
    under whatever name."""
    one = write(tmp_path / "1", verdict("a"))
    write(out, verdict("z"))
    with pytest.raises(UsageError, match="exists already"):
        merge([one], out)
    assert ["z"] == uris(out)
    (tmp_path / "link").symlink_to(one)
    for same in (one, tmp_path / "link"):
        with pytest.raises(UsageError, match="one of the files to merge"):
            merge([one], same, force=True)
    assert ["a"] == uris(one)
    merge([one], out, force=True)
    assert ["a"] == uris(out)
    assert {"1", "link", "out.jsonl"} == {entry.name for entry in tmp_path.iterdir()}


def test_an_output_that_a_run_is_writing(tmp_path: Path, out: Path) -> None:
    """Not even --force takes a file away from a scan."""
    one = write(tmp_path / "1", verdict("a"))
    with RecordFile(out) as records:
        records.write(verdict("b"))
        with pytest.raises(OutputError, match="another run is writing"):
            merge([one], out, force=True)
        records.write(verdict("c"))
    assert ["b", "c"] == uris(out)


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "No such file"), (b"text\n", "line 1 is not a vscan verdict")],
)
def test_files_that_are_none(tmp_path: Path, out: Path, content: bytes | None, told: str) -> None:
    """A file that is absent or something else is named, and nothing is written."""
    if content is not None:
        (tmp_path / "2").write_bytes(content)
    with pytest.raises(OutputError, match=f"2.*{told}"):
        merge([write(tmp_path / "1", verdict("a")), tmp_path / "2"], out)
    assert not out.exists()


def test_a_file_that_changes_meanwhile(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that a scan rewrites between the two readings is noticed; nothing wrong is written."""
    one = write(tmp_path / "1", verdict("a"), verdict("b"))
    latest = verdict_files.VerdictFiles.latest

    def and_rewritten(files: verdict_files.VerdictFiles, number: int) -> object:
        found = latest(files, number)
        write(one, verdict("b"), verdict("a"))
        return found

    monkeypatch.setattr(verdict_files.VerdictFiles, "latest", and_rewritten)
    with pytest.raises(OutputError, match="changed while it was read"):
        merge([one], out)
    assert ["1"] == [entry.name for entry in tmp_path.iterdir()]


def test_nothing_of_nothing(tmp_path: Path, out: Path) -> None:
    """Shards that held no source give an empty file, not an error."""
    assert 0 == merge([write(tmp_path / "1"), write(tmp_path / "2")], out).lines
    assert b"" == out.read_bytes()


def test_it_can_be_resumed(tmp_path: Path, out: Path) -> None:
    """The output is a verdict file like any other: its answers are done."""
    merge([write(tmp_path / "1", verdict("a"))], out)
    with RecordFile(out) as records:
        assert records.is_done(verdict("a").id)
