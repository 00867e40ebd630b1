"""How parent and reader process talk: a length, an orjson header, then raw bytes of arrays.

    4 bytes  length of the header, little endian
    header   orjson object; its `payload` lists the lengths of what follows
    payload  those many runs of bytes, one after the other

No pickle: nothing that a hostile video makes of a child can make the parent run code.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from vscan.media import FrameBatch, ImageSpec, Measure, Part, ReadReport, VideoInfo
from vscan.sampling import (
    EveryRequest,
    FrameRequest,
    GridRequest,
    KeyframesRequest,
    TimesRequest,
)

MAX_HEADER_BYTES = 8 << 20
MAX_PAYLOAD_BYTES = 256 << 20
MAX_PAYLOADS = 16

Header = Mapping[str, Any]
ReadExactly = Callable[[int], bytearray]
"""Reads that many bytes or raises EOFError."""


def frame_message(header: Header, payload: Sequence[NDArray[Any]] = ()) -> list[memoryview]:
    """The pieces to write, in order, for one message."""
    arrays = [np.ascontiguousarray(array) for array in payload]
    head = orjson.dumps({**header, "payload": [array.nbytes for array in arrays]})
    pieces = [memoryview(struct.pack("<I", len(head)) + head)]
    pieces += [array.reshape(-1).view(np.uint8).data for array in arrays if array.nbytes]
    return pieces


def read_message(read_exactly: ReadExactly) -> tuple[dict[str, Any], list[bytearray]]:
    """One message. Raises EOFError at the end of the pipe, ValueError for what is not a message."""
    (length,) = struct.unpack("<I", read_exactly(4))
    if length > MAX_HEADER_BYTES:
        raise ValueError(f"header of {length} bytes")
    header = orjson.loads(read_exactly(length))
    sizes = header.get("payload", []) if isinstance(header, dict) else None
    if not isinstance(sizes, list) or len(sizes) > MAX_PAYLOADS:
        raise ValueError("header without a short list of payload lengths")
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise ValueError("payload lengths that are none")
    if sum(sizes) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"payload of {sum(sizes)} bytes")
    return header, [read_exactly(size) for size in sizes]


_REQUESTS: dict[str, type[GridRequest | TimesRequest | EveryRequest | KeyframesRequest]] = {
    "grid": GridRequest,
    "times": TimesRequest,
    "every": EveryRequest,
    "keyframes": KeyframesRequest,
}


def pack_request(request: FrameRequest) -> dict[str, Any]:
    """A request as plain data."""
    kind = next(name for name, cls in _REQUESTS.items() if type(request) is cls)
    return {"kind": kind, **asdict(request)}


def unpack_request(data: Mapping[str, Any]) -> FrameRequest:
    """The request that `pack_request` made plain."""
    match data["kind"]:
        case "grid":
            return GridRequest(float(data["step_s"]))
        case "times":
            return TimesRequest(tuple(data["times_s"]))
        case "every":
            return EveryRequest(int(data["n"]))
        case _:
            return KeyframesRequest(float(data["max_gap_s"]))


def pack_measure(measure: Measure) -> dict[str, Any]:
    """What is to be measured, as plain data."""
    return asdict(measure)


def unpack_measure(data: Mapping[str, Any]) -> Measure:
    """What `pack_measure` made plain."""
    image = data["image"]
    return Measure(**{**data, "image": None if image is None else ImageSpec(**image)})


def unpack_info(data: Mapping[str, Any]) -> VideoInfo:
    """A `VideoInfo` from plain data."""
    return VideoInfo(**{**data, "warnings": tuple(data["warnings"])})


def unpack_report(data: Mapping[str, Any]) -> ReadReport:
    """A `ReadReport` from plain data."""
    gaps = tuple((float(start), float(end)) for start, end in data["gaps_s"])
    parts = tuple(Part(**part) for part in data["parts"])
    told = tuple(data["warnings"])
    return ReadReport(**{**data, "gaps_s": gaps, "warnings": told, "parts": parts})


_ARRAYS = (
    ("times_s", np.float64),
    ("images", np.uint8),
    ("pdq", np.uint8),
    ("pdq_quality", np.uint8),
    ("pdq_sample", np.int32),
    ("pdq_region", np.uint8),
    ("keypoints", np.uint8),
)
"""Arrays of a FrameBatch in the order of the payload."""


def pack_batch(batch: FrameBatch) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """A batch as the header and payload of a message."""
    arrays: list[NDArray[Any]] = [getattr(batch, name) for name, _ in _ARRAYS]
    return {"op": "batch", "shapes": [list(array.shape) for array in arrays]}, arrays


def unpack_batch(header: Header, payload: Sequence[bytearray]) -> FrameBatch:
    """The batch that `pack_batch` made a message. Raises ValueError where shapes disagree."""
    return FrameBatch(
        **{
            name: np.frombuffer(data, kind).reshape(shape)
            for (name, kind), data, shape in zip(_ARRAYS, payload, header["shapes"], strict=True)
        }
    )
