"""Decoded frames to upright RGB, in the colours that they were meant to have."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.frame import VideoFrame

from vscan.decode.limits import ReadLimits
from vscan.decode.orientation import IDENTITY, Orientation, orientation, upright
from vscan.decode.reader import Rgb

UNTIMED = Fraction(1, 1000)
PAGE = 255
"""What a transparent picture lies on, as a viewer's page: white."""


class RgbConverter:
    """Stored frames to upright RGB, through FFmpeg's own scale filter.

    The filter picks matrix, range and chroma position of every pixel format as `ffmpeg` does; the
    graph is built anew when a stream changes its size or format on the way. What is transparent
    shows the page. Raises SourceError `too_large`, and MemoryError.
    """

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._made_for: tuple[object, ...] = ()
        self._graph: av.filter.Graph | None = None
        self._turn: Orientation = IDENTITY

    def __call__(self, frame: VideoFrame) -> Rgb:
        look = (
            frame.width,
            frame.height,
            frame.format.name,
            int(frame.colorspace),
            int(frame.color_range),
            frame.rotation,
        )
        try:
            if self._graph is None or look != self._made_for:
                self._limits.check_size(frame.width, frame.height)
                # Once: PyAV's side data and its frame hold each other until garbage is collected.
                self._turn = orientation(frame)
                self._graph, self._made_for = _rgb_graph(frame), look
            self._graph.push(frame)
            shown = self._graph.pull()
        except av.error.BlockingIOError as error:  # no room for its threads or its picture
            self._graph = None
            raise MemoryError("a frame cannot be converted") from error
        assert isinstance(shown, VideoFrame)  # noqa: S101 - a graph of video filters yields no other
        return upright(_on_page(np.asarray(shown.to_ndarray(), np.uint8)), self._turn)


def _on_page(pixels: Rgb) -> Rgb:
    """RGB (H, W, 3) of pixels (H, W, 3), or of (H, W, 4) with alpha over the page."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    seen = pixels[..., :3] * alpha + PAGE * (255 - alpha)
    return ((seen + 127) // 255).astype(np.uint8)


def _rgb_graph(frame: VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    has_alpha = any(component.is_alpha for component in frame.format.components)
    # A palette may hold transparent colours.
    has_alpha |= frame.format.has_palette
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or UNTIMED,  # one that a decoder was emptied of has none
    )
    scale = graph.add("scale", "flags=bicubic")
    rgb = graph.add("format", "rgba" if has_alpha else "rgb24")
    sink = graph.add("buffersink")
    source.link_to(scale)
    scale.link_to(rgb)
    rgb.link_to(sink)
    graph.configure()
    return graph
