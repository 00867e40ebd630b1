"""Verdict files: appended, resumed from, locked, compacted, never truncated."""

from __future__ import annotations

import dataclasses
import io
import os
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


def test_a_full_disk_leaves_whole_lines() -> None:
    """Where the system refuses to write, the error says so and how to go on."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    records = RecordFile.__new__(RecordFile)
    records.path = Path("/dev/full")
    records._file = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115 PTH123
    records._done, records._latest, records._superseded = {}, {}, set()
    records._broken = None
    records._is_stale = False
    with pytest.raises(OutputError, match="cannot write"):
        records.write(verdict("a"))
    assert not records.is_done(verdict("a").id)


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


@pytest.mark.parametrize("code", ["deadline", "memory_limit", "worker_died", "internal"])
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
