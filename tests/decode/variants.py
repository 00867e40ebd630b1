"""The clips of the frame-identity suite: containers, codecs and the pitfalls of time."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import av

from tests.media_factory import Clip, barcode_clip, barcode_frame, write_video

COUNT = 60
FPS = 30
X264_B = {"x264-params": "bframes=3:b-adapt=0:keyint=12:scenecut=0:open-gop=0"}
X264_OPEN = {"x264-params": "bframes=3:b-adapt=0:keyint=12:scenecut=0:open-gop=1"}
X264_REFRESH = {"x264-params": "bframes=0:keyint=20:intra-refresh=1"}
X264_PLAIN = {"x264-params": "bframes=0:keyint=12:scenecut=0"}
X265_B = {"x265-params": "bframes=3:keyint=12:open-gop=0:log-level=none:pools=1"}
X265_OPEN = {"x265-params": "bframes=3:keyint=12:open-gop=1:log-level=none:pools=1"}
AV1 = {"preset": "8", "crf": "10", "svtav1-params": "lp=1:keyint=12"}
VPX = {"deadline": "realtime", "cpu-used": "8", "g": "12"}
VPX_ALT = {
    "deadline": "good",
    "cpu-used": "5",
    "g": "30",
    "auto-alt-ref": "1",
    "lag-in-frames": "16",
}
VFR_MS = [k * 33 + (k * k * 7) % 19 + (400 if k >= 30 else 0) for k in range(COUNT)]


def _edit_list(path: Path, *, cut: int) -> Clip:
    """An mp4 whose edit list begins `cut` frames into the media: no keyframe stands there."""
    barcode_clip(path, count=COUNT, fps=FPS, options=X264_B)
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4
    version, entries = data[at], struct.unpack(">I", data[at + 4 : at + 8])[0]
    assert (version, entries) == (0, 1), "the muxer changed how it writes edit lists"
    duration, media_time = struct.unpack(">Ii", data[at + 8 : at + 16])
    with av.open(str(path)) as container:
        base = container.streams.video[0].time_base
    assert base is not None
    ticks = int(cut / FPS / base)
    shorter = duration - int(duration * cut / COUNT)
    data[at + 8 : at + 16] = struct.pack(">Ii", shorter, media_time + ticks)
    path.write_bytes(data)
    times = tuple((k - cut) / FPS for k in range(cut, COUNT))
    return Clip(path, times, first=cut)


def _resized(path: Path) -> Clip:
    """A transport stream whose second half has frames of twice the size."""
    data = b""
    for part, (width, height) in enumerate([(160, 96), (320, 192)]):
        piece = path.with_name(f"{part}-{path.name}")
        half = range(part * COUNT // 2, (part + 1) * COUNT // 2)
        write_video(
            piece,
            (barcode_frame(k, width=width, height=height) for k in half),
            ticks=list(half),
            options=X264_PLAIN,
            container_options={"muxdelay": "0"},
        )
        data += piece.read_bytes()
    path.write_bytes(data)
    return Clip(path, tuple(k / FPS for k in range(COUNT)))


def _cut_open_gop(path: Path) -> Clip:
    """A stream cut at the second keyframe of an open GOP: the frames shown before that keyframe
    refer to what was cut off, and no player shows them."""
    whole = path.with_name(f"whole-{path.name}")
    barcode_clip(whole, count=COUNT, fps=FPS, options=X264_OPEN)
    with av.open(str(whole)) as source, av.open(str(path), "w") as output:
        video = source.streams.video[0]
        stream = output.add_stream_from_template(video)
        keyframes = 0
        for packet in source.demux(video):
            keyframes += packet.is_keyframe and packet.size > 0
            if keyframes >= 2 and packet.size:
                packet.stream = stream
                output.mux(packet)
    with av.open(str(path)) as written:
        stream_in = written.streams.video[0]
        start, base = stream_in.start_time, stream_in.time_base
        assert start is not None and base is not None
        times = (packet.pts for packet in written.demux(stream_in))
        ticks = sorted(pts for pts in times if pts is not None and pts >= start)
    return Clip(path, tuple(float((t - start) * base) for t in ticks), first=COUNT - len(ticks))


def _hidden_start(path: Path, *, hidden: int) -> Clip:
    """An mp4 whose first frames have negative times, which its muxer hides behind an edit list."""
    ticks = [k - hidden for k in range(COUNT)]
    barcode_clip(path, count=COUNT, options=X264_B, ticks=ticks, time_base=Fraction(1, FPS))
    return Clip(path, tuple(k / FPS for k in range(COUNT - hidden)), first=hidden)


Maker = Callable[[Path], Clip]


def clip(**kwargs: object) -> Maker:
    return partial(barcode_clip, count=COUNT, fps=FPS, **kwargs)  # type: ignore[arg-type]


VARIANTS: dict[str, tuple[str, Maker]] = {
    "mp4-h264-plain": (".mp4", clip(options=X264_PLAIN)),
    "mp4-h264-bframes": (".mp4", clip(options=X264_B)),
    "mp4-h264-open-gop": (".mp4", clip(options=X264_OPEN)),
    "mp4-h264-intra-refresh": (".mp4", clip(options=X264_REFRESH)),
    "mp4-h264-10bit": (".mp4", clip(options=X264_B, pix_fmt="yuv420p10le")),
    "mp4-h264-444": (".mp4", clip(options=X264_B, pix_fmt="yuv444p")),
    "mp4-h264-fragmented": (
        ".mp4",
        clip(options=X264_B, container_options={"movflags": "frag_keyframe+empty_moov"}),
    ),
    "mp4-h264-faststart": (
        ".mp4",
        clip(options=X264_B, container_options={"movflags": "faststart"}),
    ),
    "mp4-h264-vfr": (".mp4", clip(options=X264_B, ticks=VFR_MS, time_base=Fraction(1, 1000))),
    "mp4-h264-start-offset": (
        ".mp4",
        clip(options=X264_B, ticks=[k + 45 for k in range(COUNT)], time_base=Fraction(1, FPS)),
    ),
    "mp4-h264-negative-start": (
        ".mp4",
        partial(_hidden_start, hidden=7),
    ),
    "mp4-h264-edit-list": (".mp4", partial(_edit_list, cut=17)),
    "mp4-hevc": (".mp4", clip(codec="libx265", options=X265_B)),
    "mp4-hevc-open-gop": (".mp4", clip(codec="libx265", options=X265_OPEN)),
    "mp4-hevc-10bit": (".mp4", clip(codec="libx265", options=X265_B, pix_fmt="yuv420p10le")),
    "mp4-av1": (".mp4", clip(codec="libsvtav1", options=AV1)),
    "mp4-mpeg4": (".mp4", clip(codec="mpeg4", options={"bf": "2", "g": "12"})),
    "mp4-vp9": (".mp4", clip(codec="libvpx-vp9", options=VPX)),
    "mov-h264": (".mov", clip(options=X264_B)),
    "mov-mjpeg": (".mov", clip(codec="mjpeg", pix_fmt="yuvj420p")),
    "mov-prores": (".mov", clip(codec="prores_ks", pix_fmt="yuv422p10le")),
    "m4v-h264": (".m4v", clip(options=X264_B, container="ipod")),
    "3gp-h264": (".3gp", clip(options=X264_B)),
    "3gp-h263": (".3gp", clip(codec="h263", width=176, height=144)),
    "mkv-h264": (".mkv", clip(options=X264_B)),
    "mkv-h264-vfr": (".mkv", clip(options=X264_B, ticks=VFR_MS, time_base=Fraction(1, 1000))),
    "mkv-h264-large-start": (
        ".mkv",
        clip(
            options=X264_B, ticks=[k + 30 * 3600 for k in range(COUNT)], time_base=Fraction(1, FPS)
        ),
    ),
    "mkv-hevc": (".mkv", clip(codec="libx265", options=X265_B)),
    "mkv-ffv1": (".mkv", clip(codec="ffv1", pix_fmt="yuv420p")),
    "mkv-av1": (".mkv", clip(codec="libsvtav1", options=AV1)),
    "mkv-h264-cut-open-gop": (".mkv", _cut_open_gop),
    "mkv-mpeg2": (".mkv", clip(codec="mpeg2video", options={"bf": "2", "g": "12"})),
    "webm-vp8": (".webm", clip(codec="libvpx", options=VPX)),
    "webm-vp8-alt-ref": (".webm", clip(codec="libvpx", options=VPX_ALT)),
    "webm-vp9": (".webm", clip(codec="libvpx-vp9", options=VPX)),
    "webm-vp9-alt-ref": (".webm", clip(codec="libvpx-vp9", options=VPX_ALT)),
    "webm-av1": (".webm", clip(codec="libsvtav1", options=AV1)),
    "avi-mpeg4": (".avi", clip(codec="mpeg4", options={"g": "12"})),
    "avi-mpeg4-bframes": (".avi", clip(codec="mpeg4", options={"bf": "2", "g": "12"})),
    "avi-mjpeg": (".avi", clip(codec="mjpeg", pix_fmt="yuvj420p")),
    "avi-h264": (".avi", clip(options=X264_PLAIN)),
    "ts-h264": (".ts", clip(options=X264_B)),
    "ts-h264-open-gop": (".ts", clip(options=X264_OPEN)),
    "ts-h264-resized": (".ts", _resized),
    "ts-mpeg2": (".ts", clip(codec="mpeg2video", options={"bf": "2", "g": "12"})),
    "mpg-mpeg1": (".mpg", clip(codec="mpeg1video", options={"bf": "2", "g": "12"})),
    "flv-h264": (".flv", clip(options=X264_B)),
    "flv-flv1": (".flv", clip(codec="flv", options={"g": "12"})),
    "ogv-vp8": (".ogv", clip(codec="libvpx", options=VPX, container="ogg")),
    "wmv-wmv2": (".wmv", clip(codec="wmv2", options={"g": "12"})),
    "nut-h264": (".nut", clip(options=X264_B)),
    "mxf-mpeg2": (".mxf", clip(codec="mpeg2video", options={"bf": "2", "g": "12"})),
    "gif": (
        ".gif",
        partial(barcode_clip, count=COUNT, fps=25, codec="gif", pix_fmt="rgb8"),
    ),
}
"""Name of a variant: suffix of the file and its maker."""
