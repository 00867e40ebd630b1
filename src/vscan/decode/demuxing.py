"""The packets of an open container to its very end, past whatever the demuxer stumbles over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import av
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream

MAX_READ_ERRORS = 10_000
"""Errors of the demuxer in a row after which the file counts as ended: a transport stream has one
for every 64 KB of rubbish."""
MAX_SEEKS = 16
"""Times that it is sent on in a row, twice as far each time."""
TRIES_AGAIN = ("mov,mp4,m4a,3gp,3g2,mj2",)
"""Demuxers that ask for the same sample again after an error, for ever if its size is absurd."""


@dataclass
class Stumbles:
    """What went wrong while packets were read; counted on by `packets_of`."""

    errors: int = 0
    out_of_memory: bool = False
    """Whether a packet claimed to be larger than the memory allowed."""
    gave_up: bool = False
    """Whether so many errors came in a row that reading ended there."""


def packets_of(
    container: InputContainer,
    streams: Sequence[Stream],
    stumbles: Stumbles,
    begun: Iterator[Packet[Stream]] | None = None,
) -> Iterator[Packet[Stream]]:
    """Packets with data of these streams, in file order.

    An error of the demuxer ends the file only if it persists: one damaged spot must not hide what
    lies behind it. Twice over the same file, the packets are the same ones. begun: `demux` of these
    streams from the first packet on, where it has begun already.
    """
    heard: dict[int, int] = {}
    """By stream, the highest decoding time so far."""
    in_a_row, went_on = 0, False
    while True:
        try:
            every = container.demux(*streams) if begun is None else begun
            begun = None
            for packet in every:
                index, dts = packet.stream_index, packet.dts
                if packet.size:
                    if went_on and dts is not None and dts <= heard.get(index, dts - 1):
                        continue  # it was there before
                    if dts is not None and dts >= heard.get(index, dts):
                        heard[index] = dts
                    in_a_row = 0
                    yield packet
                elif packet.pts is None and dts is None:
                    # PyAV's first packet to flush with. Those that follow it takes from a list
                    # that is too short where streams have appeared on the way.
                    return
            return
        except (MemoryError, av.error.FFmpegError) as error:
            stumbles.errors += 1
            stumbles.out_of_memory |= isinstance(error, MemoryError)
            in_a_row += 1
            tries_again = container.format.name in TRIES_AGAIN
            if in_a_row >= (MAX_SEEKS if tries_again else MAX_READ_ERRORS):
                stumbles.gave_up = True
                return
            if in_a_row > 1 and tries_again:
                went_on |= _go_on(container, heard, 2 ** (in_a_row - 2))


def _go_on(container: InputContainer, heard: Mapping[int, int], frames: int) -> bool:
    """Seeks so many frames past what was heard of a video stream; whether it came to that.

    The decoder is emptied by that, and what it still held counts as lost.
    """
    stream = next((each for each in container.streams.video if each.index in heard), None)
    if stream is None or not stream.time_base or not stream.average_rate:
        return False
    past = round(frames / (stream.average_rate * stream.time_base))
    try:
        container.seek(heard[stream.index] + past, stream=stream, any_frame=True, backward=False)
    except av.error.FFmpegError:
        return False
    return True
