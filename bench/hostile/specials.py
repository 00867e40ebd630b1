"""Special files that are no damaged clip: several streams, covers, odd times, no video at all."""

from __future__ import annotations

import io
import struct
import wave
import zipfile
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from av.video.stream import VideoStream

from bench.hostile.bases import BASES, FASTSTART, X264, Base, make_base, pictures
from bench.hostile.pictures import PICTURES, jpeg_of

Make = Callable[[Path], None]
_PLAIN = Base(".mp4", "libx264", X264, container_options=FASTSTART)


def several_streams(
    path: Path, *, seconds: tuple[float, ...], container: str | None = None
) -> None:
    """A file of several video streams of other content, size and length."""
    with av.open(str(path), "w", format=container) as output:
        streams: list[tuple[VideoStream, int, tuple[int, int]]] = []
        for k, length_s in enumerate(seconds):
            stream = output.add_stream("libx264", rate=10, options=dict(X264))
            assert isinstance(stream, VideoStream)
            size = (160 + 32 * k, 96)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = Fraction(1, 10)
            streams.append((stream, round(10 * length_s), size))
        for k, (stream, count, size) in enumerate(streams):
            for at, rgb in enumerate(pictures(20 + k, count, size)):
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = at, Fraction(1, 10)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))


def with_cover(path: Path, *, sound: str = "", video: bool = False, broken: bool = False) -> None:
    """A file with cover art, beside sound, video, or both."""
    base = path.with_name(f"base-{path.name}")
    if video:
        make_base(base, _PLAIN, seed=9, seconds=4)
    else:
        _sound(base, sound)
    picture = jpeg_of(160, 96)
    picture = picture[:300] + bytes(len(picture) - 300) if broken else picture
    with av.open(str(base)) as source, av.open(str(path), "w") as output:
        streams = {s.index: output.add_stream_from_template(s) for s in source.streams}
        cover = output.add_stream("mjpeg", rate=1)
        assert isinstance(cover, VideoStream)
        cover.width, cover.height, cover.pix_fmt = 160, 96, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        packet = av.Packet(picture)
        packet.stream, packet.pts, packet.dts = cover, 0, 0
        packet.time_base, packet.is_keyframe = Fraction(1, 10), True
        output.start_encoding()
        output.mux_one(packet)
        for each in source.demux():
            if each.dts is not None:
                each.stream = streams[each.stream.index]
                output.mux_one(each)
    base.unlink()


def _sound(path: Path, codec: str = "") -> None:
    if not codec:
        with wave.open(str(path), "wb") as out:
            out.setparams((1, 2, 8000, 0, "NONE", ""))
            out.writeframes(bytes(16_000))
        return
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=44_100, layout="mono")
        assert isinstance(stream, av.AudioStream)
        samples = (np.sin(np.arange(44_100) / 9) * 9000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 44_100, 0
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", frame_size=stream.codec_context.frame_size
        )
        for ready in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(ready))
        output.mux(stream.encode(None))


def _resized(path: Path, suffix: str = ".ts") -> None:
    parts = []
    for k, size in enumerate([(160, 96), (320, 192), (96, 160)]):
        part = path.with_name(f"part-{k}{suffix}")
        make_base(part, Base(suffix, "libx264", X264, size=size), seed=k, seconds=4)
        parts.append(part.read_bytes())
        part.unlink()
    path.write_bytes(b"".join(parts))


def _mid_gop(path: Path) -> None:
    make_base(path, BASES["ts-h264-aac"], seed=3)
    data = path.read_bytes()
    start = len(data) // 188 // 10 * 188 + 7 * 188
    path.write_bytes(data[start:])


def _edit_list(path: Path, *, start_share: float, length_share: float) -> None:
    make_base(path, Base(".mp4", "libx264", X264), seed=4)
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4
    duration, media_time = struct.unpack(">Ii", data[at + 8 : at + 16])
    with av.open(str(path)) as read:
        stream = read.streams.video[0]
        length = stream.duration or 0
    begin = media_time + int(length * start_share)
    data[at + 8 : at + 16] = struct.pack(">Ii", int(duration * length_share), begin)
    path.write_bytes(data)


def _cut_with_claim(path: Path, *, base: str, share: float) -> None:
    make_base(path, BASES[base], seed=6)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def _sparse(path: Path, *, count: int, step_s: float) -> None:
    """Frames `step_s` apart: hours in a few kilobytes."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options=dict(X264))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for k in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), k % 256, np.uint8), "rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = int(k * step_s * 1000), Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _big_frames(path: Path, *, side: int) -> None:
    """One frame of `side` x `side` pixels of one colour: a bomb of a few kilobytes."""
    with av.open(str(path), "w") as output:
        options = {"preset": "ultrafast", "x264-params": "threads=1:rc-lookahead=0:ref=1"}
        stream = output.add_stream("libx264", rate=1, options=options)
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame(side, side, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _vp8_bomb(path: Path) -> None:
    """VP8 whose every keyframe claims 16383 x 16383 pixels (RFC 6386, 9.1)."""
    make_base(path, Base(".webm", "libvpx", {"deadline": "realtime", "g": "5"}), seed=8, seconds=2)
    data = path.read_bytes()
    small = b"\x9d\x01\x2a" + struct.pack("<HH", 160, 96)
    path.write_bytes(data.replace(small, b"\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383)))


def _mjpeg_bomb(path: Path) -> None:
    """Motion JPEG in AVI whose every frame claims 65000 x 65000 pixels."""
    make_base(path, BASES["avi-mjpeg"], seed=8, seconds=2)
    data = path.read_bytes()
    at = data.index(b"\xff\xc0")
    path.write_bytes(data.replace(data[at : at + 9], data[at : at + 5] + b"\xfd\xe8\xfd\xe8"))


def _zipped(path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.mp4", bytes(1000))
    path.write_bytes(buffer.getvalue())


def _bytes(data: bytes) -> Make:
    def make(path: Path) -> None:
        path.write_bytes(data)

    return make


def _two_joined(path: Path, *, first: str, second: str) -> None:
    data = b""
    for seed, name in enumerate((first, second)):
        part = path.with_name(f"part-{seed}{BASES[name].suffix}")
        make_base(part, BASES[name], seed=seed, seconds=6)
        data += part.read_bytes()
        part.unlink()
    path.write_bytes(data)


VIDEOS: Mapping[str, tuple[str, Make]] = {
    "two-streams-mp4": (".mp4", partial(several_streams, seconds=(4.0, 6.0))),
    "two-streams-mkv": (".mkv", partial(several_streams, seconds=(6.0, 2.0))),
    "two-streams-ts": (".ts", partial(several_streams, seconds=(4.0, 4.0))),
    "thirty-streams": (".mp4", partial(several_streams, seconds=(0.5,) * 30)),
    "cover-in-mp3": (".mp3", partial(with_cover, sound="mp3")),
    "cover-beside-sound": (".mp4", partial(with_cover, sound="aac")),
    "cover-in-flac": (".flac", partial(with_cover, sound="flac")),
    "cover-in-mp4": (".mp4", partial(with_cover, video=True)),
    "broken-cover-in-mp4": (".mp4", partial(with_cover, video=True, broken=True)),
    "sound-wav": (".wav", _sound),
    "sound-mp3": (".mp3", partial(_sound, codec="mp3")),
    "sound-m4a": (".m4a", partial(_sound, codec="aac")),
    "sound-named-mp4": (".mp4", partial(_sound, codec="aac")),
    "resized-ts": (".ts", _resized),
    "resized-mpg": (".mpg", partial(_resized, suffix=".mpg")),
    "mid-gop-ts": (".ts", _mid_gop),
    "edit-list-late": (".mp4", partial(_edit_list, start_share=0.43, length_share=0.57)),
    "edit-list-short": (".mp4", partial(_edit_list, start_share=0.0, length_share=0.5)),
    "edit-list-beyond": (".mp4", partial(_edit_list, start_share=0.9, length_share=1.0)),
    "cut-faststart": (
        ".mp4",
        partial(_cut_with_claim, base="mp4-h264-aac-faststart", share=0.34),
    ),
    "cut-fragmented": (".mp4", partial(_cut_with_claim, base="mp4-h264-fragmented", share=0.5)),
    "cut-mkv": (".mkv", partial(_cut_with_claim, base="mkv-h264-aac", share=0.34)),
    "cut-avi": (".avi", partial(_cut_with_claim, base="avi-mpeg4", share=0.34)),
    "cut-flv": (".flv", partial(_cut_with_claim, base="flv-h264-aac", share=0.34)),
    "cut-mp4-without-index": (".mp4", partial(_cut_with_claim, base="mp4-h264", share=0.5)),
    "ten-hours": (".mp4", partial(_sparse, count=360, step_s=100.0)),
    "bomb-thirty-hours": (".mkv", partial(_sparse, count=109, step_s=1000.0)),
    "bomb-h264": (".mp4", partial(_big_frames, side=8192)),
    "bomb-vp8": (".webm", _vp8_bomb),
    "bomb-mjpeg": (".avi", _mjpeg_bomb),
    "joined-ts-of-two-codecs": (
        ".ts",
        partial(_two_joined, first="ts-h264-aac", second="ts-mpeg2"),
    ),
    "joined-mp4-and-mkv": (".mp4", partial(_two_joined, first="mp4-h264", second="mkv-hevc")),
    "joined-mpg": (".mpg", partial(_two_joined, first="mpg-mpeg1", second="vob-mpeg2")),
}
NO_VIDEOS: Mapping[str, tuple[str, Make]] = {
    "one-byte": (".mp4", _bytes(b"\x00")),
    "text": (".mp4", _bytes(b"not a video\n" * 50)),
    "html": (".mkv", _bytes(b"<html><video src='a.mp4'></html>")),
    "svg": (".svg", _bytes(b"<svg xmlns='http://www.w3.org/2000/svg'><image href='a.png'/></svg>")),
    "hls": (".mp4", _bytes(b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n")),
    "concat": (".mp4", _bytes(b"ffconcat version 1.0\nfile /etc/passwd\n")),
    "zip": (".mp4", _zipped),
    "empty-boxes": (".mp4", _bytes(struct.pack(">I4s", 8, b"free") * 2000)),
    "endless-box": (
        ".mp4",
        _bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(64)),
    ),
    "deep-boxes": (
        ".mp4",
        _bytes(
            b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
            + b"".join(struct.pack(">I4s", 8 * (4000 - k), b"trak") for k in range(4000))
        ),
    ),
}
SPECIALS: Mapping[str, tuple[str, Make]] = {**PICTURES, **VIDEOS, **NO_VIDEOS}
"""Name of a special file: its suffix and what makes it."""
