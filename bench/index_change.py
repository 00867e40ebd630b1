"""What a change of an exemplar index costs, and its opening, in a small and a large one."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vscan.exemplars.exemplar import Exemplar, exemplar_id
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.manifest import IndexModel
from vscan.exemplars.parts import Tracks
from vscan.exemplars.writer import IndexWriter, create_index, utc_now
from vscan.hashes.keypoints import EXEMPLAR_FEATURES, FEATURE_BYTES
from vscan.tracks import Track

SEED = 7
DIM = 512
SAMPLES = 50
"""A clip of twelve seconds at fps:4."""
REGIONS = 6
FRAMES = (1_000, 100_000)
REPEATS = 5
_AT_ONCE = 100


def measure() -> Iterator[tuple[str, str]]:
    """Rows: seconds of wall time of an add and a removal, from opening the writer to leaving it;
    of filling the index, its cells saved; and of opening it, which finds most cells saved."""
    took: dict[str, list[float]] = {"add": [], "remove": []}
    for frames in FRAMES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "known"
            begun = time.perf_counter()
            fill(root, frames // SAMPLES)
            yield f"fill {frames:,} frames, s", f"{time.perf_counter() - begun:.1f}"
            seconds = changes(root)
            for what, each in opening(root).items():
                yield f"{what} at {frames:,} frames, s", f"{each:.2f}"
            for what, each in seconds.items():
                took[what].append(each)
                yield f"{what} one exemplar at {frames:,} frames, s", f"{each:.3f}"
    for what, (few, many) in took.items():
        yield f"{what}: {FRAMES[1]:,} frames / {FRAMES[0]:,}", f"{many / few:.1f}"


def fill(root: Path, exemplars: int) -> None:
    """An index of random exemplars with every signal."""
    create_index(
        root,
        name="known",
        model=IndexModel(
            name="bench", fingerprint="bench#sha256:" + "0" * 64, dim=DIM, match_similarity=0.9
        ),
        signals=("embedding", "pdq", "keypoints"),
    )
    with IndexWriter(root) as writer:
        for start in range(0, exemplars, _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, exemplars))
            writer.change(add=[(exemplar(each), tracks(each)) for each in some])


def changes(root: Path) -> dict[str, float]:
    """Median seconds of an add and of a removal, each by a writer of its own."""
    took: dict[str, list[float]] = {"add": [], "remove": []}
    for number in range(1_000_000, 1_000_000 + REPEATS):
        new, measured = exemplar(number), tracks(number)
        begun = time.perf_counter()
        with IndexWriter(root) as writer:
            writer.add(new, measured)
        took["add"].append(time.perf_counter() - begun)
    for number in range(REPEATS):
        begun = time.perf_counter()
        with IndexWriter(root) as writer:
            writer.remove(exemplar(number).id)
        took["remove"].append(time.perf_counter() - begun)
    return {what: float(np.median(seconds)) for what, seconds in took.items()}


def opening(root: Path) -> dict[str, float]:
    """Seconds to read the index, and to make what searches each signal."""
    begun = time.perf_counter()
    index = ExemplarIndex.open(root)
    took = {"open": time.perf_counter() - begun}
    for signal in index.signals:
        begun = time.perf_counter()
        index.vectors(signal)
        took[f"make what searches {signal}"] = time.perf_counter() - begun
    return took


def exemplar(number: int) -> Exemplar:
    """The exemplar of that number."""
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    return Exemplar(
        id=exemplar_id(sha256),
        source=f"clips/{number}.mp4",
        sha256=sha256,
        policy="weapons.firearms",
        opinion="violating",
        added_at=utc_now(),
        duration_s=SAMPLES / 4,
        width=1280,
        height=720,
    )


def tracks(number: int) -> Tracks:
    """Random tracks: one row a sample, of PDQ one a region; 90 % of the feature slots are used."""
    rng = np.random.default_rng(SEED + number)
    times_s = np.arange(SAMPLES) / 4
    vectors = rng.normal(size=(SAMPLES, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    features = rng.integers(0, 255, (SAMPLES, EXEMPLAR_FEATURES, FEATURE_BYTES), np.uint8)
    features[:, EXEMPLAR_FEATURES * 9 // 10 :, -1] = 255
    rows = SAMPLES * REGIONS
    return {
        "embedding": Track("embedding", times_s, vectors.astype(np.float16)),
        "pdq": Track(
            "pdq",
            np.repeat(times_s, REGIONS),
            rng.integers(0, 256, (rows, 32), np.uint8),
            np.full(rows, 90, np.uint8),
            region=np.tile(np.arange(REGIONS, dtype=np.uint8), SAMPLES),
        ),
        "keypoints": Track("keypoints", times_s, features.reshape(SAMPLES, -1)),
    }
