"""Packets kept in memory from the look over a file, so that readings need not demux it again."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from functools import cache

import av
from av.packet import Packet
from av.stream import Stream

KEPT_BYTES = 32 << 20
"""Of one file, at most: beyond it only keyframes are kept, and beyond it again nothing."""
PACKET_BYTES = 512
"""What a packet takes beside its data: FFmpeg's structures and PyAV's, padding, side data."""


def kept_bytes(memory_bytes: int) -> int:
    """How much a reader keeps that may take so much memory: KEPT_BYTES, or a 32nd of it."""
    return min(KEPT_BYTES, memory_bytes // 32)


class Kept:
    """Packets of a file's video streams, in file order, up to `most` bytes of them.

    They are as the demuxer made them, whose memory they hold on to: `most` bytes, and while packets
    are added one packet more. Of a file of more bytes only keyframes are kept from the first on.
    """

    def __init__(self, most: int, file_bytes: int) -> None:
        self._most = most
        self._bytes = 0
        self._all = file_bytes <= most
        self._packets: dict[int, list[Packet[Stream]]] = {}

    def add(self, packet: Packet[Stream]) -> None:
        """Keep the next packet, if there is room."""
        if not self._most or not (self._all or packet.is_keyframe):
            return
        index = packet.stream_index
        packet.stream = _nowhere()
        self._packets.setdefault(index, []).append(packet)
        self._bytes += _cost(packet)
        if self._bytes > self._most and self._all:
            self._all = False
            for packets in self._packets.values():
                packets[:] = [each for each in packets if each.is_keyframe]
            self._bytes = sum(_cost(each) for every in self._packets.values() for each in every)
        if self._bytes > self._most:
            self._most = 0
            self.keep_only(())

    def keep_only(self, indices: Collection[int]) -> None:
        """Drop the packets of all streams but these."""
        self._packets = {at: found for at, found in self._packets.items() if at in indices}

    def of(self, index: int, *, keyframes: bool) -> Sequence[Packet[Stream]] | None:
        """The packets of a stream, all of them or, with `keyframes`, at least those that are marked
        as such; None where they were not kept."""
        return self._packets.get(index) if self._all or keyframes else None


def _cost(packet: Packet[Stream]) -> int:
    return packet.size + PACKET_BYTES


@cache
def _nowhere() -> Stream:
    """A stream for packets that have left theirs: by it they would hold on to the container that
    they came from, and to all that its decoders hold."""
    return av.open(io.BytesIO(), "w", format="matroska").add_data_stream()
