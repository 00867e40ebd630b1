"""Ways to hide content from whoever looks at a file by its marks: each is seen, or never clear."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from bench.hostile.bases import BASES, Base, make_base
from PIL import Image

from tests.media_factory import barcode_clip, solid_frames, write_video
from vscan.decode.limits import ReadLimits
from vscan.decode.workers import ReaderPool
from vscan.media import FrameBatch, ImageSpec, Measure, ReadReport
from vscan.sampling import GridRequest, KeyframesRequest

RED, GREEN = (200, 30, 30), (30, 200, 30)
MEASURE = Measure(ImageSpec(32, 32))


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """One reader process for all of them."""
    with ReaderPool(1, ReadLimits(timeout_s=60, threads=1)) as readers:
        yield readers


def look(
    pool: ReaderPool, path: Path, request: GridRequest | KeyframesRequest | None = None
) -> tuple[ReadReport, list[FrameBatch]]:
    """How a file was read at a sample a second, and the samples."""
    with pool.session(path) as video:
        batches = list(video.read(request or GridRequest(1.0), MEASURE))
        return video.report, batches


def red(batches: list[FrameBatch]) -> int:
    """How many of the samples show what was hidden."""
    means = [image.reshape(-1, 3).mean(0) for batch in batches for image in batch.images]
    return sum(bool(mean[0] > mean[1] + 50) for mean in means)


def film(path: Path, *colours: tuple[int, int, int], codec: str = "libx264") -> Path:
    """Two seconds of each colour, ten frames a second."""
    options = {"g": "10"} if codec != "libx264" else {"x264-params": "keyint=10:bframes=0"}
    return write_video(path, solid_frames(colours, each=20), fps=10, codec=codec, options=options)


def boxes(data: bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, place, size) of the boxes in a stretch (ISO/IEC 14496-12, 4.2)."""
    while start < end - 7:
        size, kind = struct.unpack_from(">I4s", data, start)
        yield kind, start, size
        start += size


def test_a_film_that_is_marked_as_chapters(pool: ReaderPool, tmp_path: Path) -> None:
    """FFmpeg gives whatever a track names as its chapters the marks of cover art; it is read."""
    path = make_base(tmp_path / "a.mp4", Base(".mp4", "libx264", audio="aac"), seed=1, seconds=6)
    data = bytearray(path.read_bytes())
    _, moov, size = next(box for box in boxes(data, 0, len(data)) if box[0] == b"moov")
    tracks = [box for box in boxes(data, moov + 8, moov + size) if box[0] == b"trak"]
    _, sound, long = next(box for box in tracks if b"soun" in data[box[1] : box[1] + box[2]])
    reference = struct.pack(">I4sI4sI", 20, b"tref", 12, b"chap", 1)
    struct.pack_into(">I", data, sound, long + 20)
    struct.pack_into(">I", data, moov, size + 20)
    data[sound + long : sound + long] = reference
    path.write_bytes(data)
    with av.open(str(path)) as container:
        assert container.streams.video[0].disposition
    report, _ = look(pool, path)
    assert (6, 6) == (report.planned, report.read)


def late_in_flv(folder: Path) -> Path:
    """FLV whose codec is another one from the middle on: FFmpeg takes that for a second stream."""
    first = film(folder / "a.flv", *[GREEN] * 5, codec="flv").read_bytes()
    second = film(folder / "b.flv", RED).read_bytes()
    joined, place = bytearray(first), 13
    while place + 11 < len(second):
        size = int.from_bytes(second[place + 1 : place + 4], "big")
        tag = bytearray(second[place : place + 11 + size + 4])
        tag[4:7] = (int.from_bytes(tag[4:7], "big") + 10_000).to_bytes(3, "big")
        joined += tag if tag[0] == 9 else b""
        place += 11 + size + 4
    (folder / "late.flv").write_bytes(joined)
    return folder / "late.flv"


def late_in_transport_stream(folder: Path) -> Path:
    """A transport stream in which a PID appears between others, far from where FFmpeg looks."""
    nothing = (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 40_000
    first = film(folder / "a.ts", *[GREEN] * 20).read_bytes()
    with av.open(str(folder / "b.ts"), "w", options={"mpegts_start_pid": "512"}) as output:
        stream = output.add_stream("libx264", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = 96
        for k, rgb in enumerate(solid_frames([RED], each=20)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 10)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    second = (folder / "b.ts").read_bytes()
    (folder / "late.ts").write_bytes(first + nothing + second + nothing + first)
    return folder / "late.ts"


@pytest.mark.parametrize("make", [late_in_flv, late_in_transport_stream])
def test_a_stream_that_begins_on_the_way(
    pool: ReaderPool, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    """FFmpeg hands nothing of it out: the file is never clear."""
    report, batches = look(pool, make(tmp_path))
    assert 0 == red(batches)
    assert "content_not_read" in report.warnings
    assert 0.0 == report.least_coverage


@pytest.mark.parametrize("name", ["ts-h264-aac", "mpg-mpeg1", "flv-h264-aac", "vob-mpeg2"])
def test_streams_that_are_all_there(pool: ReaderPool, tmp_path: Path, name: str) -> None:
    """A sound file of such a container holds nothing that is not read."""
    path = make_base(tmp_path / f"a{BASES[name].suffix}", BASES[name], seed=1, seconds=3)
    assert () == look(pool, path)[0].warnings


def test_rubbish_in_the_middle(pool: ReaderPool, tmp_path: Path) -> None:
    """Two megabytes of zeros in a transport stream hide nothing that stands behind them."""
    first, second = film(tmp_path / "a.ts", GREEN), film(tmp_path / "b.ts", RED)
    (tmp_path / "c.ts").write_bytes(first.read_bytes() + bytes(2 << 20) + second.read_bytes())
    report, batches = look(pool, tmp_path / "c.ts")
    assert 2 == red(batches)
    assert "ended_by_errors" not in report.warnings


def test_a_last_frame_that_says_to_be_long(pool: ReaderPool, tmp_path: Path) -> None:
    """How late a frame may come is not for the file to say: what was lost before it is a gap."""
    clip = barcode_clip(tmp_path / "a.mkv", count=100, fps=10, codec="libvpx", options={"g": "10"})
    with av.open(str(clip.path)) as source, av.open(str(tmp_path / "b.mkv"), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for k, packet in enumerate(source.demux(source.streams.video[0])):
            if packet.dts is None:
                continue
            if 20 <= k < 99:
                broken = av.Packet(bytes(len(bytes(packet))))
                broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                broken.stream = stream
                output.mux(broken)
                continue
            if k == 99:
                packet.is_keyframe = True
                packet.duration = 100_000
            packet.stream = stream
            output.mux(packet)
    report, _ = look(pool, tmp_path / "b.mkv")
    assert report.coverage < 0.5


def test_more_frames_than_a_false_length_has(pool: ReaderPool, tmp_path: Path) -> None:
    """Where a table lists more frames than can be reached, they are missing, whatever the header's
    length."""
    path = make_base(tmp_path / "a.mp4", BASES["mp4-h264-aac-faststart"], seed=1)
    data = bytearray(path.read_bytes())
    for kind, count_at in ((b"stco", 4), (b"co64", 4)):
        at = data.find(kind)
        if at > 0:
            (count,) = struct.unpack_from(">I", data, at + 4 + count_at)
            width = 4 if kind == b"stco" else 8
            for k in range(count // 4, count):
                place = at + 8 + count_at + width * k
                data[place : place + width] = (0x7000_0000).to_bytes(width, "big")
            break
    mdhd = data.index(b"mdhd") + 4
    (scale, _) = struct.unpack_from(">II", data, mdhd + 12)
    struct.pack_into(">I", data, mdhd + 16, 3 * scale)
    path.write_bytes(data)
    report, batches = look(pool, path)
    assert 0 < sum(map(len, batches)) <= 4
    assert report.coverage < 0.5
    assert "shorter_than_claimed" in report.warnings


def test_packets_without_times(pool: ReaderPool, tmp_path: Path) -> None:
    """Where packets have none, those that fail count by their share."""
    path = make_base(tmp_path / "a.h264", BASES["h264"], seed=1)
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data) - 4) if data[at : at + 4] == b"\x00\x00\x00\x01"]
    for start in starts[len(starts) // 4 :]:
        data[start + 5 : start + 30] = b"\xff" * 25
    path.write_bytes(data)
    report, _ = look(pool, path)
    assert report.skipped_packets > 0
    assert report.coverage < 0.6


def test_one_stream_does_not_make_up_for_another(pool: ReaderPool, tmp_path: Path) -> None:
    """A second stream without a decoder counts for itself, however long the first is."""
    film(tmp_path / "a.mp4", *[GREEN] * 20)
    with av.open(str(tmp_path / "a.mp4")) as source, av.open(str(tmp_path / "b.mp4"), "w") as out:
        streams = [out.add_stream_from_template(source.streams.video[0]) for _ in range(2)]
        for k, packet in enumerate(source.demux(source.streams.video[0])):
            if packet.dts is not None:
                content = bytes(packet)
                for stream in streams[: 1 + (k == 0)]:
                    copy = av.Packet(content)
                    copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                    copy.is_keyframe, copy.stream = packet.is_keyframe, stream
                    out.mux(copy)
    data = (tmp_path / "b.mp4").read_bytes()
    at = data.rindex(b"avc1")
    (tmp_path / "b.mp4").write_bytes(data[:at] + b"zzz1" + data[at + 4 :])
    report, _ = look(pool, tmp_path / "b.mp4")
    assert report.coverage > 0.95
    assert "stream_not_decoded" in report.warnings
    assert 0.0 == report.least_coverage


def test_a_stream_behind_a_lost_end(pool: ReaderPool, tmp_path: Path) -> None:
    """The next stream stands behind all that the one before it should have; no gap lies on it."""
    film(tmp_path / "a.mkv", *[GREEN] * 5)
    film(tmp_path / "b.mkv", RED)
    with av.open(str(tmp_path / "c.mkv"), "w") as output:
        inputs = [av.open(str(tmp_path / name)) for name in ("a.mkv", "b.mkv")]
        streams = [output.add_stream_from_template(each.streams.video[0]) for each in inputs]
        for each, stream in zip(inputs, streams, strict=True):
            for k, packet in enumerate(each.demux(each.streams.video[0])):
                if packet.dts is None:
                    continue
                broken = av.Packet(b"\xff" * 40 if each is inputs[0] and k > 70 else bytes(packet))
                broken.pts, broken.dts, broken.time_base = packet.pts, packet.dts, packet.time_base
                broken.is_keyframe, broken.stream = packet.is_keyframe, stream
                output.mux(broken)
            each.close()
    report, batches = look(pool, tmp_path / "c.mkv")
    first, second = report.parts
    assert 2 == red(batches)
    assert report.gaps_s
    assert all(end_s <= second.start_s for _, end_s in report.gaps_s)
    assert first.end_s <= second.start_s
    assert 1.0 == second.coverage > first.coverage


def test_what_is_transparent(pool: ReaderPool, tmp_path: Path) -> None:
    """A picture that stands in its alpha alone is seen as a page shows it."""
    pixels = np.zeros((96, 96, 4), np.uint8)
    pixels[:48, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    _, (batch,) = look(pool, tmp_path / "a.png")
    assert batch.images[0, :12].max() < 40
    assert batch.images[0, 20:].min() > 215


def test_further_pictures_of_a_still(pool: ReaderPool, tmp_path: Path) -> None:
    """A camera's JPEG with several is sampled whole; a TIFF of which FFmpeg decodes the first page
    alone is never clear."""
    green, hidden = (Image.new("RGB", (96, 96), colour) for colour in (GREEN, RED))
    for name, image in (("a.jpg", green), ("b.jpg", hidden)):
        image.copy().save(tmp_path / name)
    joined = (tmp_path / "a.jpg").read_bytes() + (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(joined)
    report, batches = look(pool, tmp_path / "a.jpg")
    assert (2, 1) == (report.read, red(batches))
    green.save(tmp_path / "a.tif", save_all=True, append_images=[hidden])
    report, _ = look(pool, tmp_path / "a.tif")
    assert ("content_not_read",) == report.warnings
    assert 0.0 == report.least_coverage


def test_keyframes_last_until_the_next(pool: ReaderPool, tmp_path: Path) -> None:
    """The last keyframe stands until the stream ends, not for one frame."""
    report, _ = look(pool, film(tmp_path / "a.mkv", GREEN, RED), KeyframesRequest())
    assert 4.0 == pytest.approx(report.end_s, abs=0.11)
