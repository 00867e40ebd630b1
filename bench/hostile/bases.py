"""Base clips of the hostile corpus: short videos in many containers and codecs, made with PyAV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

FPS = 10
SECONDS = 12
WIDTH, HEIGHT = 160, 96
AUDIO_RATE = 16_000
X264 = {"preset": "ultrafast", "x264-params": "bframes=2:keyint=20:scenecut=0:threads=1"}
X265 = {"preset": "ultrafast", "x265-params": "keyint=20:bframes=2:log-level=none:pools=1"}
AV1 = {"preset": "10", "svtav1-params": "lp=1:keyint=20"}
VPX = {"deadline": "realtime", "cpu-used": "8", "g": "20"}
MPEG = {"g": "20", "bf": "2"}


@dataclass(frozen=True)
class Base:
    """How one base clip is made."""

    suffix: str
    codec: str
    options: Mapping[str, str] = field(default_factory=dict)
    pix_fmt: str = "yuv420p"
    audio: str = ""
    """Encoder of a tone beside the video; empty: no sound."""
    container: str | None = None
    container_options: Mapping[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (WIDTH, HEIGHT)
    fps: int = FPS


FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
FASTSTART = {"movflags": "faststart"}

BASES: Mapping[str, Base] = {
    "mp4-h264": Base(".mp4", "libx264", X264),
    "mp4-h264-aac-faststart": Base(
        ".mp4", "libx264", X264, audio="aac", container_options=FASTSTART
    ),
    "mp4-h264-fragmented": Base(".mp4", "libx264", X264, audio="aac", container_options=FRAGMENTED),
    "mp4-hevc": Base(".mp4", "libx265", X265, container_options=FASTSTART),
    "mp4-av1": Base(".mp4", "libsvtav1", AV1, container_options=FASTSTART),
    "mp4-mpeg4": Base(".mp4", "mpeg4", MPEG, audio="aac", container_options=FASTSTART),
    "mov-mjpeg": Base(".mov", "mjpeg", pix_fmt="yuvj420p"),
    "mov-prores": Base(".mov", "prores_ks", pix_fmt="yuv422p10le"),
    "mkv-h264-aac": Base(".mkv", "libx264", X264, audio="aac"),
    "mkv-hevc": Base(".mkv", "libx265", X265),
    "mkv-ffv1": Base(".mkv", "ffv1"),
    "mkv-mpeg2": Base(".mkv", "mpeg2video", MPEG),
    "webm-vp8": Base(".webm", "libvpx", VPX, audio="libopus"),
    "webm-vp9": Base(".webm", "libvpx-vp9", VPX, audio="libopus"),
    "webm-av1": Base(".webm", "libsvtav1", AV1),
    "avi-mpeg4": Base(".avi", "mpeg4", MPEG, audio="mp3"),
    "avi-mjpeg": Base(".avi", "mjpeg", pix_fmt="yuvj420p"),
    "avi-h264": Base(".avi", "libx264", X264 | {"x264-params": "bframes=0:keyint=20:threads=1"}),
    "ts-h264-aac": Base(".ts", "libx264", X264, audio="aac"),
    "ts-mpeg2": Base(".ts", "mpeg2video", MPEG, audio="mp2"),
    "ts-hevc": Base(".ts", "libx265", X265),
    "mpg-mpeg1": Base(".mpg", "mpeg1video", MPEG, audio="mp2", fps=25),
    "vob-mpeg2": Base(".vob", "mpeg2video", MPEG, audio="mp2"),
    "flv-h264-aac": Base(".flv", "libx264", X264, audio="aac"),
    "flv-flv1": Base(".flv", "flv", {"g": "20"}),
    "ogv-vp8": Base(".ogv", "libvpx", VPX, container="ogg"),
    "wmv-wmv2": Base(".wmv", "wmv2", {"g": "20"}, audio="mp3"),
    "nut-h264": Base(".nut", "libx264", X264),
    "mxf-mpeg2": Base(".mxf", "mpeg2video", MPEG, fps=25),
    "3gp-h263": Base(".3gp", "h263", size=(176, 144)),
    "gif": Base(".gif", "gif", pix_fmt="rgb8"),
    "apng": Base(".apng", "apng", pix_fmt="rgb24", container="apng"),
    "h264": Base(".h264", "libx264", X264, container="h264"),
    "ivf-vp9": Base(".ivf", "libvpx-vp9", VPX),
}
"""Name of a base clip, container first, and how it is made."""


def pictures(seed: int, count: int, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """(H, W, 3) frames of a drifting texture, other ones for another seed."""
    width, height = size
    rng = np.random.default_rng(seed)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [(rng.uniform(2, 12, 2), rng.uniform(0, 6.28), rng.normal(size=3)) for _ in range(5)]
    for k in range(count):
        picture = np.full((height, width, 3), 128, np.float32)
        for (u, v), phase, colour in waves:
            wave = np.sin(6.28 * (u * (xs + 2 * k) / width + v * ys / height) + phase)
            picture += 40 * wave[..., None] * colour
        yield np.clip(picture, 0, 255).astype(np.uint8)


def make_base(path: Path, base: Base, *, seed: int, seconds: float = SECONDS) -> Path:
    """Encodes one base clip into `path`."""
    count = round(seconds * base.fps)
    options = dict(base.container_options)
    with av.open(str(path), "w", format=base.container, container_options=options) as output:
        video = output.add_stream(base.codec, rate=base.fps, options=dict(base.options))
        assert isinstance(video, VideoStream)
        video.width, video.height = base.size
        video.pix_fmt = base.pix_fmt
        video.codec_context.thread_count = 1
        video.codec_context.time_base = Fraction(1, base.fps)
        sound = _tone(output, base.audio)
        for k, rgb in enumerate(pictures(seed, count, base.size)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=base.pix_fmt)
            frame.pts, frame.time_base = k, Fraction(1, base.fps)
            output.mux(video.encode(frame))
            if sound is not None:
                sound.until((k + 1) / base.fps)
        output.mux(video.encode(None))
        if sound is not None:
            sound.end()
    return path


class _Tone:
    """A tone that keeps step with the video."""

    def __init__(self, output: av.container.OutputContainer, stream: AudioStream) -> None:
        self._output = output
        self._stream = stream
        self._size = stream.codec_context.frame_size or 1024
        self._at = 0

    def until(self, time_s: float) -> None:
        """Encode as far as `time_s`."""
        while self._at + self._size <= time_s * AUDIO_RATE:
            wave = np.sin(np.arange(self._at, self._at + self._size) * 0.17) * 8000
            frame = AudioFrame.from_ndarray(
                wave.astype(np.int16)[None, :], format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts = AUDIO_RATE, self._at
            frame.time_base = Fraction(1, AUDIO_RATE)
            self._output.mux(self._stream.encode(frame))
            self._at += self._size

    def end(self) -> None:
        """Flush the encoder."""
        self._output.mux(self._stream.encode(None))


def _tone(output: av.container.OutputContainer, codec: str) -> _Tone | None:
    if not codec:
        return None
    stream = output.add_stream(codec, rate=AUDIO_RATE, layout="mono")
    assert isinstance(stream, AudioStream)
    stream.codec_context.bit_rate = 32_000
    stream.codec_context.open(strict=False)
    return _Tone(output, stream)
