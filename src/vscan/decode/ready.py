"""The decoder that the probe opened, taken over by the first reading."""

from __future__ import annotations

from av.container.input import InputContainer
from av.video.stream import VideoStream


class ReadyDecoder:
    """A container kept open for the decoder of one of its streams, which decodes in one thread.

    To open a file anew costs as much as decoding a keyframe. Nothing is demuxed from this one: it
    is given packets that were kept. It serves once: a decoder through which pictures have gone
    gives their memory to the next ones, and where those are damaged, what is left of it shows.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        """stream: whose decoder has had no more than the first frame, alone."""
        self.index = stream.index
        """The stream's place among the container's."""
        self._container: InputContainer | None = container
        self._stream = stream

    @property
    def is_there(self) -> bool:
        """Whether nobody took it."""
        return self._container is not None

    def take(self) -> InputContainer:
        """The open container, which the caller closes; the stream's decoder is empty."""
        container, self._container = self._container, None
        if container is None:
            raise RuntimeError("the decoder was taken before")
        self._stream.codec_context.flush_buffers()
        return container

    def close(self) -> None:
        """Close the container, unless it was taken."""
        container, self._container = self._container, None
        if container is not None:
            container.close()
