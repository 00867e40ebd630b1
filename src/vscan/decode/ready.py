"""The decoder that the probe opened, lent to one reading of the file after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

REMEMBERS = ("h264", "hevc")
"""Codecs whose decoder, emptied, still knows the parameter sets that came with the first packet."""


class ReadyDecoder:
    """A container kept open for the decoder of one of its streams, which decodes in one thread.

    To open a file anew costs as much as decoding a keyframe. Nothing is demuxed from this one: it
    is given packets that were kept. Emptied between readings it remembers parameter sets and how
    many frames are reordered, so it serves only readings that know which frames must come out.
    """

    def __init__(
        self, container: InputContainer, stream: VideoStream, first: VideoFrame | None
    ) -> None:
        """first: the first frame, where it was decoded already."""
        self._container: InputContainer | None = container
        self._stream = stream
        self._first = first

    @property
    def index(self) -> int:
        """The stream's place among the container's."""
        return self._stream.index

    @property
    def serves(self) -> bool:
        """Whether it can be lent: it is not closed, and no reading failed."""
        return self._container is not None

    @contextmanager
    def lent(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        """The open container and its stream, whose decoder holds nothing. It serves no more after
        a reading that raises."""
        container = self._container
        if container is None:
            raise RuntimeError("the decoder is closed")
        self._stream.codec_context.flush_buffers()
        try:
            yield container, self._stream
        except GeneratorExit:  # the reading was left, which is no fault of the decoder
            raise
        except BaseException:
            self.close()
            raise

    def first_of(self, packet: Packet[Stream]) -> VideoFrame | None:
        """The frame of the stream's first packet, decoded before; None for others. Once."""
        first = self._first
        if first is None or first.pts is None or first.pts != packet.pts:
            return None
        self._first = None
        alone = packet.is_keyframe and not first.is_corrupt
        remembers = self._stream.codec_context.codec.canonical_name in REMEMBERS
        return first if alone and remembers else None

    def close(self) -> None:
        """Lets go of container and frame."""
        container, self._container, self._first = self._container, None, None
        if container is not None:
            container.close()
