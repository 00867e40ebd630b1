"""A model's picture made on the way to RGB is as open_clip would make it, but for rounding."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from tests.media_factory import scene_frames
from vscan.decode.limits import ReadLimits
from vscan.decode.picture import model_picture
from vscan.decode.rgb import Converter
from vscan.embeddings.openclip import load_encoder
from vscan.media import ImageSpec

SPECS = [
    ImageSpec(64, 64, "shortest", "bicubic"),
    ImageSpec(64, 48, "shortest", "bicubic"),
    ImageSpec(48, 64, "squash", "bicubic"),
    ImageSpec(64, 64, "longest", "bilinear", fill=127),
]
CORPUS = os.environ.get("VSCAN_CORPUS")
KEYFRAMES_EACH = 4


def frame_of(pixels: NDArray[np.uint8], pix_fmt: str) -> VideoFrame:
    """A frame as a decoder would leave it."""
    made = VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=pix_fmt)
    made.pts, made.time_base = 0, Fraction(1, 25)
    return made


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv422p10le", "gray", "gbrp", "nv12"])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_agrees_with_pillow(spec: ImageSpec, pix_fmt: str) -> None:
    """In every size and mode, for frames high, wide and odd: the same picture within rounding."""
    converter = Converter(ReadLimits())
    for width, height in [(320, 180), (181, 323), (150, 300)]:
        (pixels,) = scene_frames(seed=3, count=1, width=width, height=height)
        frame = frame_of(pixels, pix_fmt)
        picture = converter.for_model(frame, spec)
        expected = model_picture(converter.rgb(frame), spec)
        assert expected.shape == picture.shape == (spec.height, spec.width, 3)
        off = np.abs(picture.astype(int) - expected)
        assert off.mean() < 2.0
        assert np.percentile(off, 99) <= 24


def test_what_the_filter_cannot_do() -> None:
    """A frame that is made larger, and one with transparent parts, is Pillow's bit for bit."""
    converter = Converter(ReadLimits())
    (pixels,) = scene_frames(seed=3, count=1, width=40, height=30)
    for frame, spec in [
        (frame_of(pixels, "yuv420p"), ImageSpec(64, 64)),
        (frame_of(pixels, "rgba"), ImageSpec(16, 16)),
    ]:
        expected = model_picture(converter.rgb(frame), spec)
        np.testing.assert_array_equal(expected, converter.for_model(frame, spec))


@pytest.mark.parametrize("pix_fmt", ["rgb555be", "bgr565be", "rgb444be", "rgb555le", "rgb48be"])
def test_packed_rgb_keeps_its_colours(pix_fmt: str) -> None:
    """Whichever byte comes first, whole and scaled; 16 colours to a channel are told apart."""
    (pixels,) = scene_frames(seed=3, count=1, width=120, height=90)
    frame, converter = frame_of(pixels, pix_fmt), Converter(ReadLimits())
    assert np.abs(converter.rgb(frame).astype(int) - pixels).mean() < 10
    spec = ImageSpec(40, 30, "squash")
    expected = model_picture(pixels, spec)
    assert np.abs(converter.for_model(frame, spec).astype(int) - expected).mean() < 10


def test_far_too_large() -> None:
    """A frame fifty times as large as the picture is scaled all the same."""
    spec, wide = ImageSpec(8, 8, "squash"), np.zeros((16, 400, 3), np.uint8)
    wide[:, 200:] = 250
    picture = Converter(ReadLimits()).for_model(frame_of(wide, "yuv420p"), spec)
    assert picture[:, :3].max() < 20
    assert picture[:, 5:].min() > 230


def corpus_frames() -> Iterator[VideoFrame]:
    """The first keyframes of every video of the corpus that opens."""
    for path in sorted(Path(CORPUS or "").rglob("*.*")):
        try:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                stream.codec_context.skip_frame = "NONKEY"
                for _, frame in zip(range(KEYFRAMES_EACH), container.decode(stream), strict=False):
                    yield frame
        except (av.error.FFmpegError, IndexError, UnicodeDecodeError):
            continue


@pytest.mark.skipif(CORPUS is None, reason="needs VSCAN_CORPUS")
def test_the_model_sees_no_difference() -> None:
    """On real frames the vectors of both pictures have a cosine of 0.999 or more."""
    encoder, converter = load_encoder("builtin", precision="fp32"), Converter(ReadLimits())
    spec = encoder.image_spec
    pairs = [
        (converter.for_model(frame, spec), model_picture(converter.rgb(frame), spec))
        for frame in corpus_frames()
    ]
    assert len(pairs) > 20
    one, other = (encoder.encode_images(np.stack(side)) for side in zip(*pairs, strict=True))
    cosines = np.einsum("td,td->t", one, other)
    assert cosines.min() >= 0.999
    assert np.median(cosines) >= 0.9995
