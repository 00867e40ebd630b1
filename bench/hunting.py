"""A new exemplar against everything stored: PDQ and embeddings of a million frames, and keypoints.

The store is made here of random tracks; some videos hold frames of the exemplar: the hunt has to
find those and no other. Files are warm: they were just written.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.store_read import reading, sha256_of, track
from vscan.exemplars.exemplar import Exemplar, exemplar_id
from vscan.exemplars.manifest import IndexModel
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.hashes.keypoints import EXEMPLAR_FEATURES, FEATURE_BYTES
from vscan.hashes.regions import REGION_COUNT
from vscan.hunting import hunt
from vscan.settings import ScanSettings
from vscan.store.frames import FrameStore
from vscan.store.source_records import StoredSource
from vscan.store.specs import TrackSpec
from vscan.tracks import Track

SEED = 19
VIDEOS, SAMPLES, DIM = 20_000, 50, 512
KEYPOINT_VIDEOS = 60
KNOWN_EVERY = 1_000
"""One in so many videos holds frames of the exemplar."""
SCENES, SCENE_S, RATE = 5, 4, 4
MODEL = "bench#sha256:" + "0" * 64
SPECS = {
    "embedding": TrackSpec("embedding", {"model": MODEL, "sampling": "fps:1"}),
    "pdq": TrackSpec("pdq", {"hash": "pdq/1", "sampling": "fps:1"}),
    "keypoints": TrackSpec("keypoints", {"features": "orb/1", "sampling": "fps:1"}),
}


def measure() -> Iterator[tuple[str, str]]:
    """Rows: seconds for all, CPU seconds, memory, what was found; keypoints by frame."""
    rng = np.random.default_rng(SEED)
    exemplar = _exemplar_tracks(rng)
    with tempfile.TemporaryDirectory(prefix="vscan-bench-") as folder:
        index, store = Path(folder) / "index", Path(folder) / "store"
        _make_index(index, exemplar)
        known = _fill(store, exemplar, rng)
        settings = ScanSettings(store=str(store), signals=("embedding", "pdq"))
        begun, cpu_s = time.perf_counter(), _cpu_s()
        found = {each.uri for each in hunt(index, settings=settings) if each.matches}
        wall_s = time.perf_counter() - begun
        yield f"{VIDEOS * SAMPLES:,} frames, pdq and embedding, s", f"{wall_s:.1f} (at most 10)"
        yield "  CPU s", f"{_cpu_s() - cpu_s:.1f}"
        yield "  videos found, of those that hold it", f"{len(found & known)} of {len(known)}"
        yield "  others found", str(len(found - known))
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        yield "  memory of the process, MB", f"{rss / 1024:.0f}"
        yield from _keypoints(Path(folder), index)


def _keypoints(folder: Path, index: Path) -> Iterator[tuple[str, str]]:
    rng = np.random.default_rng(SEED)
    store = FrameStore.open(folder / "keypoints", create=True)
    for number in range(KEYPOINT_VIDEOS):
        read = reading(number)
        store.write(read, track("keypoints", read.times_s, rng), SPECS["keypoints"])
        store.put_source(_record(number, ("keypoints",)))
    settings = ScanSettings(store=str(store.root), signals=("keypoints",))
    begun = time.perf_counter()
    for _ in hunt(index, settings=settings):
        pass
    rate = KEYPOINT_VIDEOS * SAMPLES / (time.perf_counter() - begun)
    yield "keypoints, frames a second", f"{rate:.0f}"


def _exemplar_tracks(rng: np.random.Generator) -> dict[str, Track]:
    """Twenty seconds of five scenes: frames of one scene differ in a few bits."""
    count = SCENES * SCENE_S * RATE
    times_s = np.arange(count) / RATE
    scene = np.arange(count) // (SCENE_S * RATE)
    bits = rng.random((SCENES, REGION_COUNT, 256)) < 0.5
    hashes = bits[scene] ^ (rng.random((count, REGION_COUNT, 256)) < 0.03)
    rows = np.packbits(hashes, axis=2).reshape(-1, 32)
    vectors = rng.normal(size=(SCENES, DIM))[scene] + 0.1 * rng.normal(size=(count, DIM))
    features = rng.integers(0, 255, (count // 2, EXEMPLAR_FEATURES * FEATURE_BYTES), np.uint8)
    return {
        "pdq": Track(
            "pdq",
            np.repeat(times_s, REGION_COUNT),
            np.tile(rows, 8),
            np.full(len(rows), 90, np.uint8),
            region=np.tile(np.arange(REGION_COUNT, dtype=np.uint8), count),
        ),
        "embedding": Track("embedding", times_s, _units(vectors)),
        "keypoints": Track("keypoints", times_s[::2], features),
    }


def _make_index(path: Path, tracks: dict[str, Track]) -> None:
    model = IndexModel(name="bench", fingerprint=MODEL, dim=DIM, match_similarity=0.9)
    create_index(path, name="known", model=model, signals=("embedding", "pdq", "keypoints"))
    sha256 = sha256_of(-1)
    with IndexWriter(path) as writer:
        writer.add(
            Exemplar(
                id=exemplar_id(sha256),
                source="known.mp4",
                sha256=sha256,
                policy="hoax",
                opinion="violating",
                added_at="2026-11-02T09:30:00Z",
                duration_s=float(SCENES * SCENE_S),
            ),
            tracks,
        )


def _fill(path: Path, exemplar: dict[str, Track], rng: np.random.Generator) -> set[str]:
    """The store; returns the URIs of the videos that hold frames of the exemplar."""
    store, known = FrameStore.open(path, create=True), set()
    whole = exemplar["pdq"].values[:: REGION_COUNT * RATE].astype(np.uint8)
    vectors = exemplar["embedding"].values[::RATE].astype(np.float16)
    for number in range(VIDEOS):
        read = reading(number)
        tracks = {
            "pdq": track("pdq", read.times_s, rng),
            "embedding": Track(
                "embedding", read.times_s, _units(rng.standard_normal((SAMPLES, DIM), np.float32))
            ),
        }
        if number % KNOWN_EVERY == 0:
            known.add(_uri(number))
            tracks["pdq"].values[7 : 7 + len(whole)] = whole
            tracks["embedding"].values[7 : 7 + len(vectors)] = vectors
        for signal, each in tracks.items():
            store.write(read, each, SPECS[signal])
        store.put_source(_record(number, tuple(tracks)))
    return known


def _record(number: int, signals: tuple[str, ...]) -> StoredSource:
    read = reading(number)
    return StoredSource(
        uri=_uri(number),
        sha256=read.digests.sha256,
        md5=read.digests.md5,
        bytes=read.digests.bytes,
        meta={},
        info=read.info,
        report=read.report,
        tracks={signal: SPECS[signal].key for signal in signals},
        specs={signal: SPECS[signal].made_by for signal in signals},
        error=None,
    )


def _uri(number: int) -> str:
    return f"uploads/{number:06}.mp4"


def _units(vectors: NDArray[np.floating]) -> NDArray[np.float16]:
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(units, np.float16)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
