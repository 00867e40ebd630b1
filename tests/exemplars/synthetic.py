"""Synthetic exemplars and tracks: random frames whose neighbours differ as those of a video do."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vscan.exemplars.exemplar import Exemplar, Opinion, exemplar_id
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.manifest import IndexModel
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.hashes.keypoints import EXEMPLAR_FEATURES as FEATURES
from vscan.hashes.keypoints import FEATURE_BYTES
from vscan.tracks import Track

DIM = 32
MODEL = IndexModel(
    name="small", fingerprint="small#sha256:" + "a" * 64, dim=DIM, match_similarity=0.9
)
OTHER_FINGERPRINT = "other#sha256:" + "b" * 64


def tracks(seed: int, seconds: float = 10.0, fps: float = 4.0) -> dict[str, Track]:
    """PDQ and embedding tracks of a video in which every sample is another picture."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(0, seconds, 1 / fps)
    count = len(times_s)
    vectors = rng.normal(size=(count, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hashes = rng.integers(0, 256, (count, 8 * 32), dtype=np.uint8)
    return {
        "embedding": Track("embedding", times_s, vectors.astype(np.float16)),
        "pdq": Track("pdq", times_s, hashes, np.full(count, 90, np.uint8)),
    }


def keypoints(seed: int, seconds: float = 10.0, fps: float = 4.0) -> Track:
    """A keypoints track of random features, of which every sample has another number."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(0, seconds, 1 / fps)
    features = rng.integers(0, 255, (len(times_s), FEATURES, FEATURE_BYTES), dtype=np.uint8)
    for sample in range(len(times_s)):
        features[sample, 1 + sample % FEATURES :, -1] = 255
    return Track("keypoints", times_s, features.reshape(len(times_s), -1))


def all_tracks(seed: int, seconds: float = 10.0) -> dict[str, Track]:
    """Tracks of every signal that an index can hold."""
    return tracks(seed, seconds) | {"keypoints": keypoints(seed, seconds)}


def in_regions(track: Track, regions: int) -> Track:
    """A PDQ track with further rows of every sample: region 1, 2 …, each with other values."""
    values = np.repeat(track.values.astype(np.uint8), regions, axis=0)
    region = np.tile(np.arange(regions, dtype=np.uint8), len(track))
    values[:, 0] += region
    quality = None if track.quality is None else np.repeat(track.quality, regions)
    if quality is not None:
        quality[region > 0] = 60
    return Track(
        track.signal, np.repeat(track.times_s, regions), values, quality, track.spec, region
    )


def exemplar(
    name: str,
    seconds: float = 10.0,
    *,
    policy: str = "weapons.firearms",
    opinion: Opinion = "violating",
    enabled: bool = True,
) -> Exemplar:
    """An exemplar whose content is its name."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return Exemplar(
        id=exemplar_id(sha256),
        source=f"{name}.mp4",
        sha256=sha256,
        md5=hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(),
        policy=policy,
        opinion=opinion,
        added_at="2026-11-02T09:30:00Z",
        added_by="tester",
        duration_s=seconds,
        width=320,
        height=240,
        enabled=enabled,
    )


def make_index(
    path: Path,
    names: str = "abc",
    *,
    seconds: float = 10.0,
    model: IndexModel | None = MODEL,
    signals: Sequence[str] | None = None,
) -> ExemplarIndex:
    """An index in `path` with one exemplar for each letter, the letter's place as its seed."""
    now = "2026-11-02T09:30:00Z"
    create_index(path, name="known", model=model, signals=signals, now=lambda: now)
    with IndexWriter(path) as writer:
        for seed, name in enumerate(names):
            measured = all_tracks(seed, seconds) if signals else tracks(seed, seconds)
            writer.add(exemplar(name, seconds), measured)
    return ExemplarIndex.open(path)
