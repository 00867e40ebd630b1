"""Verdict parts: stored once and whole, resumed, shared out, amended, started over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from tests.store.parts_made import (
    NOON,
    amended,
    kill,
    manifest,
    merged,
    names,
    parts,
    stored,
    write,
)
from tests.store.test_records import OTHER, error_verdict, verdict
from tests.verdict_schema import check_parts

from vscan.errors import OutputError
from vscan.folders import write_under
from vscan.shards import Shard
from vscan.storage import read_under
from vscan.store import verdict_parts
from vscan.store.verdict_parts import RecordParts

Root = Path | str


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A file for what is merged."""
    return tmp_path / "out.jsonl"


# Writing and resuming


def test_a_part_and_a_manifest_that_says_what_it_is(root: Root) -> None:
    """Lines are one file, whose name holds order and digest; the manifest has its schema."""
    write(root, "a", "b", now=lambda: NOON)
    (part,) = parts(root)
    data = read_under(root, part, limit=None)
    assert verdict("a").to_line() + verdict("b").to_line() == data
    told = manifest(root)
    assert [] == check_parts(told)
    (run,) = told["runs"]
    (entry,) = run["parts"]
    assert run["run"].startswith("20261125T120000000Z-")
    assert f"parts/whole/{run['run']}-000001-{entry['sha256'][:16]}.jsonl" == part
    assert (len(data), 2, True) == (entry["bytes"], entry["lines"], told["finished"])
    assert ["p@1#sha256:0"] == [each["pack"] for each in run["provenance"]]
    assert {part, "manifests/whole.json"} == set(names(root))


def test_when_a_part_is_stored(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its last line, with its last byte, or with the first line after the interval."""
    clock = iter(range(0, 1000, 20))
    sink = RecordParts(memory, interval_s=50, clock_s=lambda: next(clock))
    lengths = []
    for uri in "abcd":
        sink.write(verdict(uri))
        lengths.append(len(stored(memory)))
    assert [0, 0, 3, 3] == lengths
    sink.close()
    assert not manifest(memory)["finished"]
    for limit, most in (("MOST_LINES", 2), ("MOST_BYTES", 2 * len(verdict("a").to_line()))):
        with monkeypatch.context() as patch:
            patch.setattr(verdict_parts, limit, most)
            before = len(parts(memory))
            write(memory, *"efghi")
            assert before + 3 == len(parts(memory))


def test_resuming_knows_what_is_done(root: Root) -> None:
    """A later run is told which ids are final, of which only one line stays; its own lines are new
    parts, and no part is touched."""
    write(root, "a", "b")
    before = {name: read_under(root, name, limit=None) for name in parts(root)}
    sink = RecordParts(root)
    assert (True, "clear") == (sink.is_done(verdict("a").id), sink.outcome_of(verdict("a").id))
    sink.write(verdict("a", provenance=OTHER))
    sink.write(error_verdict("b", None, "not_found"))
    sink.write(error_verdict("c", "cc", "deadline"))
    assert not sink.is_done(verdict("a").id)
    sink.close()
    again = RecordParts(root)
    assert again.is_done(verdict("a", provenance=OTHER).id)
    assert again.is_done(verdict("b").id)
    assert not again.is_done(verdict("a").id)
    assert not again.is_done(error_verdict("c", "cc", "deadline").id)
    assert ["b", "a", "c"] == [orjson.loads(line)["source"]["uri"] for line in again.lines()]
    assert before.items() <= {n: read_under(root, n, limit=None) for n in parts(root)}.items()


def test_a_clock_that_is_behind(memory: str, tmp_path: Path) -> None:
    """What is judged again on a machine whose clock is a day behind still counts as newer."""
    write(memory, "a", now=lambda: NOON)
    sink = RecordParts(memory, now=lambda: NOON - timedelta(days=1))
    sink.write(verdict("a", provenance=OTHER))
    sink.close()
    assert [verdict("a", provenance=OTHER).to_line()] == merged(memory, tmp_path / "v")[1]


def test_nothing_to_do_leaves_nothing_unless_wanted(root: Root) -> None:
    """A run without a record leaves no file; a shard without a source says that it is done."""
    write(root)
    assert [] == list(names(root))
    sink = RecordParts(root, shard=Shard(2, 5))
    sink.keep_empty()
    sink.finish()
    told = manifest(root, "shard-00002-of-00005")
    assert ([], True, "2/5") == (told["runs"], told["finished"], told["shard"])
    assert [] == check_parts(told)


def test_a_run_that_fails_to_start_changes_nothing(memory: str) -> None:
    """Closed before any record, it leaves the manifest that says that all is done."""
    write(memory, "a")
    before = manifest(memory)
    RecordParts(memory).close()
    assert before == manifest(memory)
    write(memory)
    assert before == manifest(memory)


# --fresh


def test_fresh_starts_over(root: Root) -> None:
    """Parts of all earlier runs go once the first one of this run is there, and not before."""
    write(root, "a")
    write(root, "b", shard=Shard(1, 1))
    RecordParts(root, fresh=True).close()
    sink = RecordParts(root, fresh=True)
    assert not sink.is_done(verdict("a").id)
    sink.write(verdict("c"))
    assert ([], ["a", "b"]) == (list(sink.lines())[:-1], stored(root))
    sink.finish()
    assert ["c"] == stored(root)
    assert {parts(root)[0], "manifests/whole.json"} == set(names(root))
    assert 1 == len(manifest(root)["runs"])


def test_fresh_of_a_shard_is_its_own_affair(memory: str) -> None:
    """The parts of other shards stay: their jobs may have just begun."""
    write(memory, "a", shard=Shard(1, 2))
    write(memory, "b", shard=Shard(2, 2))
    write(memory, "c", shard=Shard(2, 2), fresh=True)
    assert ["a", "c"] == stored(memory)


def test_fresh_does_not_clear_a_foreign_folder(root: Root) -> None:
    """Something else at the top is refused, and all stays as it is."""
    write(root, "a")
    write_under(root, "holiday.mp4", b"x")
    before = set(names(root))
    with pytest.raises(OutputError, match=r"something else than verdict parts: holiday\.mp4"):
        RecordParts(root, fresh=True)
    assert before == set(names(root))
    write(root, "b")


# Shards and floods


def test_shards_merged_are_the_whole(root: Root, out: Path) -> None:
    """Three workers into one folder: merged, the lines of one run, sorted; a later whole run, or
    one of another number of shards, knows them all."""
    uris = [f"{number:03}" for number in range(40)]
    for number in (3, 1, 2):
        shard = Shard(number, 3)
        write(root, *(uri for uri in uris if shard.holds(uri)), shard=shard)
    done, lines = merged(root, out)
    assert [verdict(uri).to_line() for uri in uris] == lines
    assert (40, 0, 0) == (done.lines, done.repeated, done.conflicts)
    for other in (None, Shard(1, 2)):
        sink = RecordParts(root, shard=other)
        known = [uri for uri in uris if sink.is_done(verdict(uri).id)]
        assert known == [uri for uri in uris if other is None or other.holds(uri)]
        recalled = sorted(orjson.loads(line)["source"]["uri"] for line in sink.lines())
        assert known == recalled


def test_a_shard_does_not_read_its_neighbours(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of other shards of as many cannot speak of its sources: a thousand jobs would read them
    a thousand times."""
    write(memory, "a", shard=Shard(1, 2))
    (part,) = parts(memory)
    write_under(memory, part, b"damaged")
    write(memory, "b", shard=Shard(2, 2))
    with pytest.raises(OutputError, match="does not hold"):
        RecordParts(memory, shard=Shard(2, 3))


@pytest.mark.parametrize("earlier", [True, False], ids=["earlier run", "this run"])
def test_floods_amend_by_later_lines(root: Root, out: Path, earlier: bool) -> None:
    """What a flood changes comes as a new line in a later part; no part is rewritten, and what is
    read is the new line."""
    write(root, "b", *("a" if earlier else ""))
    sink = RecordParts(root)
    if not earlier:
        sink.write(verdict("a"))
    sink.write(verdict("c"))
    sink.amend_on_close(amended)
    sink.finish()
    assert "review" == RecordParts(root).outcome_of(verdict("a").id)
    assert sorted("aabc") == sorted(stored(root))
    done, lines = merged(root, out)
    told = {orjson.loads(line)["source"]["uri"]: orjson.loads(line)["outcome"] for line in lines}
    assert {"a": "review", "b": "clear", "c": "clear"} == told
    assert 0 == done.conflicts
    again = RecordParts(root)
    again.amend_on_close(amended)
    again.finish()
    assert sorted("aabc") == sorted(stored(root))


def test_a_killed_run_loses_what_it_had_gathered(memory: str, out: Path) -> None:
    """Lines that were not stored are judged again by the next run."""
    sink = RecordParts(memory)
    sink.write(verdict("a"))
    kill(sink)
    sink.close()
    assert [] == list(names(memory))
    write(memory, "a")
    assert 1 == merged(memory, out)[0].lines
