"""What a second of an exemplar takes of an index, by signal: on disk, in memory, and searched.

Vectors are random, as many in a second as an index has of a video: 4 samples of PDQ with the frame
and ten crops of it, 4 embeddings, 2 of keypoints with nine tenths of their features. A second is an
exemplar here; each signal has an index of its own, and is opened in a process of its own.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.growth import alone
from bench.index_change import DIM, exemplar
from vscan.exemplars import structures
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.manifest import IndexModel
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.hashes.keypoints import EXEMPLAR_FEATURES, FEATURE_BYTES
from vscan.tracks import Track

SEED = 7
SIZES = {"pdq": (1_000, 10_000), "embedding": (1_000, 10_000), "keypoints": (1_000, 3_000)}
"""Exemplars of a second each, by signal."""
REGIONS = 11
_AT_ONCE = 250
_MODEL = IndexModel(
    name="bench", fingerprint="bench#sha256:" + "0" * 64, dim=DIM, match_similarity=0.9
)


def measure() -> Iterator[tuple[str, str]]:
    """Rows by signal and size: bytes a second of exemplar on disk, open, and ready to be searched;
    the class that searches; seconds of CPU to open and to make ready."""
    for signal, sizes in SIZES.items():
        for count in sizes:
            with tempfile.TemporaryDirectory() as folder:
                yield from rows(Path(folder) / "known", signal, count)


def rows(root: Path, signal: str, count: int) -> Iterator[tuple[str, str]]:
    """The rows of one index."""
    # In a process of its own, too: threads that FAISS makes do not survive a fork.
    alone(functools.partial(_fill, root, signal, count))
    disk = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    opened, _ = alone(functools.partial(ExemplarIndex.open, root))
    ready, took_s = alone(functools.partial(_ready, root, signal))
    kind = structures.type_for(signal, count * vectors_a_second(signal))
    yield (
        f"{signal}, {count:,} seconds, {kind}",
        f"{disk / count:,.0f} bytes on disk, {opened / count:,.0f} open,"
        f" {ready / count:,.0f} searched; ready in {took_s:.1f} CPU s",
    )


def vectors_a_second(signal: str) -> int:
    """Vectors that an exemplar's second has."""
    keypoints = 2 * EXEMPLAR_FEATURES * 9 // 10
    return {"pdq": 4 * REGIONS, "embedding": 4, "keypoints": keypoints}[signal]


def _ready(root: Path, signal: str) -> object:
    index = ExemplarIndex.open(root)
    return index, index.vectors(signal)


def _fill(root: Path, signal: str, count: int) -> None:
    model = _MODEL if signal == "embedding" else None
    create_index(root, name="known", model=model, signals=(signal,))
    with IndexWriter(root) as writer:
        for start in range(0, count, _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, count))
            writer.change(add=[(exemplar(each), {signal: _second(signal, each)}) for each in some])


def _second(signal: str, number: int) -> Track:
    rng = np.random.default_rng(SEED + number)
    times_s = np.arange(4) / 4
    if signal == "embedding":
        values = rng.normal(size=(4, DIM))
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        return Track(signal, times_s, values.astype(np.float16))
    if signal == "keypoints":
        features = rng.integers(0, 255, (2, EXEMPLAR_FEATURES, FEATURE_BYTES), np.uint8)
        features[:, EXEMPLAR_FEATURES * 9 // 10 :, -1] = 255
        return Track(signal, times_s[::2], features.reshape(2, -1))
    return Track(
        signal,
        np.repeat(times_s, REGIONS),
        rng.integers(0, 256, (4 * REGIONS, 32), np.uint8),
        np.full(4 * REGIONS, 90, np.uint8),
        region=np.tile(np.arange(REGIONS, dtype=np.uint8), 4),
    )
