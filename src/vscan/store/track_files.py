"""A track as a file: safetensors, with a SHA-256 over all that it says.

safetensors notices a file that was cut short, and no flipped bit. So a file carries the SHA-256 of
its tensors and of the rest of its metadata, which names the content, the signal and the spec: a
file that was put in the place of another does not fit its name.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from vscan.digests import Digests
from vscan.media import ReadReport, VideoInfo
from vscan.store.layout import TrackName
from vscan.store.readings import Reading, reading_object, reading_of, texts_by_name
from vscan.store.specs import TrackSpec
from vscan.tracks import Track

TRACK_SCHEMA = "vscan.track/1"
_DTYPES: dict[str, Any] = {"F64": np.float64, "F16": np.float16, "U8": np.uint8}
_VALUES = {"embedding": "F16", "pdq": "U8", "keypoints": "U8"}
_COLUMNS = {"times_s": "F64", "quality": "U8", "region": "U8"}
"""What a track has one of for each row, in which type."""
_SAMPLE_TIMES = "sample_times_s"
_HASH_BYTES = 32
_METADATA = {"schema", "content", "signal", "spec", "track", "payload"}
_LENGTH_BYTES = 8
_F16_NOT_FINITE = 0x7C00


@dataclass(frozen=True, eq=False)
class TrackFile:
    """What a file of a track holds."""

    track: Track
    reading: Reading | None
    """None in an earlier part of a long track: it was written while the video was read."""
    parts: tuple[str, ...]
    """Payload digests of the earlier parts."""
    payload: str
    """64 hexadecimal digits."""


def encode_track(
    name: TrackName,
    track: Track,
    spec: TrackSpec,
    reading: Reading | None,
    parts: Sequence[str] = (),
) -> tuple[bytes, str]:
    """The file of a track, and its payload digest; equal tracks have equal digests.

    reading: None for an earlier part. Raises ValueError for what could not be read again.
    """
    arrays: dict[str, NDArray[Any]] = {"values": track.values} | {
        column: array for column in _COLUMNS if (array := getattr(track, column)) is not None
    }
    metadata = {
        "schema": TRACK_SCHEMA,
        "content": name.sha256,
        "signal": name.signal,
        "spec": _json(dict(spec.made_by)),
        "track": _json(dict(track.spec)),
    }
    if reading is not None:
        metadata["reading"] = _json(reading_object(reading))
        metadata["parts"] = _json(list(parts))
        if not np.array_equal(reading.times_s, track.times_s):
            arrays[_SAMPLE_TIMES] = reading.times_s
    kinds = {np.dtype(dtype): kind for kind, dtype in _DTYPES.items()}
    shapes = {each: (kinds.get(array.dtype, ""), array.shape) for each, array in arrays.items()}
    _check_arrays(name, shapes, arrays, has_reading=reading is not None)
    arrays = {each: np.ascontiguousarray(array) for each, array in arrays.items()}
    payload = _payload(metadata, shapes, {each: array.tobytes() for each, array in arrays.items()})
    return save(arrays, metadata | {"payload": payload}), payload


def decode_track(data: bytes, name: TrackName) -> TrackFile:
    """What a file of that name holds, every byte of its content checked.

    Raises ValueError that says what is wrong with it.
    """
    try:
        tensors = dict(deserialize(data))  # type: ignore[no-untyped-call]  # it has no types
        metadata = _metadata(data)
        shapes = {
            each: (str(told["dtype"]), tuple(told["shape"])) for each, told in tensors.items()
        }
        buffers = {each: told["data"] for each, told in tensors.items()}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"it cannot be read as safetensors: {error}") from error
    payload = metadata.get("payload", "")
    if _payload(metadata, shapes, buffers) != payload:
        raise ValueError("its content is not that of its payload digest")
    try:
        return _track_file(name, metadata, shapes, buffers, payload)
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is not what vscan writes: {error}") from error


def _metadata(data: bytes) -> dict[str, str]:
    """The text that stands beside the tensors, which the safetensors library reads of files alone.

    What it made sure of by now: the header is there, and a JSON object.
    """
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    header = orjson.loads(memoryview(data)[_LENGTH_BYTES : _LENGTH_BYTES + length])
    return dict(texts_by_name(header["__metadata__"]))


def _track_file(
    name: TrackName,
    metadata: Mapping[str, str],
    shapes: Mapping[str, tuple[str, tuple[int, ...]]],
    buffers: Mapping[str, bytearray],
    payload: str,
) -> TrackFile:
    is_head = name.part is None
    if metadata["schema"] != TRACK_SCHEMA:
        raise ValueError(f"it is of another version: {metadata['schema']!r}")
    if metadata.keys() != (_METADATA | {"reading", "parts"} if is_head else _METADATA):
        raise ValueError("it is of a track's end where a part should be, or the other way round")
    belongs = (metadata["content"], metadata["signal"], _key(name.signal, metadata["spec"]))
    if belongs != (name.sha256, name.signal, name.key):
        raise ValueError("it is the file of another track")
    arrays = {
        each: np.ndarray(shape, _DTYPES[kind], buffers[each])
        for each, (kind, shape) in shapes.items()
    }
    _check_arrays(name, shapes, arrays, has_reading=is_head)
    track = Track(
        name.signal,
        arrays["times_s"],
        arrays["values"],
        arrays.get("quality"),
        dict(_texts(metadata["track"])),
        arrays.get("region"),
    )
    if not is_head:
        return TrackFile(track, None, (), payload)
    digests, info, report = _read_as(name.sha256, metadata["reading"])
    reading = Reading(digests, info, report, arrays.get(_SAMPLE_TIMES, track.times_s))
    return TrackFile(track, reading, _digests(orjson.loads(metadata["parts"])), payload)


def _check_arrays(
    name: TrackName,
    shapes: Mapping[str, tuple[str, tuple[int, ...]]],
    arrays: Mapping[str, NDArray[Any]],
    *,
    has_reading: bool,
) -> None:
    """Types, shapes, times and numbers are those of a track. Raises ValueError, KeyError."""
    kind, shape = shapes["values"]
    if kind != _VALUES[name.signal] or len(shape) != 2:
        raise ValueError(f"values of {name.signal} are of {kind} {shape}")
    if name.signal == "pdq" and shape[1] % _HASH_BYTES:
        raise ValueError(f"hashes of {shape[1]} bytes")
    for column, (found, length) in shapes.items():
        if column in _COLUMNS:
            right = found == _COLUMNS[column] and length == shape[:1]
        elif column == _SAMPLE_TIMES:
            right = has_reading and found == "F64" and len(length) == 1
        else:
            right = column == "values"
        if not right:
            raise ValueError(f"{column} is of {found} {length}")
    for column in ("times_s", _SAMPLE_TIMES):
        # Of the rows' times, Track itself makes sure that they ascend.
        times_s = arrays.get(column)
        if times_s is not None and not math.isfinite(float(times_s.sum())):
            raise ValueError(f"{column} is not made of numbers")
    if _SAMPLE_TIMES in arrays and (np.diff(arrays[_SAMPLE_TIMES]) < 0).any():
        raise ValueError(f"{_SAMPLE_TIMES} does not ascend")
    if name.signal == "embedding":
        bits = arrays["values"].view(np.uint16) & _F16_NOT_FINITE
        if (bits == _F16_NOT_FINITE).any():
            raise ValueError("an embedding is not made of numbers")


def _payload(
    metadata: Mapping[str, str],
    shapes: Mapping[str, tuple[str, tuple[int, ...]]],
    buffers: Mapping[str, Any],
) -> str:
    """SHA-256 over all metadata but itself, and names, types, shapes and bytes of the tensors."""
    said = [each for each in sorted(metadata.items()) if each[0] != "payload"]
    digest = hashlib.sha256(orjson.dumps([said, sorted(shapes.items())]))
    for name in sorted(buffers):
        digest.update(buffers[name])
    return digest.hexdigest()


# The files of a store say few different things, and those of one content the same of its reading.


@lru_cache(maxsize=256)
def _key(signal: str, spec: str) -> str:
    return TrackSpec(signal, _texts(spec)).key


@lru_cache(maxsize=256)
def _texts(text: str) -> Mapping[str, str]:
    return texts_by_name(orjson.loads(text))


@lru_cache(maxsize=16)
def _read_as(sha256: str, text: str) -> tuple[Digests, VideoInfo, ReadReport]:
    return reading_of(sha256, orjson.loads(text))


def _digests(listed: Any) -> tuple[str, ...]:
    if type(listed) is not list or not all(type(each) is str for each in listed):
        raise TypeError("parts are not listed")
    return tuple(listed)


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
