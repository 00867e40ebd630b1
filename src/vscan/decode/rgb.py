"""Decoded frames to upright RGB, in the colours that they were meant to have."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.frame import VideoFrame

from vscan.decode.container import translated
from vscan.decode.limits import ReadLimits
from vscan.decode.orientation import IDENTITY, Orientation, orientation, upright
from vscan.decode.picture import framed, model_picture, resized_size
from vscan.decode.reader import Rgb
from vscan.media import ImageSpec

UNTIMED = Fraction(1, 1000)
PAGE = 255
"""What a transparent picture lies on, as a viewer's page: white."""
_SWAPPED = ("555be", "565be", "444be")
"""RGB of 16 bits a pixel in big-endian order, as QuickTime's animations have it."""
MOST_SHRUNK = 30
"""Times that the filter scales a side down at most: its kernels have 256 coefficients at most, and
the bicubic one takes four for each."""


class Converter:
    """Stored frames to upright RGB, whole or in a model's size, through FFmpeg's own scale filter.

    The filter picks matrix, range and chroma position of every pixel format as `ffmpeg` does; the
    graphs are built anew when a stream changes its size or format on the way. What is transparent
    shows the page.
    """

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._made_for: tuple[object, ...] = ()
        self._graphs: dict[tuple[int, int] | None, av.filter.Graph] = {}
        """By size, None: as stored."""
        self._turn: Orientation = IDENTITY

    def picture(self, frame: VideoFrame) -> Stored:
        """The frame, converted when it is asked for."""
        return Stored(frame, self)

    def rgb(self, frame: VideoFrame) -> Rgb:
        """All of it, (H, W, 3).

        Raises SourceError: `too_large`, `memory_limit`, `decode_failed`.
        """
        with translated("converted to RGB"):
            self._look(frame)
            return upright(_on_page(self._converted(frame, None)), self._turn)

    def for_model(self, frame: VideoFrame, spec: ImageSpec) -> Rgb:
        """The model's picture, scaled on the way to RGB; raises as `rgb` does.

        Where a frame is to be made larger, is transparent in parts, or is that much larger that the
        filter refuses, it is scaled by `picture.model_picture`.
        """
        with translated("scaled"):
            self._look(frame)
        stored = frame.width, frame.height
        turned = self._turn[0][0] == 0
        width, height = resized_size(*(stored[::-1] if turned else stored), spec)
        size = (height, width) if turned else (width, height)
        shrinks = all(o <= s <= MOST_SHRUNK * o for s, o in zip(stored, size, strict=True))
        if not shrinks or _has_alpha(frame):
            return model_picture(self.rgb(frame), spec)
        with translated("scaled"):
            return framed(upright(self._converted(frame, (size, spec)), self._turn), spec)

    def _look(self, frame: VideoFrame) -> None:
        look = (
            frame.width,
            frame.height,
            frame.format.name,
            int(frame.colorspace),
            int(frame.color_range),
            frame.rotation,
        )
        if look == self._made_for:
            return
        self._graphs.clear()
        self._limits.check_size(frame.width, frame.height)
        # Once: PyAV's side data and its frame hold each other until garbage is collected.
        self._turn = orientation(frame)
        self._made_for = look

    def _converted(
        self, frame: VideoFrame, scaled: tuple[tuple[int, int], ImageSpec] | None
    ) -> Rgb:
        """Pixels as stored, not turned; scaled: to which size, for which model."""
        key = None if scaled is None else scaled[0]
        try:
            if key not in self._graphs:
                self._graphs[key] = _rgb_graph(frame, scaled)
            self._graphs[key].push(frame)
            shown = self._graphs[key].pull()
        except av.error.BlockingIOError as error:  # no room for its threads or its picture
            self._graphs.clear()
            raise MemoryError("a frame cannot be converted") from error
        assert isinstance(shown, VideoFrame)  # noqa: S101 - a graph of video filters yields no other
        return np.asarray(shown.to_ndarray(), np.uint8)


@dataclass(frozen=True, eq=False)
class Stored:
    """A frame as its decoder left it."""

    frame: VideoFrame
    converter: Converter

    def rgb(self) -> Rgb:
        """As Converter.rgb."""
        return self.converter.rgb(self.frame)

    def for_model(self, spec: ImageSpec) -> Rgb:
        """As Converter.for_model."""
        return self.converter.for_model(self.frame, spec)


def _on_page(pixels: Rgb) -> Rgb:
    """RGB (H, W, 3) of pixels (H, W, 3), or of (H, W, 4) with alpha over the page."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    seen = pixels[..., :3] * alpha + PAGE * (255 - alpha)
    return ((seen + 127) // 255).astype(np.uint8)


def _has_alpha(frame: VideoFrame) -> bool:
    # A palette may hold transparent colours.
    return frame.format.has_palette or any(each.is_alpha for each in frame.format.components)


def _rgb_graph(
    frame: VideoFrame, scaled: tuple[tuple[int, int], ImageSpec] | None
) -> av.filter.Graph:
    steps = [("scale", "flags=bicubic")]
    if frame.format.name.endswith(_SWAPPED):
        # Taken for little-endian where nothing is scaled.
        steps = [("scale", ""), ("format", f"{frame.format.name[:-2]}le"), *steps]
    if scaled is not None:
        (width, height), spec = scaled
        # Pillow's kernels: Keys' with a = -0.5, and the triangle; both widen as a frame shrinks.
        kernel = f"{spec.interpolation}+accurate_rnd+full_chroma_int:param0=0:param1=0.5"
        steps = [("scale", f"{width}:{height}:flags={kernel}")]
        if len(frame.format.components) == 3 and not frame.format.is_rgb:
            # Plane by plane and then to RGB: half the work of both in one; 10 bits lose nothing.
            steps += [("format", "yuv444p10le"), ("scale", "flags=bicubic")]
    steps += [("format", "rgba" if _has_alpha(frame) else "rgb24"), ("buffersink", "")]
    graph = av.filter.Graph()
    graph.threads = 1  # the cores have readers
    last = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or UNTIMED,  # one that a decoder was emptied of has none
    )
    for name, options in steps:
        step = graph.add(name, options or None)
        last.link_to(step)
        last = step
    graph.configure()
    return graph
