"""Merging: what the other index has is taken over once, with tracks and records, or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.exemplars.synthetic import MODEL, OTHER_FINGERPRINT, exemplar, make_index, tracks
from vscan.errors import ExemplarIndexError
from vscan.exemplars import batches
from vscan.exemplars.carried import CarriedRecord, read_carried
from vscan.exemplars.formats.record import HashRecord
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.merging import merge
from vscan.exemplars.writer import IndexWriter, create_index


def with_spec(path: Path, *names: str, policy: str = "drugs") -> None:
    """Another index, whose tracks say what made them; the letter is the seed."""
    create_index(path, name="other", model=MODEL)
    with IndexWriter(path) as writer:
        for name in names:
            measured = {
                signal: replace(track, spec={"reader": "pyav"})
                for signal, track in tracks(ord(name) - ord("a")).items()
            }
            writer.add(exemplar(name, policy=policy), measured)


def test_merge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other's exemplars come with their tracks; the same content is held once, as it was here,
    and is reported."""
    monkeypatch.setattr(batches, "BATCH_EXEMPLARS", 2)
    make_index(tmp_path / "ours", "abc")
    with_spec(tmp_path / "theirs", "e", "b", "d")
    merged = merge(tmp_path / "ours", tmp_path / "theirs")
    assert ["e.mp4", "d.mp4"] == [each.source for each in merged.added]
    assert [("weapons.firearms", "drugs")] == [(a.policy, b.policy) for a, b in merged.disputed]
    index = ExemplarIndex.open(tmp_path / "ours")
    assert list("abced") == [each.source[0] for each in index.exemplars]
    theirs = ExemplarIndex.open(tmp_path / "theirs")
    assert theirs.exemplar(exemplar("d").id) == index.exemplar(exemplar("d").id)
    rows = index.rows("embedding")
    assert tracks(3)["embedding"].values.tolist() == rows.values[rows.exemplar == 4].tolist()
    again = merge(tmp_path / "ours", tmp_path / "theirs")
    assert (0, 3) == (len(again.added), len(again.kept))
    assert index.digest == ExemplarIndex.open(tmp_path / "ours").digest


def test_merged_either_way_they_match_the_same(tmp_path: Path) -> None:
    """Two indexes without disputes hold the same after merging, whichever came first."""
    for ours, theirs in (("ab", "bc"), ("bc", "ab")):
        for name, letters in (("into", ours), ("from", theirs)):
            create_index(tmp_path / ours / name, name="known", model=MODEL)
            with IndexWriter(tmp_path / ours / name) as writer:
                for letter in letters:
                    writer.add(exemplar(letter), tracks(ord(letter)))
        assert [] == merge(tmp_path / ours / "into", tmp_path / ours / "from").disputed
    one, other = (ExemplarIndex.open(tmp_path / each / "into").digest for each in ("ab", "bc"))
    assert one == other


def test_records_are_merged(tmp_path: Path) -> None:
    """What a partner's list said comes along, once."""
    make_index(tmp_path / "ours", "a")
    make_index(tmp_path / "theirs", "a")
    both, theirs = (HashRecord(signal_type="md5", value=each * 32) for each in "01")
    for name, records in (("ours", (both,)), ("theirs", (both, theirs))):
        with IndexWriter(tmp_path / name) as writer:
            writer.change(carry=[CarriedRecord(each) for each in records])
    assert 1 == merge(tmp_path / "ours", tmp_path / "theirs").records
    manifest = ExemplarIndex.open(tmp_path / "ours").manifest
    assert [both, theirs] == [each.record for each in read_carried(tmp_path / "ours", manifest)]


def test_what_cannot_be_compared_is_not_merged(tmp_path: Path) -> None:
    """Another model, other signals, or no index: an error, and nothing is changed."""
    before = make_index(tmp_path / "ours", "a").manifest
    create_index(
        tmp_path / "model", name="other", model=replace(MODEL, fingerprint=OTHER_FINGERPRINT)
    )
    create_index(tmp_path / "signals", name="other", model=None)
    for name, says in (
        ("model", "cannot be compared"),
        ("signals", "holds pdq, and"),
        ("absent", "no exemplar index"),
    ):
        with pytest.raises(ExemplarIndexError, match=says):
            merge(tmp_path / "ours", tmp_path / name)
    assert before == ExemplarIndex.open(tmp_path / "ours").manifest


def test_a_damaged_index_is_not_merged(tmp_path: Path) -> None:
    """A changed byte in the other's tracks is found before they are taken over."""
    make_index(tmp_path / "ours", "a")
    make_index(tmp_path / "theirs", "b")
    file = next((tmp_path / "theirs" / "tracks").iterdir())
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ExemplarIndexError, match="SHA-256"):
        merge(tmp_path / "ours", tmp_path / "theirs")
    assert ["a.mp4"] == [each.source for each in ExemplarIndex.open(tmp_path / "ours").exemplars]
