"""Decoding only what the frames wanted refer to: the same frames bit for bit, of fewer packets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from tests.decode.variants import VARIANTS
from tests.media_factory import barcode_clip
from vscan.decode import stream_reading
from vscan.decode.bitstreams import Kind, Look, looker_for
from vscan.decode.probe import probe, survey_of
from vscan.decode.pyav_reader import PyavReader
from vscan.decode.sandbox import ReadLimits
from vscan.decode.sparing import Sparing, sparing_for
from vscan.decode.stream_reading import StreamReading
from vscan.media import DecodeMode, ReadReport
from vscan.sampling import FrameRequest, GridRequest, TimesRequest

LIMITS = ReadLimits()
GOPS = {"x264-params": "bframes=3:b-adapt=0:keyint=24:scenecut=0:open-gop=0"}
Taken = tuple[list[float], list[np.ndarray], ReadReport]


def read(path: Path, request: FrameRequest, mode: DecodeMode = "exact", threads: int = 1) -> Taken:
    """What PyAV's reader answers a request with."""
    with path.open("rb") as file:
        reader = PyavReader(file, probe(file, LIMITS), LIMITS, threads, mode)
        frames = list(reader.read(request))
        return [time_s for time_s, _ in frames], [each.rgb() for _, each in frames], reader.report()


def sparing(path: Path, request: FrameRequest, *, fast: bool = False) -> Sparing | None:
    """What would be decoded of a file's first stream."""
    with path.open("rb") as file:
        stream = probe(file, LIMITS).streams[0]
        said = survey_of(file, [stream], LIMITS).streams[stream.index]
    if said.dependence is None or said.ticks is None:
        return None
    return sparing_for(request, said.dependence, said.ticks, tick_s=stream.tick_s, fast=fast)


def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on everything is decoded."""
    monkeypatch.setattr(stream_reading.StreamReading, "_sparing", lambda _: None)


@pytest.mark.parametrize("name", VARIANTS)
def test_same_frames(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times, pixels and report are those of decoding everything, in every container and codec."""
    suffix, make = VARIANTS[name]
    path = make(tmp_path / f"clip{suffix}").path
    grid = GridRequest(0.5)
    asked: tuple[FrameRequest, ...] = (grid, TimesRequest((0.7, 1.3)))
    found = [read(path, request) for request in asked]
    whole(monkeypatch)
    for request, (times, frames, report) in zip(asked, found, strict=True):
        all_times, all_frames, all_report = read(path, request)
        assert times == all_times
        assert all(np.array_equal(one, two) for one, two in zip(frames, all_frames, strict=True))
        if request is grid:  # else how far the reader looked ahead is left open
            assert report.end_s == pytest.approx(all_report.end_s, abs=1e-6)
        assert replace(report, end_s=0.0) == replace(all_report, end_s=0.0)


def test_what_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 24 frames, of which two are wanted, only those that they refer to are decoded."""
    path = barcode_clip(tmp_path / "a.mp4", count=96, fps=24, options=GOPS).path
    found = sparing(path, GridRequest(0.5))
    assert found is not None
    # Of each group: 0..12, where three of four frames are B, of which one refers to another.
    assert found.share < 0.35
    assert len(found.ticks) == 8
    decode, fed = stream_reading.StreamReading._decode, []

    def counted(
        self: StreamReading, stream: VideoStream, packet: Packet[Stream] | None, threads: int
    ) -> Any:
        fed.append(packet)
        return decode(self, stream, packet, threads)

    monkeypatch.setattr(stream_reading.StreamReading, "_decode", counted)
    read(path, GridRequest(0.5))
    assert len([packet for packet in fed if packet is not None]) == np.count_nonzero(found.parts)


def test_nothing_is_left_out_where_all_is_wanted(tmp_path: Path) -> None:
    """A grid as dense as the frames is decoded from end to end."""
    path = barcode_clip(tmp_path / "a.mp4", count=48, fps=24, options=GOPS).path
    assert sparing(path, GridRequest(1 / 24)) is None


@pytest.mark.parametrize("options", ["intra-refresh=1:keyint=12", "open-gop=1:keyint=12:bframes=3"])
def test_no_access_point_is_believed(options: str, tmp_path: Path) -> None:
    """What a container marks as a keyframe is none where later frames refer to earlier ones."""
    path = barcode_clip(
        tmp_path / "a.mp4", count=48, fps=24, options={"x264-params": f"scenecut=0:{options}"}
    ).path
    with av.open(str(path)) as container:
        marked = sum(packet.is_keyframe for packet in container.demux(video=0) if packet.size)
    with path.open("rb") as file:
        stream = probe(file, LIMITS).streams[0]
        said = survey_of(file, [stream], LIMITS).streams[stream.index]
    assert marked > 1
    assert said.dependence is None or said.dependence.access.sum() == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_damage_is_decoded_through(
    threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packet that does not decode ends the sparing: the answer is that of decoding everything."""
    path = barcode_clip(tmp_path / "a.mp4", count=96, fps=24, options=GOPS).path
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    for packet in packets[25:30]:
        assert packet.pos is not None
        # Of the slice's header: first_mb_in_slice 0, slice_type 5, a parameter set that is none.
        data[packet.pos + 5 : packet.pos + 9] = b"\x98\0\1\0"
    path.write_bytes(data)
    times, frames, report = read(path, GridRequest(0.25), threads=threads)
    whole(monkeypatch)
    all_times, all_frames, all_report = read(path, GridRequest(0.25), threads=threads)
    assert times == all_times
    assert all(np.array_equal(one, other) for one, other in zip(frames, all_frames, strict=True))
    assert report == all_report
    assert report.skipped_packets > 0


def test_fast_takes_frames_that_are_referred_to(tmp_path: Path) -> None:
    """Decoding fast, the first referenced frame at or after each time stands for it, late by less
    than the frames between two of them."""
    path = barcode_clip(tmp_path / "a.mp4", count=96, fps=24, options=GOPS).path
    grid = GridRequest(0.375)
    exact, fast = sparing(path, grid), sparing(path, grid, fast=True)
    assert exact is not None
    assert fast is not None
    assert fast.share < exact.share
    times, frames, report = read(path, grid, "fast")
    late = np.array(times) - np.array(read(path, grid)[0])
    assert (late >= 0).all()
    assert late.max() <= 4 / 24
    assert late.max() > 0
    assert (len(frames), report.coverage) == (11, 1.0)


def cut_parameters(data: bytes) -> bytes:
    """An H.264 stream whose second parameter sets stand before a frame that is no access point."""
    starts = [k for k in range(len(data) - 4) if data[k : k + 3] == b"\0\0\1"]
    units = [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
    sets = [unit for unit in units if unit[3] & 31 in (7, 8)]
    at = next(k for k, unit in enumerate(units) if unit[3] & 31 == 1)
    return b"".join([*units[:at], *sets[:2], *units[at:]])


@pytest.mark.parametrize("change", [None, cut_parameters], ids=["plain", "sets on the way"])
def test_parameter_sets_on_the_way(change: Callable[[bytes], bytes] | None, tmp_path: Path) -> None:
    """Parameter sets that come where no access point is rule sparing out: it might miss them."""
    path = barcode_clip(tmp_path / "a.ts", count=96, fps=24, options=GOPS).path
    plain = tmp_path / "a.h264"
    with av.open(str(path)) as container:
        data = b"".join(bytes(packet) for packet in container.demux(video=0) if packet.size)
    plain.write_bytes(change(data) if change else data)
    moved = tmp_path / "b.mkv"
    with av.open(str(plain)) as source, av.open(str(moved), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for k, packet in enumerate(p for p in source.demux(video=0) if p.size):
            packet.pts = packet.dts = k
            packet.time_base = Fraction(1, 25)
            packet.stream = stream
            output.mux(packet)
    found = sparing(moved, GridRequest(1.0))
    assert (found is None) == (change is not None)


def test_a_packet_that_is_a_configuration() -> None:
    """What FFmpeg takes for parameter sets is not judged, though a picture's unit is in it."""
    looker = looker_for("h264", b"\1d\0\n\xfc\xe1\0")  # units with lengths of one byte
    picture = b"\4\x41\x9a\0\0"
    assert looker is not None
    assert looker(b"\1\x09\0\1\xbc" + picture) == Look(Kind.REFERENCE)
    assert looker(b"\1\x09\0\1\xfc" + picture) is None
