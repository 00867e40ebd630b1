"""Carried records: kept as they came, in files of their own, within a manifest that names them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.exemplars.formats.strategies import RECORDS
from tests.exemplars.synthetic import make_index
from vscan.errors import ExemplarIndexError
from vscan.exemplars import carried
from vscan.exemplars.carried import CarriedRecord, read_carried
from vscan.exemplars.exemplar import exemplar_id
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.manifest import MANIFEST_NAME, RecordsPart
from vscan.exemplars.parts import write_part
from vscan.exemplars.writer import IndexWriter

ONE = HashRecord(origin="tx-csv", signal_type="md5", value="0" * 32)


def hashes(count: int) -> list[CarriedRecord]:
    """Records that differ in their hash."""
    return [
        CarriedRecord(HashRecord(signal_type="md5", value=f"{number:032x}"))
        for number in range(count)
    ]


def values(path: Path) -> list[int]:
    """Numbers of `hashes` that the index at `path` carries."""
    manifest = ExemplarIndex.open(path).manifest
    return [int(each.record.value, 16) for each in read_carried(path, manifest)]


@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_records_are_kept_as_they_came(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """Whatever a format reads is kept without loss; what is withdrawn is not kept at all."""
    records = [each for each in data.draw(RECORDS[name]) if not each.withdrawn]
    root = tmp_path_factory.mktemp("parts")
    kept = [CarriedRecord(each, exemplar_id("0" * 64)) for each in records]
    parts = carried.extended(root, [], kept)
    left = carried.without(root, parts, lambda each: False)
    assert parts == left
    assert kept == [each for part in left for each in carried._read(root, part)]


def test_an_index_without_records_has_the_manifest_it_always_had(tmp_path: Path) -> None:
    """Programs that know nothing of records read it as before."""
    make_index(tmp_path / "known", "a")
    assert b'"records"' not in (tmp_path / "known" / MANIFEST_NAME).read_bytes()


def test_records_change_no_match(tmp_path: Path) -> None:
    """The digest, which stands for what matches, is the same with and without records."""
    before = make_index(tmp_path / "known", "a").digest
    with IndexWriter(tmp_path / "known") as writing:
        writing.change(carry=[CarriedRecord(ONE)])
    after = ExemplarIndex.open(tmp_path / "known")
    assert (before, 1) == (after.digest, sum(part.count for part in after.manifest.records))
    assert {"embedding", "pdq"} == set(after.manifest.search)


def test_files_are_filled_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adding fills the last file, removing writes those again that held what goes."""
    monkeypatch.setattr(carried, "PART_RECORDS", 2)
    path = tmp_path / "known"
    make_index(path, "a")
    with IndexWriter(path) as writing:
        writing.change(carry=hashes(5)[:3])
        first = writing.manifest.records
        writing.change(carry=hashes(5)[3:])
        second = writing.manifest.records
        assert ([2, 1], [2, 2, 1]) == ([p.count for p in first], [p.count for p in second])
        assert first[0] == second[0]
        writing.change(drop=lambda each: each.record.value.endswith("2"))
        third = writing.manifest.records
        assert ([2, 1, 1], second[0], second[2]) == ([p.count for p in third], third[0], third[2])
    assert [0, 1, 3, 4] == values(path)


def test_a_changed_byte_is_refused_on_opening(tmp_path: Path) -> None:
    """Records are checked with every other byte of the index."""
    path = tmp_path / "known"
    make_index(path, "a")
    with IndexWriter(path) as writing:
        writing.change(carry=hashes(2))
    (file,) = (path / "records").iterdir()
    intact = file.read_bytes()
    file.write_bytes(intact.replace(b"0", b"1", 1))
    with pytest.raises(ExemplarIndexError, match="SHA-256"):
        ExemplarIndex.open(path)
    file.unlink()
    with pytest.raises(ExemplarIndexError, match="missing"):
        ExemplarIndex.open(path)


@pytest.mark.parametrize(
    "line",
    [b"{", b"{}", b'{"record":{"quality":"x"}}', b'{"record":{"signal_type":7}}',
     b'{"record":{"signal_type":"pdq","value":"abc"}}', b'{"record":{"other":1}}'],
)  # fmt: skip
def test_a_hostile_file_is_refused_by_line(tmp_path: Path, line: bytes) -> None:
    """A file that agrees with its manifest and holds no record is an error with its line."""
    good = b'{"record":{"signal_type":"url","value":"x"}}\n'
    part = RecordsPart(
        file=write_part(tmp_path, "records", "r", "jsonl", good + line + b"\n"), count=2
    )
    with pytest.raises(ExemplarIndexError, match=":2: not a carried record"):
        carried._read(tmp_path, part)


def test_a_record_that_cannot_be_kept_is_an_error_that_changes_nothing(tmp_path: Path) -> None:
    """Numbers beyond 64 bits are refused before the manifest is touched."""
    path = tmp_path / "known"
    make_index(path, "a")
    large = HashRecord(signal_type="url", value="x", extra={"n": 1 << 70})
    with (
        IndexWriter(path) as writing,
        pytest.raises(ExemplarIndexError, match="cannot be kept"),
    ):
        writing.change(carry=[CarriedRecord(large)])
    assert [] == values(path)


def test_frames_are_named_by_their_video() -> None:
    """Two videos may have a frame in common: that frame of one is not that of the other."""
    frame = HashRecord(origin="vpdq-text", signal_type="pdq", value="0" * 64, time_s=1.0)
    assert CarriedRecord(frame, "ex_1").key != CarriedRecord(frame, "ex_2").key
    assert CarriedRecord(ONE, None).key == ONE.key
