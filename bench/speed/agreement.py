"""Whether two ways of sampling looked at the same frames, and how alike their vectors are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vscan.errors import UsageError

Sampled = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Times (T,) in seconds, ascending, and unit vectors (T, D)."""


@dataclass(frozen=True)
class Agreement:
    """Of the frames of one side that the other has as well."""

    frames: int
    """Of the side that is held against the other."""
    shared: int
    """Of them, those that lie within half a frame of one of the other side."""
    lowest: float
    """Cosine of the two vectors of a shared frame."""
    median: float
    unlike: float
    """Median cosine of one frame's vector with those of other clips: what chance would agree by."""


def agreement(one: Mapping[str, Sampled], other: Mapping[str, Sampled], rate: float) -> Agreement:
    """How `one` agrees with `other`, both by clip. rate: the highest of the clips, pictures a
    second. Raises UsageError where they share no frame."""
    cosines: list[float] = []
    frames = 0
    for name, (times_s, vectors) in one.items():
        frames += len(times_s)
        if name in other and len(other[name][0]):
            at = nearest(times_s, other[name][0])
            near = np.abs(times_s - other[name][0][at]) <= 0.5 / rate
            pairs = vectors[near], other[name][1][at[near]]
            cosines += np.einsum("td,td->t", *pairs).tolist()
    if not cosines:
        raise UsageError("no frame in common", remedy="make the set again")
    firsts = np.stack([vectors[0] for _, vectors in one.values() if len(vectors)])
    apart = (firsts @ firsts.T)[np.triu_indices(len(firsts), 1)]
    return Agreement(
        frames=frames,
        shared=len(cosines),
        lowest=min(cosines),
        median=float(np.median(cosines)),
        unlike=float(np.median(apart)) if len(apart) else 1.0,
    )


def nearest(times_s: NDArray[np.float64], among: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each time the position of the nearest one `among` (ascending, at least one)."""
    right = np.searchsorted(among, times_s).clip(1, max(1, len(among) - 1))
    left = right - 1
    right = right.clip(max=len(among) - 1)
    nearer = np.abs(times_s - among[left]) <= np.abs(among[right] - times_s)
    return np.where(nearer, left, right)


def loop_vectors(file: Path, paths: Sequence[Path]) -> dict[str, Sampled]:
    """What the plain loop wrote, by path."""
    with np.load(file, allow_pickle=False) as held:
        return {
            str(path): (held[f"times-{k}"], np.asarray(held[f"vectors-{k}"], np.float64))
            for k, path in enumerate(paths)
        }


def store_vectors(store: Path, paths: Sequence[Path]) -> dict[str, Sampled]:
    """The embeddings that a scan of the paths kept in a frame store, by path."""
    from vscan.names import record_uri
    from vscan.store.frames import FrameStore

    frames, found = FrameStore.open(store), {}
    for path in paths:
        record = frames.source(record_uri(str(path)))
        if record is None or record.sha256 is None or "embedding" not in record.tracks:
            raise UsageError(f"{path}: no embedding was kept", remedy="look at the scan's errors")
        track = frames.read(record.sha256, "embedding", record.tracks["embedding"])[1]
        found[str(path)] = (track.times_s, track.values.astype(np.float64))
    return found
