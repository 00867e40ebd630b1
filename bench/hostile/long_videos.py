"""What a reader process holds of a long video: the same packets for ten minutes, or for hours."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream

from bench.hostile.bases import pictures
from bench.hostile.running import MEASURE, peak_mib
from vscan.decode.workers import ReaderPool, ReadLimits
from vscan.sampling import GridRequest

SIZE = (1920, 1080)
FRAMES = 40
"""Frames that are encoded; their packets follow each other until the video is long enough."""
GATE_MIB = 500


def looped(path: Path, *, seconds: float, fps: int) -> Path:
    """A 1080p video of that length, in the container that the suffix names."""
    options = {"preset": "ultrafast", "x264-params": "bframes=0:keyint=20:threads=1"}
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=fps, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, fps)
        packets = []
        for k, rgb in enumerate(pictures(1, FRAMES, SIZE)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = k, Fraction(1, fps)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        data = [(bytes(packet), packet.is_keyframe) for packet in packets]
        output.start_encoding()
        for k in range(round(seconds * fps)):
            content, is_keyframe = data[k % len(data)]
            packet = av.Packet(content)
            packet.pts = packet.dts = k
            packet.time_base, packet.stream = Fraction(1, fps), stream
            packet.is_keyframe = is_keyframe
            output.mux_one(packet)
    return path


def measure(folder: Path, *, fps: int, step_s: float, say: Callable[[str], None] = print) -> bool:
    """Reads ten minutes and three hours with either reader; whether all stay below the gate."""
    folder.mkdir(parents=True, exist_ok=True)
    within = True
    for suffix in (".mp4", ".ts"):
        for name, seconds in (("10 min", 600.0), ("3 h", 10_800.0)):
            path = looped(folder / f"long{suffix}", seconds=seconds, fps=fps)
            begun = time.perf_counter()
            with ReaderPool(1, ReadLimits(timeout_s=3600)) as pool, pool.session(path) as video:
                count = sum(len(batch) for batch in video.read(GridRequest(step_s), MEASURE))
                peak, reader = peak_mib(video.process_id), video.report.reader
            path.unlink()
            within &= peak <= GATE_MIB
            say(
                f"{name:<7} {suffix:<5} {reader:<14} {count:>5} samples  peak {peak:4.0f} MiB "
                f"(gate {GATE_MIB})  {time.perf_counter() - begun:.0f} s"
            )
    return within
