"""The first packets of an open container: looked at for a frame, and handed on from the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import av
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vscan.decode.limits import ReadLimits

FIRST_FRAME_PACKETS = 64
"""Packets tried before a file counts as one whose first frame cannot be decoded."""
EMPTIED = ("h264", "hevc")
"""Codecs whose decoder can be emptied and then serves as if nothing had gone through it. Not all
can: SVQ3's forgets nothing."""
HELD_BYTES = 16 << 20
HELD_PACKETS = 4096
"""Of what was looked at, beyond either of which nothing is handed on: it is demuxed anew."""


class Beginning:
    """A demuxing of all streams that can begin once more, as far as its first packets go."""

    def __init__(self, container: InputContainer) -> None:
        self._every = container.demux(*container.streams)
        self._held: list[Packet[Stream]] | None = []
        self._bytes = 0

    def look(self, stream: VideoStream) -> Iterator[Packet[Stream]]:
        """The stream's packets from the first on, and last the one to flush with. Once."""
        try:
            for packet in self._every:
                self._hold(packet)
                # Packets to flush with have no index of their own.
                if packet.stream is stream:
                    yield packet
        except (MemoryError, av.error.FFmpegError):
            self._held = None  # the error is to be met again, by who counts it
            raise

    def again(self) -> Iterator[Packet[Stream]] | None:
        """As `demux` of all streams, from the first packet on; None where it has to be begun anew.

        Once, when nobody looks any more.
        """
        if self._held is None:
            return None
        held, self._held = self._held, None
        return self._from(held)

    def _from(self, held: list[Packet[Stream]]) -> Iterator[Packet[Stream]]:
        yield from held
        held.clear()
        yield from self._every

    def _hold(self, packet: Packet[Stream]) -> None:
        if self._held is None:
            return
        self._held.append(packet)
        self._bytes += packet.size
        if self._bytes > HELD_BYTES or len(self._held) > HELD_PACKETS:
            self._held = None


def first_frame(
    beginning: Beginning, stream: VideoStream, limits: ReadLimits
) -> tuple[VideoFrame | None, bool]:
    """The first frame that decodes, or None where the first packets hold none; and whether the
    decoder has had no other and is empty."""
    context = stream.codec_context
    context.thread_count = 1
    context.options = {"max_pixels": str(limits.max_pixels)}
    tried, alone = 0, context.codec.canonical_name in EMPTIED
    try:
        for packet in beginning.look(stream):
            tried += not packet.is_discard  # what an edit list hides may be long
            if alone and packet.is_keyframe and not packet.is_discard:
                with suppress(av.error.FFmpegError, ValueError):
                    for frame in _decoded_alone(stream, packet):
                        return frame, True
            alone = False
            try:
                for frame in stream.decode(packet):
                    return frame, False
            except av.error.MemoryError:
                raise
            except (av.error.FFmpegError, ValueError):
                pass
            if tried >= FIRST_FRAME_PACKETS:
                break
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        pass
    return None, False


def _decoded_alone(stream: VideoStream, packet: Packet[Stream]) -> list[VideoFrame]:
    """What a keyframe yields without those behind it, for which a decoder that reorders waits; it
    is left empty."""
    try:
        return stream.decode(packet) or stream.decode(None)
    finally:
        stream.codec_context.flush_buffers()
