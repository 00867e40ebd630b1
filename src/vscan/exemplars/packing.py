"""The tracks of a batch of exemplars as one file: every signal's rows one after another.

A list of a hundred thousand pictures is a hundred thousand tracks of one row: a file holds few
large arrays, whatever it is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError
from vscan.exemplars.parts import DAMAGED, UNKNOWN_QUALITY, Tracks
from vscan.tracks import Track

_ID_BYTES = 23
_FIELDS = {"rows": np.int64, "times_s": np.float64, "quality": np.uint8, "region": np.uint8}


@dataclass(frozen=True, eq=False)
class PackedTracks:
    """The tracks of one signal of some exemplars, one after another."""

    signal: str
    count: NDArray[np.int64]
    """(E,) rows of each exemplar."""
    times_s: NDArray[np.float64]
    """(R,), as all the others."""
    values: NDArray[np.float16] | NDArray[np.uint8]
    """(R, D)."""
    quality: NDArray[np.uint8]
    region: NDArray[np.uint8]

    def tracks(self) -> list[Track]:
        """The track of each exemplar. Raises ValueError where one's times do not ascend."""
        ends = np.cumsum(self.count)
        parts = [slice(stop - count, stop) for stop, count in zip(ends, self.count, strict=True)]
        return [
            Track(
                self.signal,
                self.times_s[part],
                self.values[part],
                self.quality[part],
                region=self.region[part] if self.region[part].any() else None,
            )
            for part in parts
        ]


def pack(signal: str, tracks: Sequence[Track]) -> PackedTracks:
    """Tracks of one signal, all of one width but for those without rows."""
    full = [track for track in tracks if len(track)] or list(tracks[:1])
    return PackedTracks(
        signal,
        np.array([len(track) for track in tracks], np.int64),
        np.concatenate([track.times_s for track in full]),
        np.concatenate([track.values for track in full]),
        np.concatenate([_quality(track) for track in full]),
        np.concatenate([_region(track) for track in full]),
    )


def encode_tracks(content: Sequence[tuple[str, Tracks]]) -> bytes:
    """safetensors of the exemplars (E, 23), by id, and of each signal's arrays.

    content: at least one id with its tracks; each with the same signals.
    """
    from safetensors.numpy import save

    ids = "".join(exemplar for exemplar, _ in content).encode()
    arrays: dict[str, NDArray[Any]] = {
        "exemplars": np.frombuffer(ids, np.uint8).reshape(-1, _ID_BYTES)
    }
    for signal in sorted(content[0][1]):
        packed = pack(signal, [tracks[signal] for _, tracks in content])
        arrays[f"{signal}/rows"] = packed.count
        arrays[f"{signal}/times_s"] = packed.times_s
        arrays[f"{signal}/values"] = packed.values
        arrays[f"{signal}/quality"] = packed.quality
        if packed.region.any():
            arrays[f"{signal}/region"] = packed.region
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def decode_packed(data: bytes, *, where: str) -> tuple[list[str], dict[str, PackedTracks]]:
    """Ids of the exemplars in a checked part, and their tracks by signal.

    Raises ExemplarIndexError where the arrays do not make tracks.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
        listed = arrays.pop("exemplars")
        if listed.dtype != np.uint8 or listed.shape != (len(listed), _ID_BYTES):
            raise ValueError("the exemplars are not listed")
        ids = [each.tobytes().decode("ascii") for each in listed]
        signals = sorted({name.split("/")[0] for name in arrays})
        return ids, {signal: _packed(signal, arrays, len(ids)) for signal in signals}
    except (SafetensorError, KeyError, ValueError) as error:
        raise ExemplarIndexError(f"{where}: not tracks: {error}", remedy=DAMAGED) from error


def decode_tracks(data: bytes, *, where: str) -> dict[str, dict[str, Track]]:
    """Tracks by exemplar id and signal, of a checked part. Raises as decode_packed does."""
    ids, packed = decode_packed(data, where=where)
    found: dict[str, dict[str, Track]] = {each: {} for each in ids}
    try:
        for signal, each in packed.items():
            for exemplar, track in zip(ids, each.tracks(), strict=True):
                found[exemplar][signal] = track
    except ValueError as error:
        raise ExemplarIndexError(f"{where}: not tracks: {error}", remedy=DAMAGED) from error
    return found


def _packed(signal: str, arrays: dict[str, NDArray[Any]], exemplars: int) -> PackedTracks:
    values = arrays[f"{signal}/values"]
    if values.ndim != 2 or values.dtype not in (np.float16, np.uint8):
        raise ValueError(f"{signal} is of {values.dtype} {values.shape}")
    region = np.zeros(len(values), np.uint8)
    held = {"region": region} | {
        name: arrays[f"{signal}/{name}"] for name in _FIELDS if f"{signal}/{name}" in arrays
    }
    for name, dtype in _FIELDS.items():
        length = exemplars if name == "rows" else len(values)
        if held[name].dtype != dtype or held[name].shape != (length,):
            raise ValueError(f"{signal}/{name} is of {held[name].dtype} {held[name].shape}")
    count = held["rows"]
    if (count < 0).any() or (count > len(values)).any() or count.sum() != len(values):
        raise ValueError(f"{signal} has {len(values)} rows, and not as many as it says")
    return PackedTracks(signal, count, held["times_s"], values, held["quality"], held["region"])


def _quality(track: Track) -> NDArray[np.uint8]:
    if track.quality is None:
        return np.full(len(track), UNKNOWN_QUALITY, np.uint8)
    return track.quality


def _region(track: Track) -> NDArray[np.uint8]:
    return np.zeros(len(track), np.uint8) if track.region is None else track.region
