"""The files of an exemplar index: written whole, read whole, and believed only by their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import orjson

from vscan.errors import ExemplarIndexError
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.manifest import Part
from vscan.hashes.pdq import HASH_BYTES
from vscan.storage import atomic_write_bytes, ensure_folder
from vscan.tracks import Track

Tracks = Mapping[str, Track]
"""Tracks of one exemplar by signal, in the form in which they are stored."""

_DAMAGED = "restore the folder from a copy, or create the index again from its sources"
_REBUILDABLE = "the file can be made again: delete it, and the next `vscan index add` writes it"
UNKNOWN_QUALITY = 100
"""Quality of a sample that was embedded but not hashed: it is taken as it is."""


class PartGoneError(Exception):
    """A file that the manifest names is not there: perhaps a writer has just replaced it."""


def write_part(root: Path, folder: str, prefix: str, suffix: str, data: bytes) -> Part:
    """Writes `data` durably under a name that holds its SHA-256, and says which part it is.

    Raises OutputError where the system refuses; nothing then stands under that name.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    path = f"{folder}/{prefix}-{sha256[:16]}.{suffix}"
    ensure_folder(root / folder)
    atomic_write_bytes(root / path, data)
    return Part(path=path, sha256=sha256, bytes=len(data))


def read_part(root: Path, part: Part) -> bytes:
    """The bytes of a part, of the right length and SHA-256.

    Raises PartGoneError where there is no such file, ExemplarIndexError where it is another.
    """
    path = root / part.path
    remedy = _REBUILDABLE if part.path.startswith("faiss/") else _DAMAGED
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size == part.bytes else b""
    except FileNotFoundError as error:
        raise PartGoneError(part.path) from error
    except OSError as error:
        raise ExemplarIndexError(f"{path}: cannot be read: {error.strerror or error}") from error
    if size != part.bytes:
        raise ExemplarIndexError(
            f"{path}: {size} bytes where the manifest says {part.bytes}: the file was changed",
            remedy=remedy,
        )
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise ExemplarIndexError(
            f"{path}: its SHA-256 is not the manifest's: the file was changed", remedy=remedy
        )
    return data


def encode_exemplars(exemplars: Iterable[Exemplar]) -> bytes:
    """JSONL, one exemplar a line."""
    option = orjson.OPT_APPEND_NEWLINE
    return b"".join(orjson.dumps(exemplar, option=option) for exemplar in exemplars)


def decode_exemplars(data: bytes, *, where: str) -> list[Exemplar]:
    """The exemplars of a checked JSONL part. Raises ExemplarIndexError naming the line."""
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(Exemplar)
    found = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            found.append(adapter.validate_json(line, strict=True))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise ExemplarIndexError(
                f"{where}:{number}: not an exemplar: {place}: {first['msg']}", remedy=_DAMAGED
            ) from error
    return found


def encode_tracks(tracks: Mapping[str, Tracks]) -> bytes:
    """safetensors with every array of every exemplar's tracks, by exemplar id and signal."""
    from safetensors.numpy import save

    arrays = {}
    for exemplar, by_signal in sorted(tracks.items()):
        for signal, track in sorted(by_signal.items()):
            arrays[f"{exemplar}/{signal}/times_s"] = np.ascontiguousarray(track.times_s)
            arrays[f"{exemplar}/{signal}/values"] = np.ascontiguousarray(track.values)
            if track.quality is not None:
                arrays[f"{exemplar}/{signal}/quality"] = np.ascontiguousarray(track.quality)
    return save(arrays)


def decode_tracks(data: bytes, *, where: str) -> dict[str, dict[str, Track]]:
    """Tracks by exemplar id and signal, of a checked safetensors part.

    Raises ExemplarIndexError where the arrays do not make tracks.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    tracks: dict[str, dict[str, Track]] = {}
    try:
        arrays = load(data) if data else {}
        for name in sorted(arrays):
            exemplar, signal, field = name.split("/")
            if field == "values":
                stem = f"{exemplar}/{signal}"
                tracks.setdefault(exemplar, {})[signal] = Track(
                    signal,
                    arrays[f"{stem}/times_s"],
                    arrays[name],
                    arrays.get(f"{stem}/quality"),
                )
    except (SafetensorError, KeyError, ValueError) as error:
        raise ExemplarIndexError(f"{where}: not tracks: {error}", remedy=_DAMAGED) from error
    return tracks


def as_stored(tracks: Tracks, signals: Iterable[str]) -> dict[str, Track]:
    """The tracks as an index holds them: those of `signals`, made ready to be searched.

    Of the eight PDQ hashes of a sample only the frame's own is kept (the query brings all eight),
    and every sample of an embedding gets the PDQ quality of its picture, so that blank frames can
    be passed over. Raises ExemplarIndexError where a signal was not measured.
    """
    stored = {}
    for signal in signals:
        if signal not in tracks:
            raise ExemplarIndexError(
                f"the index holds the signal {signal!r}, which was not measured",
                remedy="measure every signal that the index is made of",
            )
        track = tracks[signal]
        values = track.values[:, :HASH_BYTES] if signal == "pdq" else track.values
        quality = picture_quality(track, tracks)
        stored[signal] = Track(signal, track.times_s, values, quality, track.spec)
    return stored


def picture_quality(track: Track, tracks: Tracks) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """PDQ quality (T,) of the picture behind each sample of `track`: its own, or that of the
    `pdq` track at the same time; UNKNOWN_QUALITY where it was not hashed."""
    quality = np.full(len(track), UNKNOWN_QUALITY, np.uint8)
    hashed = tracks.get("pdq")
    if track.quality is not None:
        quality[:] = track.quality
    elif hashed is not None and hashed.quality is not None and len(hashed):
        at = np.searchsorted(hashed.times_s, track.times_s).clip(max=len(hashed) - 1)
        same = hashed.times_s[at] == track.times_s
        quality[same] = hashed.quality[at[same]]
    return quality


def track_digest(track: Track) -> str:
    """SHA-256 over the signal's name and the bytes of times, values and quality."""
    digest = hashlib.sha256(f"{track.signal} {track.values.dtype} {track.values.shape}".encode())
    for array in (track.times_s, track.values, track.quality):
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
