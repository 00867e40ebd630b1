"""A store that was damaged says so: no flipped byte, cut, or misplaced file is another answer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
from safetensors import safe_open
from safetensors.numpy import save
from tests.store.made import (
    SPECS,
    assert_same_reading,
    assert_same_track,
    fill,
    reading,
    sha256_of,
    source,
    track,
)

from vscan.errors import DamagedTrack, MissingTrack, StoreError
from vscan.store.frames import PART_SAMPLES, FrameStore
from vscan.store.layout import TrackName, source_path
from vscan.store.source_records import DamagedSource
from vscan.store.specs import SIGNALS, TrackSpec

FLIPS = 400


@pytest.fixture(name="store")
def make_store(tmp_path: Path) -> FrameStore:
    """An empty store."""
    return FrameStore.open(tmp_path / "store", create=True)


def path_of(store: FrameStore, name: str) -> Path:
    """A file of a local store."""
    return Path(str(store.root)) / name


def flipped(whole: bytes, seed: int) -> Iterator[bytes]:
    """The bytes with one of them changed: at 400 places at most, all of a small file."""
    rng = np.random.default_rng(seed)
    places = np.arange(len(whole))
    if len(whole) > FLIPS:
        # The header is the part that could say something else.
        places = np.union1d(places[:FLIPS], rng.choice(places, FLIPS, replace=False))
    for place in places.tolist():
        changed = bytearray(whole)
        changed[place] ^= int(rng.integers(1, 256))
        yield bytes(changed)


@pytest.mark.parametrize("signal", SIGNALS)
def test_no_flipped_byte_of_a_track_goes_unnoticed(store: FrameStore, signal: str) -> None:
    """A changed byte is damage, or says nothing at all (a space in the header): never another
    track."""
    read, spec = reading(1), SPECS[signal]
    expected = track(signal, read)
    store.write(read, expected, spec)
    file = path_of(store, TrackName(read.digests.sha256, signal, spec.key).path)
    whole = file.read_bytes()
    noticed = 0
    for changed in flipped(whole, seed=1):
        file.write_bytes(changed)
        try:
            found, actual = store.read(read.digests.sha256, signal, spec.key)
        except DamagedTrack as damage:
            noticed += 1
            assert str(file) in damage.message
            assert "verify --remove" in damage.remedy
        else:
            assert_same_track(expected, actual)
            assert_same_reading(read, found)
    assert noticed > FLIPS * 0.9


def test_no_flipped_byte_of_a_record_goes_unnoticed(store: FrameStore) -> None:
    """Any changed byte of a source record is damage, by URI and in the list of all."""
    record = source(1, signals=("pdq", "embedding"))
    store.put_source(record)
    file = path_of(store, source_path(record.uri))
    whole = file.read_bytes()
    for changed in flipped(whole, seed=2):
        file.write_bytes(changed)
        with pytest.raises(DamagedTrack, match="damaged"):
            store.source(record.uri)
        (found,) = store.sources()
        assert isinstance(found, DamagedSource)
        assert (source_path(record.uri), True) == (found.name, found.is_readable)
    file.write_bytes(whole)
    assert record == store.source(record.uri)


def test_no_cut_goes_unnoticed(store: FrameStore) -> None:
    """A file that ends early, at whatever byte, or goes on too long, is damage."""
    read, spec = reading(1), SPECS["pdq"]
    fill(store, 1, "pdq")
    names = (TrackName(read.digests.sha256, "pdq", spec.key).path, source_path("clips/1.mp4"))
    wholes = {name: path_of(store, name).read_bytes() for name in names}
    for name, whole in wholes.items():
        for length in (*range(0, len(whole), 7), len(whole) - 1, len(whole) + 1):
            path_of(store, name).write_bytes((whole + b"\n")[:length])
            with pytest.raises(DamagedTrack):
                if name == names[0]:
                    store.read(read.digests.sha256, "pdq", spec.key)
                else:
                    store.source("clips/1.mp4")


@pytest.mark.parametrize(
    "other",
    [
        TrackName(sha256_of(2), "pdq", SPECS["pdq"].key),
        TrackName(sha256_of(1), "pdq", TrackSpec("pdq", {"hash": "pdq/2"}).key),
        TrackName(sha256_of(1), "keypoints", SPECS["keypoints"].key),
        TrackName(sha256_of(1), "keypoints", SPECS["keypoints"].key, 0),
    ],
)
def test_a_file_in_the_place_of_another(store: FrameStore, other: TrackName) -> None:
    """A whole file under the name of another content, spec, signal or part is damage."""
    fill(store, 1, "pdq")
    file = path_of(store, TrackName(sha256_of(1), "pdq", SPECS["pdq"].key).path)
    place = path_of(store, other.path)
    place.parent.mkdir(exist_ok=True)
    shutil.copy(file, place)
    with pytest.raises(DamagedTrack, match=r"another track|where a part should be"):
        store.read_file(other)


def test_a_record_in_the_place_of_another(store: FrameStore) -> None:
    """A whole record under the name of another URI's is damage."""
    store.put_source(source(1))
    place = path_of(store, source_path("clips/2.mp4"))
    place.parent.mkdir(exist_ok=True)
    shutil.copy(path_of(store, source_path("clips/1.mp4")), place)
    with pytest.raises(DamagedTrack, match="another URI"):
        store.source("clips/2.mp4")


def long_track(store: FrameStore) -> tuple[str, str]:
    """A keypoints track in three parts; content and key."""
    read, spec = reading(1, 2 * PART_SAMPLES + 1), SPECS["keypoints"]
    writer = store.part_writer(read.digests.sha256, spec)
    writer.add(read.times_s, track("keypoints", read).values.astype(np.uint8))
    store.write(read, writer.rest(), spec, writer.parts)
    return read.digests.sha256, spec.key


def test_parts_that_do_not_fit(store: FrameStore) -> None:
    """A part that is missing or of another reading is damage; the parts before it are given."""
    sha256, key = long_track(store)
    parts = [path_of(store, TrackName(sha256, "keypoints", key, part).path) for part in (0, 1)]
    later = parts[1].read_bytes()
    parts[1].unlink()
    given = store.read_parts(sha256, key)[1]
    assert PART_SAMPLES == len(next(given))
    with pytest.raises(DamagedTrack, match="a part of the track is missing"):
        next(given)
    parts[1].write_bytes(later)
    other = reading(1, PART_SAMPLES)
    writer = store.part_writer(sha256, SPECS["keypoints"])
    writer.add(other.times_s, track("keypoints", other, seed=9).values.astype(np.uint8))
    with pytest.raises(DamagedTrack, match="another reading"):
        next(store.read_parts(sha256, key)[1])


def forged(file: Path, change: Callable[[dict[str, str], dict[str, np.ndarray]], None]) -> None:
    """Writes a file anew with something changed and a payload digest that fits."""
    from vscan.store.track_files import _payload

    kinds = {"float64": "F64", "float32": "F32", "float16": "F16", "uint8": "U8"}
    with safe_open(file, "np") as opened:
        metadata = dict(opened.metadata())
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 -- no mapping
    change(metadata, arrays)
    shapes = {name: (kinds[str(each.dtype)], each.shape) for name, each in arrays.items()}
    buffers = {name: each.tobytes() for name, each in arrays.items()}
    metadata["payload"] = _payload(metadata, shapes, buffers)
    file.write_bytes(save(arrays, metadata))


def say(name: str, value: object) -> Callable[[dict[str, str], dict[str, np.ndarray]], None]:
    """Changes what the metadata says."""

    def change(metadata: dict[str, str], _arrays: dict[str, np.ndarray]) -> None:
        metadata[name] = value if isinstance(value, str) else orjson.dumps(value).decode()

    return change


def put(name: str, array: np.ndarray) -> Callable[[dict[str, str], dict[str, np.ndarray]], None]:
    """Changes a tensor."""

    def change(_metadata: dict[str, str], arrays: dict[str, np.ndarray]) -> None:
        arrays[name] = array

    return change


@pytest.mark.parametrize(
    "change",
    [
        say("schema", "vscan.track/2"),
        say("unheard", "of"),
        say("spec", "[]"),
        say("spec", "{"),
        say("track", {"sampling": 1}),
        say("parts", {"a": 1}),
        say("parts", [1]),
        say("reading", {}),
        say("reading", []),
        say("reading", {"md5": "", "bytes": "many", "info": {}, "report": {}}),
        put("values", np.zeros((3, 16), np.float32)),
        put("values", np.zeros((3, 16), np.uint8)),
        put("values", np.zeros(48, np.float16)),
        put("values", np.zeros((2, 16), np.float16)),
        put("values", np.full((3, 16), np.nan, np.float16)),
        put("values", np.full((3, 16), np.inf, np.float16)),
        put("times_s", np.array([0.0, 2.0, 1.0])),
        put("times_s", np.array([0.0, np.nan, 1.0])),
        put("times_s", np.array([0.0, 1.0, np.inf])),
        put("times_s", np.zeros((3, 1))),
        put("sample_times_s", np.array([1.0, 0.0])),
        put("quality", np.zeros(2, np.uint8)),
        put("region", np.zeros((3, 1), np.uint8)),
        put("surprise", np.zeros(3, np.uint8)),
    ],
)
def test_what_vscan_does_not_write_is_damage(
    store: FrameStore, change: Callable[[dict[str, str], dict[str, np.ndarray]], None]
) -> None:
    """A file whose digest fits but which holds no track is damage, and no traceback."""
    fill(store, 1, "embedding")
    file = path_of(store, TrackName(sha256_of(1), "embedding", SPECS["embedding"].key).path)
    forged(file, lambda _metadata, _arrays: None)
    store.read(sha256_of(1), "embedding", SPECS["embedding"].key)
    forged(file, change)
    with pytest.raises(DamagedTrack):
        store.read(sha256_of(1), "embedding", SPECS["embedding"].key)


def test_what_is_no_file(store: FrameStore) -> None:
    """A FIFO or folder under a track's name is not waited for: it cannot be read, and says so."""
    name = TrackName(sha256_of(1), "pdq", SPECS["pdq"].key)
    file = path_of(store, name.path)
    file.parent.mkdir(parents=True)
    os.mkfifo(file)
    assert not store.holds(name)
    with pytest.raises(StoreError, match="not a regular file") as refused:
        store.read_file(name)
    assert not isinstance(refused.value, DamagedTrack | MissingTrack)


WRITER = """
import sys
from tests.store.made import SPECS, reading, source, track
from vscan.store.frames import FrameStore
from dataclasses import replace

store = FrameStore.open(sys.argv[1], create=True)
read = reading(1, 40)
tracks = [track("pdq", read, seed) for seed in (0, 1)]
turn = 0
while True:
    store.write(read, tracks[turn % 2], SPECS["pdq"])
    store.put_source(replace(source(1, signals=("pdq",)), meta={"turn": turn % 2}))
    if turn == 0:
        print("writing", flush=True)
    turn += 1
"""


def test_a_killed_writer_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    """Killed at any moment, a writer leaves whole files under every name that is read."""
    read = reading(1, 40)
    possible = [track("pdq", read, seed).values.tobytes() for seed in (0, 1)]
    rng = np.random.default_rng(3)
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "store")],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert writer.stdout is not None
        with writer:
            assert b"writing\n" == writer.stdout.readline()
            time.sleep(float(rng.uniform(0, 0.05)))
            writer.send_signal(signal.SIGKILL)
        store = FrameStore.open(tmp_path / "store")
        _, found = store.read(read.digests.sha256, "pdq", SPECS["pdq"].key)
        assert found.values.tobytes() in possible
        record = store.source("clips/1.mp4")
        assert record is not None
        assert record.meta in ({"turn": 0}, {"turn": 1})
