"""What a packet's own bytes say of how others depend on it, by codec; nothing is decoded.

Containers mark keyframes, and may be wrong; the bytes decide what the decoder itself will do. After
an access point it refers to nothing that came before: it empties its store of references there.
Specs: H.264 7.3.1, 7.4.1 (nal_ref_idc, IDR pictures); H.265 7.3.1.2, 7.4.2.2 (IDR and BLA pictures,
sub-layer non-reference pictures); RFC 6386 9.1 (VP8); VP9 bitstream 6.2, 7.2; AV1 5.3, 5.9.2, 7.20.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

MOST_UNITS = 600
"""Units of a packet beyond which it is not looked into: slices of a frame are fewer."""
_START = b"\0\0\1"


class Kind(Enum):
    """What a packet is to those after it."""

    ACCESS = "access"
    """Nothing from here on refers to what came before."""
    REFERENCE = "reference"
    """Others may refer to it."""
    UNUSED = "unused"
    """None refers to it: a decoder may leave it out."""


@dataclass(frozen=True)
class Look:
    """What was seen in one packet."""

    kind: Kind
    sets: bytes = b""
    """Parameter sets that came with it."""


Data: TypeAlias = "bytes | memoryview"
"""Of a packet. Most are large, and of most only the first bytes are looked at: they are not copied
for that."""
Looker = Callable[[Data], Look | None]
"""None: the packet is not of the plain kind that can be judged."""


def looker_for(codec: str, extradata: bytes | None) -> Looker | None:
    """What looks into a codec's packets; None where nothing here does.

    codec: FFmpeg's name. extradata: the configuration that the container holds.
    """
    extra = extradata or b""
    if codec == "h264":
        size = (extra[4] & 3) + 1 if len(extra) > 6 and extra[0] == 1 else 0
        return lambda data: _h264(data, size)
    if codec == "hevc":
        size = (extra[21] & 3) + 1 if len(extra) > 22 and extra[0] == 1 else 0
        return lambda data: _hevc(data, size)
    return {"vp8": _vp8, "vp9": _vp9, "av1": _av1, "libdav1d": _av1}.get(codec)


def _units(data: Data, length_bytes: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of every NAL unit; length_bytes 0: they stand between start codes.

    Raises ValueError where the lengths do not fit.
    """
    at, end = 0, len(data)
    if length_bytes:
        while at + length_bytes < end:
            size = int.from_bytes(data[at : at + length_bytes], "big")
            at += length_bytes
            if size > end - at:
                raise ValueError("a unit longer than its packet")
            if size:
                yield at, at + size
            at += size
        return
    whole = bytes(data)
    at = whole.find(_START)
    while at >= 0:
        start = at + 3
        at = whole.find(_START, start)
        stop = end if at < 0 else at
        if stop > start:
            yield start, stop


_ALONE = {
    header: Look(kind)
    for reference in range(4)
    for header, kind in (
        (reference << 5 | 1, Kind.REFERENCE if reference else Kind.UNUSED),
        (reference << 5 | 5, Kind.ACCESS),
    )
}
"""By the first byte of H.264's unit, what a packet is that holds one slice and nothing else."""


def _h264(data: Data, length_bytes: int) -> Look | None:
    size = len(data)
    if length_bytes == 4 and size > 8 and int.from_bytes(data[:4], "big") == size - 4:
        # Most packets, and there are many.
        alone = _ALONE.get(data[4])
        if alone is not None:
            return alone if data[5] & 0x80 else None
    if length_bytes and size > 8 and data[0] == 1 and not data[2] and data[4] >= 0xFC:
        return None  # FFmpeg takes it for a configuration, as the container's
    first, pictures, used, sets = 0, 0, set(), b""
    try:
        for count, (at, stop) in enumerate(_units(data, length_bytes)):
            kind = data[at] & 31
            if count > MOST_UNITS or kind in (2, 3, 4):
                return None
            if kind in (1, 5):
                first = first or kind
                used.add(data[at] & 0x60 != 0)
                pictures += stop - at > 1 and data[at + 1] & 0x80 != 0  # first_mb_in_slice is 0
            elif kind in (7, 8, 13, 15):
                sets += data[at:stop]
    except ValueError:
        return None
    if pictures != 1 or len(used) != 1:
        return None
    return Look(_kind_of(first == 5, used.pop()), sets)


def _hevc(data: Data, length_bytes: int) -> Look | None:
    kinds, pictures, sets = set(), 0, b""
    try:
        for count, (at, stop) in enumerate(_units(data, length_bytes)):
            if count > MOST_UNITS or stop - at < 3:
                return None
            kind, layer = (data[at] >> 1) & 63, (data[at] & 1) << 5 | data[at + 1] >> 3
            if layer:
                return None
            if kind < 32:
                if data[at + 1] & 7 != 1:
                    return None  # of a higher sub-layer, which may refer to what is else unused
                kinds.add(kind)
                pictures += data[at + 2] & 0x80 != 0  # first_slice_segment_in_pic_flag
            elif kind < 35:
                sets += data[at:stop]
    except ValueError:
        return None
    if pictures != 1 or len(kinds) != 1:
        return None
    only = kinds.pop()
    return Look(_kind_of(16 <= only <= 20, only > 14 or only % 2 == 1), sets)


def _kind_of(access: bool, used: bool) -> Kind:
    if access:
        return Kind.ACCESS
    return Kind.REFERENCE if used else Kind.UNUSED


def _vp8(data: Data) -> Look | None:
    return Look(_kind_of(bool(data) and not data[0] & 1, used=True))


def _vp9(data: Data) -> Look | None:
    if not data or data[0] >> 6 != 2:
        return None
    bit = 2 if data[0] & 0x30 == 0x30 else 3  # profile 3 has a reserved bit
    shows_existing, other = data[0] >> bit & 1, data[0] >> (bit - 1) & 1
    return Look(_kind_of(not shows_existing and not other, used=True))


def _av1(data: Data) -> Look | None:
    """An access point is a key frame that is shown, with its sequence header before it."""
    at, header = 0, False
    for _ in range(MOST_UNITS):
        if at >= len(data):
            return None
        kind, extended, sized = data[at] >> 3 & 15, data[at] >> 2 & 1, data[at] >> 1 & 1
        at += 1 + extended
        size, at = _leb128(data, at) if sized else (len(data) - at, at)
        if at >= len(data) or size > len(data) - at:
            return None
        if kind == 1:
            if data[at] & 8:  # reduced_still_picture_header
                return None
            header = True
        elif kind in (3, 6):
            return Look(_kind_of(header and data[at] & 0xF0 == 0x10, used=True))
        at += size
    return None


def _leb128(data: Data, at: int) -> tuple[int, int]:
    """(value, place behind it) of a number of seven bits a byte, lowest first."""
    value = 0
    for k in range(8):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << (7 * k)
        if not byte & 128:
            break
    return value, at
