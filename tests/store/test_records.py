"""Verdict files: appended, resumed from, locked, compacted, never truncated."""

from __future__ import annotations

import dataclasses
import io
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from vscan.errors import OutputError
from vscan.store.records import RecordFile, RecordStream, read_lines
from vscan.verdicts import ErrorRecord, Provenance, SourceRecord, Verdict, verdict_id

PROVENANCE = Provenance(vscan="0.1.0", pack="p@1#sha256:0", sampling="fps:1")


def verdict(uri: str, sha256: str | None = "aa", provenance: Provenance = PROVENANCE) -> Verdict:
    """A clear verdict of a source."""
    return Verdict(
        id=verdict_id(uri, sha256, provenance),
        source=SourceRecord(uri=uri, sha256=sha256),
        outcome="clear",
        action="allow",
        provenance=provenance,
    )


def uris(path: Path) -> list[str]:
    """The URIs of a file's records, in file order."""
    return [orjson.loads(line)["source"]["uri"] for line in path.read_bytes().splitlines()]


def test_records_are_whole_lines_at_once(tmp_path: Path) -> None:
    """A record can be read by others as soon as write returns."""
    with RecordFile(tmp_path / "v.jsonl") as records:
        records.write(verdict("a"))
        assert uris(tmp_path / "v.jsonl") == ["a"]


def test_reopening_appends_and_knows_what_is_done(tmp_path: Path) -> None:
    """A second run keeps the first one's lines and is told which ids are final."""
    path = tmp_path / "v.jsonl"
    with RecordFile(path) as records:
        records.write(verdict("a"))
    with RecordFile(path) as records:
        assert records.is_done(verdict("a").id)
        assert not records.is_done(verdict("b").id)
        records.write(verdict("b"))
    assert uris(path) == ["a", "b"]


def test_a_source_without_content_is_not_final(tmp_path: Path) -> None:
    """A file that could not be hashed may be there next time, so it is not done."""
    path = tmp_path / "v.jsonl"
    with RecordFile(path) as records:
        records.write(verdict("gone", sha256=None))
    with RecordFile(path) as records:
        assert not records.is_done(verdict("gone", sha256=None).id)


def test_a_torn_tail_is_dropped(tmp_path: Path) -> None:
    """What a killed run left half written goes; whole lines stay."""
    path = tmp_path / "v.jsonl"
    whole = verdict("a").to_line()
    for cut in (1, 20, 100, len(whole) - 2):
        path.write_bytes(whole + verdict("b").to_line()[:cut])
        RecordFile(path).close()
        assert path.read_bytes() == whole


@pytest.mark.parametrize("foreign", [b"hello", b"hello\n", b"{}\n", b'{"schema":"other"}\n'])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path, foreign: bytes) -> None:
    """-o on a file that holds something else changes nothing in it."""
    path = tmp_path / "notes.txt"
    path.write_bytes(foreign)
    with pytest.raises(OutputError, match="line 1 is not a vscan verdict"):
        RecordFile(path)
    assert path.read_bytes() == foreign


def test_a_newer_record_replaces_the_older_on_close(tmp_path: Path) -> None:
    """One line per source: a changed configuration leaves the new line alone in the file."""
    path = tmp_path / "v.jsonl"
    other = dataclasses.replace(PROVENANCE, sampling="fps:2")
    with RecordFile(path) as records:
        records.write(verdict("a"))
        records.write(verdict("b"))
    with RecordFile(path) as records:
        records.write(verdict("a", provenance=other))
        assert uris(path) == ["a", "b", "a"]
    assert uris(path) == ["b", "a"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.jsonl"]


def test_fresh_starts_over(tmp_path: Path) -> None:
    """--fresh empties the file before the first record."""
    path = tmp_path / "v.jsonl"
    with RecordFile(path) as records:
        records.write(verdict("a"))
    with RecordFile(path, fresh=True) as records:
        records.write(verdict("b"))
    assert uris(path) == ["b"]


def test_fresh_keeps_the_old_file_until_there_is_something_new(tmp_path: Path) -> None:
    """A run that ends before its first record leaves what was there."""
    path = tmp_path / "v.jsonl"
    with RecordFile(path) as records:
        records.write(verdict("a"))
    RecordFile(path, fresh=True).close()
    assert ["a"] == uris(path)


def test_fresh_does_not_empty_a_foreign_file(tmp_path: Path) -> None:
    """--fresh on a file of something else is refused, and the file stays."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"hello\n")
    with pytest.raises(OutputError, match="something else than verdicts"):
        RecordFile(path, fresh=True)
    assert b"hello\n" == path.read_bytes()


def test_two_runs_on_one_output(tmp_path: Path) -> None:
    """The second run is refused at once, with the reason."""
    with (
        RecordFile(tmp_path / "v.jsonl"),
        pytest.raises(OutputError, match="another run is writing"),
    ):
        RecordFile(tmp_path / "v.jsonl")


def test_outputs_that_cannot_be(tmp_path: Path) -> None:
    """A folder, a device and a path below a file are refused by name."""
    (tmp_path / "file").touch()
    for path in (tmp_path, Path(os.devnull), tmp_path / "file" / "v.jsonl"):
        with pytest.raises(OutputError, match=str(path)):
            RecordFile(path)


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """Where the system takes no more, half-way through a line, the error says how to go on; the
    file ends in a whole line, and what was not written is not done."""
    path, line = tmp_path / "v.jsonl", verdict("a0").to_line()
    with limited_file_size(5 * len(line) + len(line) // 2):
        records = RecordFile(path)
        for number in range(5):
            records.write(verdict(f"a{number}"))
        with pytest.raises(OutputError, match="cannot write") as told:
            records.write(verdict("a5"))
        assert "it resumes" in told.value.remedy
        assert not records.is_done(verdict("a5").id)
        records.close()
    assert [f"a{number}" for number in range(5)] == uris(path)
    assert 5 * len(line) == path.stat().st_size


def test_no_room_to_rewrite_keeps_every_line(tmp_path: Path) -> None:
    """Where the rewrite does not fit, it is told; old and new lines are there, and go next time."""
    path, other = tmp_path / "v.jsonl", dataclasses.replace(PROVENANCE, sampling="fps:2")
    with RecordFile(path) as records:
        for number in range(9):
            records.write(verdict(f"a{number}"))
    records = RecordFile(path)
    records.write(verdict("a0", provenance=other))
    before = path.read_bytes()
    with limited_file_size(400), pytest.raises(OutputError, match="cannot be rewritten"):
        records.close()
    assert before == path.read_bytes()
    assert ["v.jsonl"] == [entry.name for entry in tmp_path.iterdir()]
    RecordFile(path).close()
    assert [f"a{number}" for number in (*range(1, 9), 0)] == uris(path)


@contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_stream_writes_lines() -> None:
    """Standard output gets the same lines."""
    out = io.BytesIO()
    RecordStream(out).write(verdict("a"))
    assert [line.uri for line in read_lines(io.BytesIO(out.getvalue()), name="-")] == ["a"]


def error_verdict(uri: str, sha256: str | None, code: str) -> Verdict:
    """A source that could not be read."""
    return dataclasses.replace(
        verdict(uri, sha256), outcome="error", error=ErrorRecord(code=code, message="m")
    )


def test_an_absent_file_does_not_cost_its_verdict(tmp_path: Path) -> None:
    """A rerun while a disk is away keeps what was found when it was there."""
    path = tmp_path / "v.jsonl"
    with RecordFile(path) as records:
        records.write(verdict("a"))
    with RecordFile(path) as records:
        records.write(error_verdict("a", None, "not_found"))
    assert [verdict("a").id] == [orjson.loads(line)["id"] for line in path.open("rb")]


@pytest.mark.parametrize(
    "code", ["deadline", "memory_limit", "worker_died", "fetch_failed", "internal"]
)
def test_errors_that_may_pass_are_tried_again(tmp_path: Path, code: str) -> None:
    """More time or memory may help: such a source is not done; one that is broken is."""
    path = tmp_path / "v.jsonl"
    with RecordFile(path) as records:
        records.write(error_verdict("slow", "aa", code))
        records.write(error_verdict("broken", "bb", "decode_failed"))
    with RecordFile(path) as records:
        assert not records.is_done(verdict("slow", "aa").id)
        assert records.is_done(verdict("broken", "bb").id)
        records.write(verdict("slow", "aa"))
    assert ["broken", "slow"] == uris(path)


def test_a_whole_last_line_without_a_newline_stays(tmp_path: Path) -> None:
    """Only the torn beginning of a record is dropped; an editor may strip the last newline."""
    path = tmp_path / "v.jsonl"
    path.write_bytes(verdict("a").to_line().rstrip(b"\n"))
    with RecordFile(path) as records:
        assert records.is_done(verdict("a").id)
        records.write(verdict("b"))
    assert ["a", "b"] == uris(path)


def test_nuls_of_a_power_cut_are_a_torn_tail(tmp_path: Path) -> None:
    """Bytes that never came to the disk read as NULs: the record that they end is dropped."""
    path = tmp_path / "v.jsonl"
    whole = verdict("a").to_line()
    for torn in (whole[:50] + bytes(30), bytes(700)):
        path.write_bytes(whole + torn)
        RecordFile(path).close()
        assert whole == path.read_bytes()


OTHER = dataclasses.replace(PROVENANCE, sampling="fps:2")


def half_redone(path: Path) -> None:
    """What a run that was killed while it judged anew leaves: `a` and `b`, and `a` once more."""
    lines = (verdict("a"), verdict("b"), verdict("a", provenance=OTHER))
    path.write_bytes(b"".join(each.to_line() for each in lines))


def test_what_a_killed_run_replaced_is_gone_before_a_line_is_added(tmp_path: Path) -> None:
    """Opening removes superseded lines; the file is then appended to, and still locked."""
    path = tmp_path / "v.jsonl"
    half_redone(path)
    path.chmod(0o640)
    with RecordFile(path) as records:
        assert ["b", "a"] == uris(path)
        with pytest.raises(OutputError, match="another run is writing"):
            RecordFile(path)
        records.write(verdict("c"))
        assert ["b", "a", "c"] == uris(path)
        records.write(verdict("b", provenance=OTHER))
    assert ["a", "c", "b"] == uris(path)
    assert 0o640 == path.stat().st_mode & 0o777
    assert ["v.jsonl"] == [entry.name for entry in tmp_path.iterdir()]


def test_a_replaced_line_is_not_done(tmp_path: Path) -> None:
    """Back under the first configuration, what the second one had redone is judged again: its
    older line goes, so it must not count as an answer."""
    path = tmp_path / "v.jsonl"
    half_redone(path)
    with RecordFile(path) as records:
        assert not records.is_done(verdict("a").id)
        assert records.is_done(verdict("a", provenance=OTHER).id)
        assert records.is_done(verdict("b").id)
        records.write(verdict("a"))
        assert records.is_done(verdict("a").id)
        assert not records.is_done(verdict("a", provenance=OTHER).id)
    assert [verdict("b").id, verdict("a").id] == [
        orjson.loads(line)["id"] for line in path.read_bytes().splitlines()
    ]


def test_the_same_line_twice(tmp_path: Path) -> None:
    """Files put together with `cat` hold lines twice: one stays, and is done."""
    path = tmp_path / "v.jsonl"
    path.write_bytes(verdict("a").to_line() * 2)
    with RecordFile(path) as records:
        assert records.is_done(verdict("a").id)
    assert ["a"] == uris(path)


def test_a_rewrite_follows_a_link(tmp_path: Path) -> None:
    """An output behind a link is rewritten where it lies; the link stays one."""
    real, link = tmp_path / "disk" / "v.jsonl", tmp_path / "v.jsonl"
    real.parent.mkdir()
    half_redone(real)
    link.symlink_to(real)
    RecordFile(link).close()
    assert link.is_symlink()
    assert ["b", "a"] == uris(real)


def test_what_a_killed_rewrite_left_goes(tmp_path: Path) -> None:
    """A run that was killed while it rewrote the file leaves a copy: the next run removes it."""
    path = tmp_path / "v.jsonl"
    path.write_bytes(verdict("a").to_line())
    (tmp_path / ".v.jsonl.rewrite").write_bytes(verdict("a").to_line()[:70])
    RecordFile(path).close()
    assert ["v.jsonl"] == [entry.name for entry in tmp_path.iterdir()]
    assert ["a"] == uris(path)


def test_an_empty_output_stays_where_it_is_wanted(tmp_path: Path) -> None:
    """A run without a record leaves no file, unless that says that there was nothing to do."""
    path = tmp_path / "v.jsonl"
    RecordFile(path).close()
    assert not path.exists()
    with RecordFile(path) as records:
        records.keep_empty()
    assert b"" == path.read_bytes()


def test_finished_is_final_and_still_locked(tmp_path: Path) -> None:
    """After `finish` the file is as it will be, amended and without old lines; nobody else has it
    before `close`."""
    path = tmp_path / "v.jsonl"
    with RecordFile(path) as records:
        records.write(verdict("a"))
        records.write(verdict("a", provenance=OTHER))
        records.amend_on_close(lambda line: line.replace(b'"clear"', b'"review"'))
        records.finish()
        (line,) = path.read_bytes().splitlines()
        assert "review" == orjson.loads(line)["outcome"]
        with pytest.raises(OutputError, match="another run is writing"):
            RecordFile(path)
    assert [line] == path.read_bytes().splitlines()
