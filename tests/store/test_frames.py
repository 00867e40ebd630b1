"""The frame store gives back what was put into it, to any number of writers, wherever it lies."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest
from tests.store.made import (
    SPECS,
    assert_same_reading,
    assert_same_track,
    fill,
    reading,
    sha256_of,
    source,
    track,
    unreadable,
)

from vscan.errors import MissingTrack, OutputError, StoreError
from vscan.store.frames import PART_SAMPLES, FrameStore
from vscan.store.specs import SIGNALS
from vscan.tracks import Track


@pytest.fixture(name="store", params=["local", "memory"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FrameStore]:
    """An empty store, in a folder and behind a URI."""
    if request.param == "local":
        yield FrameStore.open(tmp_path / "made" / "frames", create=True)
        return
    uri = f"memory://{tmp_path.name}/frames"
    yield FrameStore.open(uri, create=True)
    fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("samples", [0, 1, 50])
def test_every_signal_comes_back(store: FrameStore, signal: str, samples: int) -> None:
    """Reading and track are what was written, types, regions and times included."""
    read = reading(1, samples)
    expected = track(signal, read)
    spec = SPECS[signal]
    assert not store.find(read.digests.sha256, spec)
    store.write(read, expected, spec)
    assert store.find(read.digests.sha256, spec)
    found, actual = store.read(read.digests.sha256, signal, spec.key)
    assert_same_reading(read, found)
    assert_same_track(expected, actual)


def test_what_is_not_there(store: FrameStore) -> None:
    """A missing track says so and what to do; a missing record is None."""
    fill(store, 1, "pdq")
    with pytest.raises(MissingTrack, match="no such track") as missing:
        store.read(sha256_of(1), "embedding", SPECS["embedding"].key)
    assert "next scan" in missing.value.remedy
    with pytest.raises(MissingTrack):
        store.read_parts(sha256_of(1), SPECS["keypoints"].key)
    assert store.source("clips/none.mp4") is None


def test_equal_content_under_two_names(store: FrameStore) -> None:
    """Two URIs of one content have two records and one set of tracks."""
    record = fill(store, 1, "pdq", "embedding")
    before = [file.name for file in store.files("frames")]
    fill(store, 1, "pdq", "embedding")
    store.put_source(replace(record, uri="elsewhere/copy.mp4"))
    assert before == [file.name for file in store.files("frames")]
    uris = [each.uri for each in store.sources() if not hasattr(each, "problem")]
    assert ["clips/1.mp4", "elsewhere/copy.mp4"] == sorted(uris)


def test_records_come_back(store: FrameStore) -> None:
    """Records of sources read and unread, by URI and all together, in the order of their files."""
    records = [
        source(1, signals=("pdq",)),
        source(2, uri="bytes:a\\xff.mp4"),
        unreadable("s3://bucket/ü\n.mp4"),
        replace(source(3), info=None, report=None, md5=None, bytes=None, meta={}),
    ]
    for record in records:
        store.put_source(record)
    assert records == [store.source(record.uri) for record in records]
    found = list(store.sources())
    assert sorted(records, key=repr) == sorted(found, key=repr)
    names = [file.name for file in store.files("sources")]
    assert sorted(names) == names
    store.put_source(replace(records[0], meta={"views": 4}))
    again = store.source("clips/1.mp4")
    assert again is not None
    assert {"views": 4} == again.meta


def test_records_that_make_no_sense(store: FrameStore) -> None:
    """A key that is not the spec's, or a track of nothing, is a mistake of the caller."""
    good = source(1, signals=("pdq",))
    for bad in (
        replace(good, tracks={"pdq": "0" * 16}),
        replace(good, specs={}),
        replace(good, sha256=None),
    ):
        with pytest.raises(ValueError, match=r"specs|unknown content"):
            store.put_source(bad)


@pytest.mark.parametrize("samples", [0, 1, PART_SAMPLES - 1, PART_SAMPLES, 2 * PART_SAMPLES + 7])
def test_long_tracks_are_kept_in_parts(store: FrameStore, samples: int) -> None:
    """Features that come in batches are given back in time order, none lost or doubled."""
    spec = SPECS["keypoints"]
    read = reading(1, samples)
    values = np.random.default_rng(1).integers(0, 256, (samples, 2, 6), np.uint8)
    writer = store.part_writer(read.digests.sha256, spec)
    for start in range(0, samples, 37):
        writer.add(read.times_s[start : start + 37], values[start : start + 37])
    assert samples // PART_SAMPLES == len(writer.parts)
    store.write(read, writer.rest(), spec, writer.parts)
    parts = list(store.read_parts(read.digests.sha256, spec.key)[1])
    assert all(len(part) <= PART_SAMPLES for part in parts)
    np.testing.assert_array_equal(read.times_s, np.concatenate([part.times_s for part in parts]))
    if samples:
        flat = values.reshape(samples, -1)
        np.testing.assert_array_equal(flat, np.concatenate([part.values for part in parts]))
    found, last = store.read(read.digests.sha256, "keypoints", spec.key)
    assert_same_reading(read, found)
    assert samples % PART_SAMPLES == len(last)


def test_a_second_round_begins_a_part(store: FrameStore) -> None:
    """A plan that comes back to an earlier time loses nothing: parts stand in order of reading."""
    spec = SPECS["keypoints"]
    read = reading(1, 6)
    features = np.arange(6 * 4, dtype=np.uint8).reshape(6, 4)
    writer = store.part_writer(read.digests.sha256, spec)
    writer.add(np.array([0.0, 4.0]), features[:2])
    writer.add(np.array([5.0]), features[2:3])
    writer.add(np.array([1.0, 2.0, 3.0]), features[3:])
    store.write(read, writer.rest(), spec, writer.parts)
    parts = list(store.read_parts(read.digests.sha256, spec.key)[1])
    assert [[0.0, 4.0, 5.0], [1.0, 2.0, 3.0]] == [part.times_s.tolist() for part in parts]
    np.testing.assert_array_equal(features, np.concatenate([part.values for part in parts]))


def test_parts_do_not_hold_on_to_batches(store: FrameStore) -> None:
    """What was handed over may be used again by its owner."""
    writer = store.part_writer(sha256_of(1), SPECS["keypoints"])
    features = np.ones((2, 6), np.uint8)
    writer.add(np.array([0.0, 1.0]), features)
    features[:] = 7
    assert 1 == writer.rest().values.max()


@pytest.mark.parametrize(
    "wrong",
    [
        Track("embedding", np.array([0.0]), np.full((1, 4), np.nan, np.float16)),
        Track("embedding", np.array([0.0]), np.full((1, 4), np.inf, np.float16)),
        Track("embedding", np.array([0.0]), np.zeros((1, 4), np.uint8)),
        Track("pdq", np.array([0.0]), np.zeros((1, 33), np.uint8)),
        Track("pdq", np.array([np.nan]), np.zeros((1, 32), np.uint8)),
        Track("pdq", np.array([0.0, np.inf]), np.zeros((2, 32), np.uint8)),
    ],
)
def test_what_could_not_be_read_again_is_not_written(store: FrameStore, wrong: Track) -> None:
    """A track of no numbers, or of another type, is a mistake of the caller."""
    with pytest.raises(ValueError, match=r"numbers|values|bytes"):
        store.write(reading(1, len(wrong)), wrong, SPECS[wrong.signal])
    with pytest.raises(ValueError, match="under a spec of"):
        store.write(reading(1, len(wrong)), wrong, SPECS["keypoints"])
    assert [] == list(store.files("frames"))


def test_two_writers_at_once(store: FrameStore) -> None:
    """Writers of the same contents need not know of each other: each file is whole throughout."""
    numbers = range(6)

    def work(_writer: int) -> None:
        mine = FrameStore.open(store.root, create=True)
        for number in numbers:
            fill(mine, number, "pdq", "embedding")
            found, _ = mine.read(sha256_of(number), "pdq", SPECS["pdq"].key)
            assert found.digests.sha256 == sha256_of(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    for number in numbers:
        _, actual = store.read(sha256_of(number), "embedding", SPECS["embedding"].key)
        assert_same_track(track("embedding", reading(number), number), actual)
    assert 2 * 6 + 6 + 1 == len(list(store.files()))


# Opening


def test_a_store_is_opened_by_what_it_says_it_is(tmp_path: Path) -> None:
    """A folder without a store's file, with another program's, or of another version is refused."""
    with pytest.raises(StoreError, match="no frame store here") as absent:
        FrameStore.open(tmp_path / "none")
    assert "--store" in absent.value.remedy
    (tmp_path / "store.json").write_text('{"schema":"vscan.store/2"}', "utf-8")
    for create in (False, True):
        with pytest.raises(StoreError, match="another version"):
            FrameStore.open(tmp_path, create=create)
    for text in ("", "[]", '{"schema"', "{}"):
        (tmp_path / "store.json").write_text(text, "utf-8")
        with pytest.raises(StoreError, match="not the file of a frame store"):
            FrameStore.open(tmp_path, create=True)


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    """A folder that holds something else does not become a store; an empty one does."""
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "letter.txt").touch()
    with pytest.raises(StoreError, match="not empty"):
        FrameStore.open(tmp_path / "foreign", create=True)
    assert ["letter.txt"] == [path.name for path in (tmp_path / "foreign").iterdir()]
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".store.json.abcdefgh").touch()
    FrameStore.open(tmp_path / "empty", create=True)
    FrameStore.open(tmp_path / "empty", create=True)
    FrameStore.open(str(tmp_path / "empty"))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        FrameStore.open(tmp_path / "file", create=True)


def test_only_this_user_may_look(tmp_path: Path) -> None:
    """Files are 0600 and folders 0700, whatever the umask: they tell what is in a frame."""
    before = os.umask(0o000)
    try:
        store = FrameStore.open(tmp_path / "store", create=True)
        fill(store, 1, "pdq")
    finally:
        os.umask(before)
    found = [tmp_path / "store", *(tmp_path / "store").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in found}
    assert {(True, 0o700), (False, 0o600)} == modes


def test_no_room(tmp_path: Path) -> None:
    """A disk that takes no more is an OutputError; what stood there before is untouched."""
    store = FrameStore.open(tmp_path / "store", create=True)
    fill(store, 1, "pdq")
    before = {file.name: file.bytes for file in store.files()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written") as full:
            fill(store, 1, "pdq", samples=40)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "room" in full.value.remedy
    assert before == {file.name: file.bytes for file in store.files()}
    store.read(sha256_of(1), "pdq", SPECS["pdq"].key)


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    """Where a folder should be and a file is, the error names it."""
    store = FrameStore.open(tmp_path / "store", create=True)
    (tmp_path / "store" / "frames").touch()
    with pytest.raises(OutputError, match="frames"):
        fill(store, 1, "pdq")
    with pytest.raises(StoreError, match="cannot be read"):
        list(store.files())


def test_another_program_s_files_are_told_apart(tmp_path: Path) -> None:
    """Files that vscan did not write are listed, and read as nothing."""
    store = FrameStore.open(tmp_path / "store", create=True)
    fill(store, 1, "pdq")
    for name in ("notes.txt", "sources/notes.json", "frames/ab/x.safetensors"):
        path = tmp_path / "store" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x", "utf-8")
    assert {"notes.txt", "sources/notes.json", "frames/ab/x.safetensors"} <= {
        file.name for file in store.files()
    }
    assert 1 == len(list(store.sources()))


def test_no_store_at_a_web_server() -> None:
    """It is refused before anything is asked for, without the URL's password."""
    with pytest.raises(StoreError, match="a web server holds no frame store") as refused:
        FrameStore.open("https://me:secret@example.org/frames", create=True)
    assert "s3://" in refused.value.remedy
    assert "secret" not in refused.value.message
