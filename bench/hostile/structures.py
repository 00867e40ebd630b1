"""Mutators that know a container: boxes of mp4, elements of Matroska, chunks of AVI, packets."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import av
import numpy as np
from av.packet import Packet
from av.stream import Stream

from bench.hostile.mutators import ANYWHERE, TRANSPORT, Mutator

_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf", b"mvex")
"""Boxes that hold boxes (ISO/IEC 14496-12)."""


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, bytes]]:
    """(offset, size, kind) of every box, parents before their children."""
    end, at = len(data) if end is None else end, start
    while at + 8 <= end:
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if size < 8 or at + size > end:
            return
        yield at, size, kind
        if kind in _PARENTS:
            yield from boxes(data, at + 8, at + size)
        at += size


def double_box(rng: np.random.Generator, data: bytes) -> bytes:
    """A box stands twice; the sizes of those around it stay as they are."""
    at, size, _ = _one_box(rng, data)
    return data[: at + size] + data[at:]


def swap_boxes(rng: np.random.Generator, data: bytes) -> bytes:
    """The file's outermost boxes in another order."""
    outer, at = [], 0
    while at + 8 <= len(data):
        size = max(8, struct.unpack(">I", data[at : at + 4])[0])
        outer.append(data[at : at + size])
        at += size
    return b"".join(outer[k] for k in rng.permutation(len(outer)))


def bad_box_size(rng: np.random.Generator, data: bytes) -> bytes:
    """A box claims another size: nothing, too little, too much or 4 GB."""
    at, size, _ = _one_box(rng, data)
    claimed = [0, 7, size - 1, size + 9, size * 3, 0xFFFFFFFF][int(rng.integers(6))]
    return data[:at] + struct.pack(">I", claimed & 0xFFFFFFFF) + data[at + 4 :]


def rename_box(rng: np.random.Generator, data: bytes) -> bytes:
    """A box is named something that no reader knows."""
    at, _, _ = _one_box(rng, data)
    return data[: at + 4] + b"zzzz" + data[at + 8 :]


def bad_box_value(rng: np.random.Generator, data: bytes) -> bytes:
    """A 32-bit word within a sample table or a header becomes 0, -1 or any number."""
    tables = (b"stts", b"ctts", b"stsc", b"stsz", b"stco", b"stss", b"mdhd", b"elst", b"trun")
    found = [(at, size) for at, size, kind in boxes(data) if kind in tables and size >= 24]
    if not found:
        return ANYWHERE["flip-head-bits"](rng, data)
    at, size = found[int(rng.integers(len(found)))]
    word = at + 12 + 4 * int(rng.integers((size - 12) // 4))
    value = [0, 0xFFFFFFFF, int(rng.integers(1 << 32)), 1 << 20][int(rng.integers(4))]
    return data[:word] + struct.pack(">I", value) + data[word + 4 :]


def bad_durations(rng: np.random.Generator, data: bytes) -> bytes:
    """Every header claims a tenth of the duration, ten times as much, or a year."""
    out = bytearray(data)
    factor = [0.1, 10.0, 1e6][int(rng.integers(3))]
    places = {b"mvhd": 24, b"mdhd": 24, b"tkhd": 28}
    for at, size, kind in boxes(data):
        if kind in places and size > 32 and data[at + 8] == 0:
            where = at + places[kind]
            (value,) = struct.unpack(">I", data[where : where + 4])
            out[where : where + 4] = struct.pack(">I", min(0xFFFFFFFE, int(value * factor)))
    return bytes(out)


def _one_box(rng: np.random.Generator, data: bytes) -> tuple[int, int, bytes]:
    found = list(boxes(data)) or [(0, min(8, len(data)), b"none")]
    return found[int(rng.integers(len(found)))]


def bad_cluster_times(rng: np.random.Generator, data: bytes) -> bytes:
    """The timestamps of some Matroska clusters become other ones."""
    out, at = bytearray(data), 0
    while (at := data.find(b"\x1f\x43\xb6\x75", at)) >= 0:  # Cluster
        time = data.find(b"\xe7", at, at + 24)  # Timestamp
        if time >= 0 and rng.random() < 0.5:
            width = min(8, data[time + 1] & 0x7F)
            out[time + 2 : time + 2 + width] = rng.bytes(width)
        at += 4
    return bytes(out)


def bad_segment_duration(rng: np.random.Generator, data: bytes) -> bytes:
    """A Matroska file claims ten times its duration, or a thousandth."""
    at = data.find(b"\x44\x89\x88")
    if at < 0:
        return ANYWHERE["flip-head-bits"](rng, data)
    (value,) = struct.unpack(">d", data[at + 3 : at + 11])
    factor = [10.0, 0.001][int(rng.integers(2))]
    return data[: at + 3] + struct.pack(">d", value * factor) + data[at + 11 :]


def damaged_index(rng: np.random.Generator, data: bytes) -> bytes:
    """An AVI file whose index holds noise, or is named something else."""
    at = data.rfind(b"idx1")
    if at < 0 or rng.random() < 0.5:
        return data.replace(b"idx1", b"zdx1")
    return data[: at + 8] + rng.bytes(len(data) - at - 8)


MP4: Mapping[str, Mutator] = {
    "double-box": double_box,
    "swap-boxes": swap_boxes,
    "bad-box-size": bad_box_size,
    "rename-box": rename_box,
    "bad-box-value": bad_box_value,
    "bad-durations": bad_durations,
}
MATROSKA: Mapping[str, Mutator] = {
    "bad-cluster-times": bad_cluster_times,
    "bad-segment-duration": bad_segment_duration,
}
AVI: Mapping[str, Mutator] = {"damaged-index": damaged_index}
_BY_SUFFIX = {
    ".mp4": MP4,
    ".mov": MP4,
    ".3gp": MP4,
    ".mkv": MATROSKA,
    ".webm": MATROSKA,
    ".avi": AVI,
    ".ts": TRANSPORT,
}


def mutators_for(suffix: str) -> Mapping[str, Mutator]:
    """Every mutator of bytes that a file of that suffix may be given."""
    return {**ANYWHERE, **_BY_SUFFIX.get(suffix, {})}


def remuxed(rng: np.random.Generator, source: Path, target: Path, container: str | None) -> None:
    """The packets of a file written anew, with some left out, doubled, damaged or out of time."""
    way = int(rng.integers(4))
    with av.open(str(source)) as read, av.open(str(target), "w", format=container) as written:
        streams: dict[int, Stream] = {}
        for stream in read.streams:
            if stream.type in ("video", "audio"):
                streams[stream.index] = written.add_stream_from_template(stream)
        last: dict[int, int] = {}
        for packet in read.demux():
            if packet.dts is None or packet.stream.index not in streams:
                continue
            index = packet.stream.index
            if rng.random() < 0.05:
                if way == 0 and not packet.is_keyframe:
                    continue
                _spoil(rng, packet, way)
            packet.stream = streams[index]
            if packet.dts is not None and packet.dts <= last.get(index, packet.dts - 1):
                packet.dts = last[index] + 1
            last[index] = packet.dts or 0
            if packet.pts is not None and packet.dts is not None:
                packet.pts = max(packet.pts, packet.dts)
            written.mux_one(packet)


def _spoil(rng: np.random.Generator, packet: Packet[Stream], way: int) -> None:
    if way == 1 and packet.size > 40:
        damaged = bytearray(bytes(packet))
        at = int(rng.integers(8, packet.size - 16))
        damaged[at : at + 16] = rng.bytes(16)
        packet.update(bytes(damaged))
    elif way == 2 and packet.pts is not None:
        packet.pts += int(rng.integers(1, 40))
    elif way == 3 and packet.pts is not None and packet.dts is not None:
        leap = int(0.4 / float(packet.time_base or 1))
        packet.pts, packet.dts = packet.pts + leap, packet.dts + leap
