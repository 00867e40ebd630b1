"""The files of an exemplar index: written whole, read whole, and believed only by their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson

from vscan.errors import ExemplarIndexError
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.manifest import Part
from vscan.hashes.pdq import HASH_BYTES
from vscan.storage import atomic_write_bytes, ensure_folder, read_under
from vscan.tracks import Track

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Tracks = Mapping[str, Track]
"""Tracks of one exemplar by signal, in the form in which they are stored."""

DAMAGED = "restore the folder from a copy, or create the index again from its sources"
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


def read_part(root: Path | str, part: Part) -> bytes:
    """The bytes of a part of the index in a local folder or at a URI: those of the manifest.

    Raises PartGoneError where there is no such file, ExemplarIndexError where it is another.
    """
    where = f"{root}/{part.path}"
    remedy = _REBUILDABLE if part.path.startswith("cells/") else DAMAGED
    try:
        data = read_under(root, part.path, limit=part.bytes)
    except FileNotFoundError as error:
        raise PartGoneError(part.path) from error
    except OSError as error:
        raise ExemplarIndexError(f"{where}: cannot be read: {error.strerror or error}") from error
    if len(data) != part.bytes:
        size = f"{len(data)}" if len(data) < part.bytes else "more"
        raise ExemplarIndexError(
            f"{where}: {size} bytes where the manifest says {part.bytes}: the file was changed",
            remedy=remedy,
        )
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise ExemplarIndexError(
            f"{where}: its SHA-256 is not the manifest's: the file was changed", remedy=remedy
        )
    return data


def encode_exemplars(exemplars: Iterable[Exemplar]) -> bytes:
    """JSONL, one exemplar a line."""
    option = orjson.OPT_APPEND_NEWLINE
    return b"".join(orjson.dumps(exemplar, option=option) for exemplar in exemplars)


def decode_exemplars(data: bytes, *, where: str) -> list[Exemplar]:
    """The exemplars of a checked JSONL part. Raises ExemplarIndexError naming the line."""
    from pydantic import ValidationError

    adapter = _adapter()
    found = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            found.append(adapter.validate_json(line, strict=True))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise ExemplarIndexError(
                f"{where}:{number}: not an exemplar: {place}: {first['msg']}", remedy=DAMAGED
            ) from error
    return found


@cache
def _adapter() -> TypeAdapter[Exemplar]:
    from pydantic import TypeAdapter

    return TypeAdapter(Exemplar)


def as_stored(tracks: Tracks, signals: Iterable[str]) -> dict[str, Track]:
    """The tracks as an index holds them: those of `signals`, made ready to be searched.

    Of the eight PDQ hashes of a sample only the frame's own is kept (the query brings all eight),
    and every sample of another signal gets the PDQ quality of its picture, so that blank frames can
    be passed over. Regions stay with their rows. Raises ExemplarIndexError where a signal was not
    measured.
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
        # One form for one content: regions that say nothing would make another digest.
        region = track.region if track.region is not None and track.region.any() else None
        stored[signal] = Track(signal, track.times_s, values, quality, track.spec, region)
    return stored


def picture_quality(track: Track, tracks: Tracks) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """PDQ quality (T,) of the picture behind each row of `track`: its own, or that of the whole
    frame in the `pdq` track at the same time; UNKNOWN_QUALITY where it was not hashed."""
    quality = np.full(len(track), UNKNOWN_QUALITY, np.uint8)
    hashed = tracks.get("pdq")
    if track.quality is not None:
        quality[:] = track.quality
    elif hashed is not None and hashed.quality is not None:
        whole = slice(None) if hashed.region is None else hashed.region == 0
        times_s, known = hashed.times_s[whole], hashed.quality[whole]
        if len(times_s):
            at = np.searchsorted(times_s, track.times_s).clip(max=len(times_s) - 1)
            same = times_s[at] == track.times_s
            quality[same] = known[at[same]]
    return quality


def track_digest(track: Track) -> str:
    """SHA-256 over the signal's name and the bytes of times, values, quality and regions."""
    digest = hashlib.sha256(f"{track.signal} {track.values.dtype} {track.values.shape}".encode())
    for array in (track.times_s, track.values, track.quality):
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    if track.region is not None:
        digest.update(b"region" + np.ascontiguousarray(track.region).tobytes())
    return digest.hexdigest()
