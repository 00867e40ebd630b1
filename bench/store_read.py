"""What a frame store costs: bytes of a sample, writing, and reading many small files against packs.

Tracks are random, 50 samples of each video. The packs hold the same bytes end to end and are read
16 MB at a time; both ways every digest is made again. Files are warm: they were just written.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from vscan.digests import Digests
from vscan.folders import write_under
from vscan.hashes.keypoints import SOURCE_FEATURE_BYTES, SOURCE_FEATURES
from vscan.media import ReadReport, VideoInfo
from vscan.store.frames import FrameStore, Reading
from vscan.store.layout import TrackName
from vscan.store.source_records import StoredSource
from vscan.store.specs import TrackSpec
from vscan.store.track_files import decode_track
from vscan.tracks import Track

SEED = 7
VIDEOS = 20_000
SAMPLES = 50
DIM = 512
SYNCED = 200
PACK_BYTES = 16 << 20
REPEATS = 3
SPECS = {
    "pdq": TrackSpec("pdq", {"readers": "decord2 3.4.0, av 18.0.0", "sampling": "fps:1"}),
    "embedding": TrackSpec("embedding", {"model": "m#sha256:" + "0" * 64, "sampling": "fps:1"}),
    "keypoints": TrackSpec("keypoints", {"features": "orb/1", "sampling": "fps:1"}),
}


def measure() -> Iterator[tuple[str, str]]:
    """Rows: bytes of a sample by signal; seconds to write, to read from files and from packs."""
    with tempfile.TemporaryDirectory() as folder:
        store = FrameStore.open(Path(folder) / "store", create=True)
        names = [TrackName(sha256_of(each), "pdq", SPECS["pdq"].key) for each in range(VIDEOS)]
        took = _seconds(lambda: _fill(store, VIDEOS))
        yield f"write {VIDEOS:,} pdq tracks and records, CPU s", f"{took:.1f}"
        yield from _sizes(store)
        files = min(_seconds(lambda: _read(store, names)) for _ in range(REPEATS))
        yield f"read {VIDEOS:,} pdq tracks from files, CPU s", f"{files:.2f}"
        ends = _pack(store, names, Path(folder) / "packs")
        packs = min(
            _seconds(lambda: _read_packs(Path(folder) / "packs", names, ends))
            for _ in range(REPEATS)
        )
        yield "the same from packs, CPU s", f"{packs:.2f}"
        yield "files / packs", f"{files / packs:.2f}"
        records = min(_seconds(lambda: list(store.sources())) for _ in range(REPEATS))
        yield f"read {VIDEOS:,} source records, CPU s", f"{records:.2f}"
        plain, synced = (_writing(store, sync) for sync in (False, True))
        yield "one write, wall ms, plain and synced", f"{plain:.2f}, {synced:.2f}"


def sha256_of(number: int) -> str:
    """The content of that number."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def reading(number: int) -> Reading:
    """How its reading went."""
    info = VideoInfo("mov,mp4,m4a,3gp,3g2,mj2", "h264", 1280, 720, float(SAMPLES))
    report = ReadReport(SAMPLES, SAMPLES, float(SAMPLES), "decord2 3.4.0")
    digests = Digests(sha256_of(number), "0" * 32, 5_000_000)
    return Reading(digests, info, report, np.arange(SAMPLES, dtype=np.float64))


def track(signal: str, times_s: np.ndarray, rng: np.random.Generator) -> Track:
    """A random track of these samples, as a scan makes it."""
    count = len(times_s)
    if signal == "embedding":
        values = rng.normal(size=(count, DIM)).astype(np.float16)
        return Track(signal, times_s, values)
    if signal == "keypoints":
        width = SOURCE_FEATURES * SOURCE_FEATURE_BYTES
        return Track(signal, times_s, rng.integers(0, 256, (count, width), np.uint8))
    values = rng.integers(0, 256, (count, 256), np.uint8)
    quality, region = np.full(count, 90, np.uint8), np.zeros(count, np.uint8)
    return Track(signal, times_s, values, quality, region=region)


def _fill(store: FrameStore, videos: int) -> None:
    rng = np.random.default_rng(SEED)
    spec = SPECS["pdq"]
    for number in range(videos):
        read = reading(number)
        store.write(read, track("pdq", read.times_s, rng), spec)
        store.put_source(
            StoredSource(
                uri=f"clips/{number}.mp4",
                sha256=read.digests.sha256,
                md5=read.digests.md5,
                bytes=read.digests.bytes,
                meta={},
                info=read.info,
                report=read.report,
                tracks={"pdq": spec.key},
                specs={"pdq": spec.made_by},
                error=None,
            )
        )


def _sizes(store: FrameStore) -> Iterator[tuple[str, str]]:
    rng = np.random.default_rng(SEED)
    read = reading(VIDEOS)
    for signal, spec in SPECS.items():
        store.write(read, track(signal, read.times_s, rng), spec)
        path = TrackName(read.digests.sha256, signal, spec.key).path
        size = (Path(str(store.root)) / path).stat().st_size
        yield f"{signal}, bytes a sample", f"{size / SAMPLES:,.0f}"
        store.remove(path)
    records = [file.bytes for file in store.files("sources")]
    yield "source record, bytes", f"{sum(records) / len(records):,.0f}"


def _read(store: FrameStore, names: list[TrackName]) -> None:
    for name in names:
        store.read(name.sha256, name.signal, name.key)


def _pack(store: FrameStore, names: list[TrackName], packs: Path) -> list[int]:
    """Writes the files end to end; where each begins, and where the last ends."""
    ends = [0]
    with packs.open("wb") as out:
        for name in names:
            ends.append(ends[-1] + out.write((Path(str(store.root)) / name.path).read_bytes()))
    return ends


def _read_packs(packs: Path, names: list[TrackName], ends: list[int]) -> None:
    spans = iter(zip(names, pairwise(ends), strict=True))
    with packs.open("rb") as file:
        held, begins = b"", 0
        for name, (start, end) in spans:
            if end - begins > len(held):
                file.seek(start)
                held, begins = file.read(PACK_BYTES), start
            decode_track(held[start - begins : end - begins], name)


def _writing(store: FrameStore, sync: bool) -> float:
    """Milliseconds of wall time of one write of the size of a pdq track."""
    data = bytes(14_000)
    begun = time.perf_counter()
    for number in range(SYNCED):
        write_under(store.root, f"frames/00/{number}-{sync}", data, sync=sync)
    return (time.perf_counter() - begun) / SYNCED * 1000


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
