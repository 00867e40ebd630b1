"""The rows of an exemplar index: every sample of one signal of all exemplars, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError
from vscan.exemplars.manifest import Manifest
from vscan.exemplars.packing import PackedTracks
from vscan.hashes.keypoints import EXEMPLAR_FEATURES, FEATURE_BYTES
from vscan.hashes.pdq import HASH_BYTES


@dataclass(frozen=True, eq=False)
class SignalRows:
    """Every row of one signal of all exemplars, in the order of exemplars and of their times."""

    signal: str
    exemplar: NDArray[np.int32]
    """(R,) position in ExemplarIndex.exemplars."""
    times_s: NDArray[np.float64]
    """(R,) presentation time in the exemplar, seconds; repeated by the rows of one sample."""
    quality: NDArray[np.uint8]
    """(R,) PDQ quality 0..100 of the picture."""
    region: NDArray[np.uint8]
    """(R,) which part of the frame the row was measured on, 0 the whole frame."""
    values: NDArray[np.float16] | NDArray[np.uint8]
    """(R, D) as stored: float16 unit vectors, 32 bytes of PDQ, or K * W bytes of features."""

    def __len__(self) -> int:
        return len(self.times_s)


def rows_of(signal: str, packed: Sequence[PackedTracks], manifest: Manifest) -> SignalRows:
    """The tracks of `signal` of each batch in order, as rows.

    Raises ExemplarIndexError where some are not of the index's width and type.
    """
    held = [each for each in packed if len(each.values)]
    width = row_width(signal, manifest, held[0].values.shape[1] if held else 0)
    for each in held:
        check_values(signal, each.values, width, manifest)
    count = np.concatenate([np.empty(0, np.int64), *(each.count for each in packed)])
    return SignalRows(
        signal=signal,
        exemplar=np.repeat(np.arange(len(count), dtype=np.int32), count),
        times_s=np.concatenate([np.empty(0, np.float64), *(each.times_s for each in held)]),
        quality=np.concatenate([np.empty(0, np.uint8), *(each.quality for each in held)]),
        region=np.concatenate([np.empty(0, np.uint8), *(each.region for each in held)]),
        values=np.concatenate([no_values(signal, width), *(each.values for each in held)]),
    )


def no_values(signal: str, width: int) -> NDArray[np.float16] | NDArray[np.uint8]:
    """Values (0, width) of the type in which those of the signal are stored."""
    if signal == "embedding":
        return np.empty((0, width), np.float16)
    return np.empty((0, width), np.uint8)


def row_width(signal: str, manifest: Manifest, first: int = 0) -> int:
    """Numbers, or bytes, in a row of the signal.

    Rows of keypoints are as wide as the `first` one of the index; while it has none, they have as
    many features as this vscan measures.
    """
    if signal == "pdq":
        return HASH_BYTES
    if signal == "embedding":
        return 0 if manifest.model is None else manifest.model.dim
    return first or EXEMPLAR_FEATURES * FEATURE_BYTES


def check_values(signal: str, values: NDArray[np.generic], width: int, manifest: Manifest) -> None:
    """Raises ExemplarIndexError where the values are not of that width, and the signal's type."""
    found, dtype = values.shape[1], no_values(signal, 0).dtype
    whole = signal != "keypoints" or (found > 0 and found % FEATURE_BYTES == 0)
    if found != width or values.dtype != dtype or not whole:
        raise ExemplarIndexError(
            f"the index {manifest.name!r} takes {signal} of {width} {dtype} a row, not of"
            f" {found} {values.dtype}",
            remedy="measure it again as the index's other exemplars were",
        )
