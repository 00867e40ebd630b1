"""One contract for both readers: the same video gives the same frames at the same times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.media_factory import barcode_clip, read_barcode, scene_frames, write_video
from vscan import storage
from vscan.decode.decord_reader import DecordReader
from vscan.decode.probe import probe
from vscan.decode.pyav_reader import PyavReader
from vscan.decode.reader import Reader, ReaderFailed
from vscan.decode.sandbox import ReadLimits
from vscan.errors import SourceError
from vscan.sampling import EveryRequest, GridRequest, TimesRequest

LIMITS = ReadLimits()
B_FRAMES = {"x264-params": "bframes=3:keyint=12"}


@contextmanager
def opened(which: str, path: Path) -> Iterator[Reader]:
    """The reader of that name on a file, in this process."""
    with storage.open_source(path) as file:
        probed = probe(file, LIMITS)
        reader: Reader = (
            DecordReader(file, path, probed, 1)
            if which == "decord"
            else PyavReader(file, probed, LIMITS, 1)
        )
        with reader:
            yield reader


@pytest.fixture(params=["decord", "pyav"])
def which(request: pytest.FixtureRequest) -> str:
    """Each test runs once with each reader."""
    return str(request.param)


def test_every_frame(which: str, tmp_path: Path) -> None:
    """All frames in presentation order with their own times, and nothing reported missing."""
    clip = barcode_clip(tmp_path / "a.mp4", options=B_FRAMES)
    with opened(which, clip.path) as reader:
        frames = list(reader.read(EveryRequest(1)))
        report = reader.report()
    assert list(range(60)) == [read_barcode(each.rgb()) for _, each in frames]
    np.testing.assert_allclose([time_s for time_s, _ in frames], clip.times_s, atol=1e-3)
    assert (60, 60, 0, ()) == (
        report.planned,
        report.read,
        report.skipped_packets,
        report.warnings,
    )
    assert report.end_s == pytest.approx(2.0, abs=2e-3)
    assert which in report.reader.lower()


def test_variable_frame_rate(which: str, tmp_path: Path) -> None:
    """Times are the container's, not index divided by rate."""
    ticks = [0, 30, 100, 130, 700, 720, 2000, 2001, 2500, 4000]
    clip = barcode_clip(tmp_path / "a.mkv", count=10, ticks=ticks, time_base=Fraction(1, 1000))
    with opened(which, clip.path) as reader:
        frames = [(t, read_barcode(each.rgb())) for t, each in reader.read(GridRequest(0.7))]
    assert [(0.0, 0), (0.7, 4), (2.0, 6), (2.5, 8), (4.0, 9)] == [
        (round(t, 3), number) for t, number in frames
    ]


def test_reads_again_from_the_start(which: str, tmp_path: Path) -> None:
    """A second request is answered like the first, so that a plan may ask step by step."""
    clip = barcode_clip(tmp_path / "a.mp4", options=B_FRAMES)
    with opened(which, clip.path) as reader:
        for _ in range(2):
            times = TimesRequest((0.5, 1.0))
            assert [15, 30] == [read_barcode(each.rgb()) for _, each in reader.read(times)]


def test_full_frames(which: str, tmp_path: Path) -> None:
    """Frames come at full size as contiguous (H, W, 3) bytes, close to what was encoded."""
    originals = list(scene_frames(seed=3, count=5, width=322, height=182))
    path = write_video(tmp_path / "a.mp4", originals, options={"crf": "4"})
    with opened(which, path) as reader:
        for original, (_, each) in zip(originals, reader.read(EveryRequest(1)), strict=True):
            rgb = each.rgb()
            assert (182, 322, 3) == rgb.shape
            assert rgb.flags.c_contiguous
            assert np.abs(rgb.astype(int) - original).mean() < 6
        assert (322, 182) == (reader.info.width, reader.info.height)


@pytest.mark.parametrize(
    ("pix_fmt", "tags"),
    [
        ("yuv420p", {"color_range": 1, "colorspace": 1}),
        ("yuvj420p", {"color_range": 2, "colorspace": 1}),
        ("yuv420p", {"color_range": 1, "colorspace": 6}),
        ("yuv420p10le", {"color_range": 1, "colorspace": 1}),
    ],
)
def test_readers_agree_on_colour(pix_fmt: str, tags: dict[str, int], tmp_path: Path) -> None:
    """Matrix, range and depth are honoured alike: the two readers' pixels are equal."""
    frames = scene_frames(seed=5, count=3, width=160, height=96)
    path = write_video(tmp_path / "a.mp4", frames, pix_fmt=pix_fmt, tags=tags)
    read = {}
    for name in ("decord", "pyav"):
        with opened(name, path) as reader:
            read[name] = [each.rgb() for _, each in reader.read(EveryRequest(1))]
    np.testing.assert_array_equal(read["decord"], read["pyav"])


@pytest.mark.parametrize("tags", [{"colorspace": 1}, {"colorspace": 6}, {"colorspace": 9}])
@pytest.mark.parametrize("full", [False, True])
def test_colours_are_true(tags: dict[str, int], full: bool, tmp_path: Path) -> None:
    """A patch encoded with a matrix and range of its own comes back in its own colour."""
    colours = [(200, 40, 30), (30, 180, 60), (40, 60, 210), (230, 230, 230), (10, 10, 10)]
    path = tmp_path / "a.mp4"
    _write_patches(path, colours, {**tags, "color_range": 2 if full else 1})
    with opened("pyav", path) as reader:
        for colour, (_, each) in zip(colours, reader.read(EveryRequest(1)), strict=True):
            rgb = each.rgb()
            np.testing.assert_allclose(rgb.mean(axis=(0, 1)), colour, atol=4)


def _write_patches(path: Path, colours: list[tuple[int, int, int]], tags: dict[str, int]) -> None:
    """Encodes with the matrix and range that the tags name, computed here by the standards."""
    import av
    from av.video.stream import VideoStream

    red, blue = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}[tags["colorspace"]]
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"crf": "1"})
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for k, (r, g, b) in enumerate(np.array(colours, float).tolist()):
            luma = red * r + (1 - red - blue) * g + blue * b
            cb, cr = (b - luma) / (2 - 2 * blue), (r - luma) / (2 - 2 * red)
            if tags["color_range"] == 2:
                planes = (luma, 128.0 + cb, 128.0 + cr)
            else:
                planes = (16 + luma * 219 / 255, 128 + cb * 224 / 255, 128 + cr * 224 / 255)
            frame = av.VideoFrame(64, 64, "yuv420p")
            for plane, value in zip(frame.planes, planes, strict=True):
                plane.update(bytes([round(value)]) * plane.buffer_size)
            frame.colorspace, frame.color_range = tags["colorspace"], tags["color_range"]
            frame.pts = k
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation(rotation: int, tmp_path: Path) -> None:
    """The display matrix is applied: frames come as a player shows them."""
    original = next(iter(scene_frames(seed=9, count=1, width=160, height=96)))
    original[:30, :40] = (255, 0, 0)
    path = write_video(tmp_path / "a.mp4", [original] * 3, rotation=rotation, options={"crf": "4"})
    expected = np.rot90(original, -rotation // 90)
    with opened("pyav", path) as reader:
        rgb = next(iter(reader.read(EveryRequest(1))))[1].rgb()
        assert rotation == reader.info.rotation
        assert expected.shape == rgb.shape == (reader.info.height, reader.info.width, 3)
    assert np.abs(rgb.astype(int) - expected).mean() < 15


def test_decord_refuses_what_it_is_not_trusted_with(tmp_path: Path) -> None:
    """A file that the probe does not clear cannot be opened with decord by mistake."""
    clip = barcode_clip(tmp_path / "a.ts", options=B_FRAMES)
    with pytest.raises(ValueError, match="mpegts"), opened("decord", clip.path):
        pass


def test_decord_says_when_it_fails(tmp_path: Path) -> None:
    """A truncated file makes decord fail aloud, so that the other reader can take over."""
    clip = barcode_clip(tmp_path / "a.mp4", container_options={"movflags": "faststart"})
    with storage.open_source(clip.path) as file:
        probed = probe(file, LIMITS)
    data = clip.path.read_bytes()
    clip.path.write_bytes(data[: len(data) * 2 // 3])
    with storage.open_source(clip.path) as file:
        reader = DecordReader(file, clip.path, probed, 1)
        with pytest.raises(ReaderFailed):
            list(reader.read(EveryRequest(1)))


def test_pyav_keeps_what_decodes(tmp_path: Path) -> None:
    """Noise over some packets costs those frames and no others; the loss is reported."""
    clip = barcode_clip(tmp_path / "a.mov", codec="mjpeg", pix_fmt="yuvj420p")
    import av

    with av.open(str(clip.path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(clip.path.read_bytes())
    for position, size in packets[20:23]:
        assert position is not None
        data[position : position + size] = bytes(size)
    clip.path.write_bytes(data)
    with opened("pyav", clip.path) as reader:
        numbers = [read_barcode(each.rgb()) for _, each in reader.read(EveryRequest(1))]
        report = reader.report()
    assert [k for k in range(60) if k not in range(20, 23)] == numbers
    assert (60, 57) == (report.planned, report.read)
    assert report.skipped_packets == 3
    assert "packets_skipped" in report.warnings
    np.testing.assert_allclose(report.gaps_s, [(20 / 30, 23 / 30)], atol=2e-3)


def test_no_frames(tmp_path: Path) -> None:
    """A file of which nothing decodes is an error, not an empty video."""
    clip = barcode_clip(tmp_path / "a.mov", codec="mjpeg", pix_fmt="yuvj420p", count=5)
    import av

    with av.open(str(clip.path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(clip.path.read_bytes())
    for position, size in packets:
        assert position is not None
        data[position : position + size] = bytes(size)
    clip.path.write_bytes(data)
    with opened("pyav", clip.path) as reader, pytest.raises(SourceError) as caught:
        list(reader.read(EveryRequest(1)))
    assert caught.value.code == "no_frames"
