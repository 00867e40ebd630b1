"""What a store holds is counted, checked, cleared and exported without losing what is in use."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.store.made import SPECS, fill, reading, sha256_of, source, track, unreadable

from vscan.errors import UsageError
from vscan.store.checking import Finding, Verification
from vscan.store.frames import PART_SAMPLES, FrameStore
from vscan.store.holdings import TrackSet, held_groups
from vscan.store.housekeeping import DAY_S, garbage, remove_garbage, stats
from vscan.store.layout import TrackName, source_path
from vscan.store.parquet import export
from vscan.store.specs import TrackSpec
from vscan.tracks import Track

OTHER_MODEL = TrackSpec("embedding", {"model": "other#sha256:1", "sampling": "fps:1"})


@pytest.fixture(name="store")
def make_store(tmp_path: Path) -> FrameStore:
    """Two contents under three URIs, one source that could not be read."""
    store = FrameStore.open(tmp_path / "store", create=True)
    fill(store, 1, "pdq", "embedding")
    store.put_source(replace(fill(store, 2, "pdq"), uri="elsewhere/copy.mp4"))
    store.put_source(unreadable("gone.mp4"))
    return store


def path_of(store: FrameStore, name: str) -> Path:
    """A file of a local store."""
    return Path(str(store.root)) / name


def track_path(number: int, signal: str) -> str:
    """The file of a track."""
    return TrackName(sha256_of(number), signal, SPECS[signal].key).path


def long_track(store: FrameStore, number: int, *, whole: bool) -> list[str]:
    """Writes a keypoints track in three parts, or only the first two; names of its files."""
    read, spec = reading(number, 2 * PART_SAMPLES + 1), SPECS["keypoints"]
    writer = store.part_writer(read.digests.sha256, spec)
    writer.add(read.times_s, track("keypoints", read).values.astype(np.uint8))
    names = [TrackName(sha256_of(number), "keypoints", spec.key, part).path for part in (0, 1)]
    if not whole:
        return names
    store.write(read, writer.rest(), spec, writer.parts)
    store.put_source(source(number, signals=("keypoints",)))
    return [*names, TrackName(sha256_of(number), "keypoints", spec.key).path]


def aged(store: FrameStore, age_s: float = 2 * DAY_S) -> None:
    """Makes every file of a store that old."""
    for file in store.files():
        then = time.time() - age_s
        os.utime(path_of(store, file.name), (then, then))


def names_of(store: FrameStore) -> set[str]:
    """Every file of a store."""
    return {file.name for file in store.files()}


# Counting


def test_figures(store: FrameStore) -> None:
    """Contents, sources, errors, and tracks and bytes of each spec are those that were written."""
    store.write(reading(3), track("embedding", reading(3)), OTHER_MODEL)
    long_track(store, 4, whole=True)
    found = stats(store)
    sizes = {file.name: file.bytes for file in store.files()}
    assert (4, 5, 1) == (found.contents, found.sources, found.errors)
    assert sum(sizes.values()) - sizes["store.json"] == found.bytes
    by_key = {(each.signal, each.key): each for each in found.specs}
    assert 4 == len(by_key)
    pdq = by_key["pdq", SPECS["pdq"].key]
    assert (2, 2, 0) == (pdq.tracks, pdq.files, pdq.orphaned)
    assert sizes[track_path(1, "pdq")] + sizes[track_path(2, "pdq")] == pdq.bytes
    assert SPECS["pdq"].made_by == pdq.made_by
    parts = by_key["keypoints", SPECS["keypoints"].key]
    assert (1, 3) == (parts.tracks, parts.files)
    orphan = by_key["embedding", OTHER_MODEL.key]
    assert (1, orphan.bytes, {}) == (orphan.orphaned, orphan.orphaned_bytes, orphan.made_by)


def test_a_set_of_tracks() -> None:
    """What was added is in it, whenever it was; a content, signal or key beside it is not."""
    tracks = TrackSet()
    name = TrackName(sha256_of(1), "pdq", SPECS["pdq"].key)
    assert name not in tracks
    for number in range(5):
        tracks.add(sha256_of(number), "pdq", SPECS["pdq"].key)
        assert TrackName(sha256_of(number), "pdq", SPECS["pdq"].key) in tracks
    assert name in tracks
    assert replace(name, sha256=sha256_of(7)) not in tracks
    assert replace(name, signal="keypoints") not in tracks
    assert replace(name, key="0" * 16) not in tracks


# Checking


def test_a_whole_store_is_found_whole(store: FrameStore) -> None:
    """Every file is read, and nothing is wrong."""
    long_track(store, 4, whole=True)
    verification = Verification(store)
    assert [] == list(verification.findings())
    assert len(names_of(store)) - 1 == verification.files


def test_every_damage_is_found(store: FrameStore) -> None:
    """A damaged track, record and part, a missing track and part, each by its own name."""
    parts = long_track(store, 4, whole=True)
    others = long_track(store, 5, whole=True)
    damaged = [track_path(1, "pdq"), source_path("gone.mp4"), parts[0]]
    for name in damaged:
        whole = bytearray(path_of(store, name).read_bytes())
        whole[-5] ^= 1
        path_of(store, name).write_bytes(whole)
    path_of(store, track_path(2, "pdq")).unlink()
    path_of(store, others[1]).unlink()
    found = [(each.name, each.state) for each in Verification(store).findings()]
    expected = [(name, "damaged") for name in (*damaged, parts[2], others[2])]
    expected += 2 * [(track_path(2, "pdq"), "missing")]
    assert sorted(expected) == sorted(found)


def test_parts_of_another_reading(store: FrameStore) -> None:
    """Parts that are whole, and are not those that their end names, are found."""
    parts = long_track(store, 4, whole=True)
    second = path_of(store, parts[1])
    before = second.read_bytes()
    read = reading(4, 2 * PART_SAMPLES)
    writer = store.part_writer(read.digests.sha256, SPECS["keypoints"])
    writer.add(read.times_s, track("keypoints", read, seed=3).values.astype(np.uint8))
    second.write_bytes(before)
    (found,) = Verification(store).findings()
    assert Finding(parts[2], "damaged", "its part 0000 is of another reading") == found


# Clearing


def test_nothing_in_use_is_garbage(store: FrameStore) -> None:
    """What records name stays, however old."""
    long_track(store, 4, whole=True)
    aged(store)
    assert [] == garbage(store, older_than_s=0).files


def test_garbage_goes(store: FrameStore) -> None:
    """Orphaned tracks, parts without their end and unfinished files go; the rest is read as
    before."""
    store.write(reading(3), track("embedding", reading(3)), OTHER_MODEL)
    loose = long_track(store, 4, whole=False)
    orphaned = long_track(store, 5, whole=True)
    path_of(store, source_path("clips/5.mp4")).unlink()
    kept = names_of(store)
    leftovers = {
        f"frames/ab/.{sha256_of(1)}-pdq-0123456789abcdef.safete.abcd_123",
        f"sources/cd/.{sha256_of(1)}.json.abcd_123",
        ".store.json.abcd_123",
    }
    foreign = {"frames/ab/notes.txt", "frames/ab/.hidden", "letter.safetensors"}
    for name in leftovers | foreign:
        path_of(store, name).parent.mkdir(exist_ok=True)
        path_of(store, name).write_bytes(b"12345")
    aged(store)
    collected = garbage(store)
    why = {each.name: each.why for each in collected.files}
    gone = {
        TrackName(sha256_of(3), "embedding", OTHER_MODEL.key).path: "orphaned",
        **dict.fromkeys(loose, "part without its end"),
        **dict.fromkeys(orphaned, "orphaned"),
        **dict.fromkeys(leftovers, "leftover"),
    }
    assert gone == why
    assert 15 == sum(each.bytes for each in collected.files if each.why == "leftover")
    assert kept | leftovers | foreign == names_of(store)
    assert set(gone) == {each.name for each in remove_garbage(store, collected)}
    assert (kept | foreign) - set(gone) == names_of(store)
    assert [] == list(Verification(store).findings())
    assert [] == garbage(store, older_than_s=0).files


def test_what_is_young_stays(store: FrameStore) -> None:
    """A scan writes a track before the record that names it: neither is taken from it."""
    store.write(reading(3), track("embedding", reading(3)), OTHER_MODEL)
    collected = garbage(store)
    assert ([], 1) == (collected.files, collected.young)
    aged(store, age_s=DAY_S - 60)
    assert [] == garbage(store).files
    assert 1 == len(garbage(store, older_than_s=DAY_S / 2).files)


def test_a_record_written_meanwhile_counts(
    store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A track that a scan names while the store is listed is not taken from it."""
    store.write(reading(3), track("pdq", reading(3)), SPECS["pdq"])
    aged(store)

    def slow(held: FrameStore) -> object:
        yield from held_groups(held)
        store.put_source(source(3, signals=("pdq",)))

    monkeypatch.setattr("vscan.store.housekeeping.held_groups", slow)
    assert [] == garbage(store).files


def test_damaged_records_may_name_any_track(store: FrameStore) -> None:
    """While a record is damaged no track counts as orphaned; what was never finished still goes."""
    store.write(reading(3), track("embedding", reading(3)), OTHER_MODEL)
    loose = long_track(store, 4, whole=False)
    path_of(store, source_path("clips/1.mp4")).write_bytes(b"{}")
    aged(store)
    collected = garbage(store)
    assert 1 == collected.damaged_sources
    assert loose == [each.name for each in collected.files]


# Exporting


def test_tables_hold_what_the_store_does(store: FrameStore, tmp_path: Path) -> None:
    """Each sample of each URI is a row: time, the whole frame's own hash, its quality, its
    vector."""
    parquet = pytest.importorskip("pyarrow.parquet")
    exported = export(store, tmp_path / "out")
    assert (4, 9, []) == (exported.sources, exported.samples, exported.problems)
    rows = parquet.read_table(tmp_path / "out" / "samples.parquet").to_pylist()
    by_uri = {row["uri"]: [each for each in rows if each["uri"] == row["uri"]] for row in rows}
    assert {"clips/1.mp4", "clips/2.mp4", "elsewhere/copy.mp4"} == set(by_uri)
    hashes, vectors = (track(signal, reading(1), 1) for signal in ("pdq", "embedding"))
    for sample, row in enumerate(by_uri["clips/1.mp4"]):
        assert sha256_of(1) == row["sha256"]
        assert reading(1).times_s[sample] == row["time_s"]
        assert hashes.values[2 * sample, :32].tobytes().hex() == row["pdq"]
        assert hashes.quality is not None
        assert hashes.quality[2 * sample] == row["pdq_quality"]
        assert vectors.values[sample].astype(float).tolist() == row["embedding"]
    for one, other in zip(by_uri["clips/2.mp4"], by_uri["elsewhere/copy.mp4"], strict=True):
        assert None is one["embedding"]
        assert {**one, "uri": ""} == {**other, "uri": ""}
    sources = parquet.read_table(tmp_path / "out" / "sources.parquet").to_pylist()
    known = {row["uri"]: row for row in sources}
    assert "not_found" == known["gone.mp4"]["error_code"]
    assert None is known["gone.mp4"]["sha256"]
    first = known["clips/1.mp4"]
    assert (4, 3, 0.75, 3.25) == tuple(
        first[name] for name in ("planned", "read", "coverage", "end_s")
    )
    assert (SPECS["pdq"].key, None) == (first["pdq_key"], first["keypoints_key"])
    assert (0o600, 0o600) == tuple(
        path.stat().st_mode & 0o777 for path in sorted((tmp_path / "out").iterdir())
    )


def test_signals_sampled_at_other_times(store: FrameStore, tmp_path: Path) -> None:
    """A time at which only one signal was measured is a row that lacks the other."""
    parquet = pytest.importorskip("pyarrow.parquet")
    later = replace(reading(1), times_s=np.array([2.125, 2.5]))
    vectors = Track("embedding", later.times_s, np.ones((2, 16), np.float16))
    store.write(later, vectors, SPECS["embedding"])
    export(store, tmp_path)
    table = parquet.read_table(tmp_path / "samples.parquet").to_pylist()
    rows = [row for row in table if row["uri"] == "clips/1.mp4"]
    held = [(row["time_s"], row["pdq"] is None, row["embedding"] is None) for row in rows]
    assert [
        (0.125, False, True), (1.125, False, True), (2.125, False, False), (2.5, True, False),
    ] == held  # fmt: skip


def test_one_kind_of_vectors(store: FrameStore, tmp_path: Path) -> None:
    """Vectors of two models are not mixed: one is chosen by its key."""
    parquet = pytest.importorskip("pyarrow.parquet")
    other = Track("embedding", reading(3).times_s, np.ones((3, 8), np.float16))
    store.write(reading(3), other, OTHER_MODEL)
    record = replace(
        source(3), tracks={"embedding": OTHER_MODEL.key}, specs={"embedding": OTHER_MODEL.made_by}
    )
    store.put_source(record)
    with pytest.raises(UsageError, match="2 specs") as several:
        export(store, tmp_path / "out")
    assert "--embedding" in several.value.remedy
    with pytest.raises(UsageError, match="no embeddings"):
        export(store, tmp_path / "out", embedding="0" * 16)
    assert not (tmp_path / "out").exists()
    export(store, tmp_path / "out", embedding=OTHER_MODEL.key)
    rows = parquet.read_table(tmp_path / "out" / "samples.parquet").to_pylist()
    widths = {row["uri"]: len(row["embedding"] or ()) for row in rows}
    assert {"clips/3.mp4": 8, "clips/2.mp4": 0, "elsewhere/copy.mp4": 0, "clips/1.mp4": 0} == widths


def test_many_rows_are_several_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are written a group at a time, whole sources across groups, none lost."""
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("vscan.store.parquet_tables.GROUP_ROWS", 7)
    store = FrameStore.open(tmp_path / "store", create=True)
    for number in range(5):
        fill(store, number, "pdq", samples=5)
    fill(store, 9, "pdq", samples=40)
    assert 65 == export(store, tmp_path / "out").samples
    file = parquet.ParquetFile(tmp_path / "out" / "samples.parquet")
    assert file.metadata.num_row_groups > 4
    rows = file.read().to_pylist()
    times_s = [row["time_s"] for row in rows if row["uri"] == "clips/9.mp4"]
    assert reading(9, 40).times_s.tolist() == times_s
    assert 65 == len(rows)


def test_an_export_is_not_written_over(store: FrameStore, tmp_path: Path) -> None:
    """Files of that name stay unless asked for; a failed export leaves nothing."""
    pytest.importorskip("pyarrow.parquet")
    (tmp_path / "sources.parquet").write_bytes(b"mine")
    with pytest.raises(UsageError, match="such a file already") as refused:
        export(store, tmp_path)
    assert "--force" in refused.value.remedy
    assert b"mine" == (tmp_path / "sources.parquet").read_bytes()
    export(store, tmp_path, force=True)
    assert b"PAR1" == (tmp_path / "sources.parquet").read_bytes()[:4]
    names = {path.name for path in tmp_path.iterdir()}
    assert {"samples.parquet", "sources.parquet", "store"} == names


def test_an_empty_store_is_two_empty_tables(tmp_path: Path) -> None:
    """Nothing stored is no error."""
    parquet = pytest.importorskip("pyarrow.parquet")
    store = FrameStore.open(tmp_path / "store", create=True)
    export(store, tmp_path / "out")
    for name in ("samples", "sources"):
        assert 0 == parquet.read_table(tmp_path / "out" / f"{name}.parquet").num_rows


def test_without_pyarrow(
    store: FrameStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is named with the extra that brings it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match="pyarrow") as absent:
        export(store, tmp_path / "out")
    assert "vscan[eval]" in absent.value.remedy
    assert not (tmp_path / "out").exists()
