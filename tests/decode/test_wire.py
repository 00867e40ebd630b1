"""What goes over the pipes comes out the same, and what is not a message is refused."""

from __future__ import annotations

import struct
from dataclasses import asdict, fields

import numpy as np
import orjson
import pytest

from vscan.decode import wire
from vscan.media import FrameBatch, ImageSpec, Measure, ReadReport, VideoInfo
from vscan.sampling import (
    EveryRequest,
    FrameRequest,
    GridRequest,
    KeyframesRequest,
    TimesRequest,
)


def reader_of(data: bytes) -> wire.ReadExactly:
    """`read_exactly` over bytes."""
    position = 0

    def read_exactly(size: int) -> bytearray:
        nonlocal position
        part = data[position : position + size]
        if len(part) < size:
            raise EOFError
        position += size
        return bytearray(part)

    return read_exactly


@pytest.mark.parametrize(
    "request_",
    [GridRequest(0.5), TimesRequest((0.0, 1.5)), EveryRequest(3), KeyframesRequest()],
    ids=str,
)
def test_requests(request_: FrameRequest) -> None:
    """Every kind of request survives."""
    assert request_ == wire.unpack_request(orjson.loads(orjson.dumps(wire.pack_request(request_))))


def test_batches() -> None:
    """A batch with pictures and hashes survives, and so does one without either."""
    rng = np.random.default_rng(0)
    for pictures, rows, slots in [((4, 5, 3), 4, 2), ((0, 0, 3), 0, 0)]:
        batch = FrameBatch(
            np.arange(3.0),
            rng.integers(0, 256, (3, *pictures), dtype=np.uint8),
            rng.integers(0, 256, (rows, 8, 32), dtype=np.uint8),
            np.array([1, 2, 3, 4], np.uint8)[:rows],
            np.array([0, 1, 1, 2], np.int32)[:rows],
            np.array([0, 0, 1, 0], np.uint8)[:rows],
            rng.integers(0, 256, (3, slots, 102), dtype=np.uint8),
        )
        data = b"".join(wire.frame_message(*wire.pack_batch(batch)))
        header, payload = wire.read_message(reader_of(data))
        actual = wire.unpack_batch(header, payload)
        for name in (field.name for field in fields(FrameBatch)):
            np.testing.assert_array_equal(getattr(batch, name), getattr(actual, name))


def test_reports_and_infos() -> None:
    """Report, info and what is to be measured survive with their tuples."""
    report = ReadReport(3, 2, 1.5, "PyAV 1", 4, ((0.5, 1.0),), ("packets_skipped",))
    info = VideoInfo("mov", "h264", 4, 3, None, 90, ("several_video_streams",))
    spec = ImageSpec(3, 4, "longest", "bilinear", 9)
    assert report == wire.unpack_report(orjson.loads(orjson.dumps(asdict(report))))
    assert info == wire.unpack_info(orjson.loads(orjson.dumps(asdict(info))))
    for measure in (Measure(spec, pdq=True, keypoints=7, role="exemplar"), Measure()):
        assert measure == wire.unpack_measure(
            orjson.loads(orjson.dumps(wire.pack_measure(measure)))
        )


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<I", 2**31),
        struct.pack("<I", 2) + b"[]",
        struct.pack("<I", 14) + b'{"payload":-1}',
        struct.pack("<I", 25) + b'{"payload":[99999999999]} ',
        struct.pack("<I", 3) + b"{x}",
    ],
)
def test_nonsense_is_refused(data: bytes) -> None:
    """A child that a hostile file took over cannot make the parent allocate or run anything."""
    with pytest.raises(ValueError, match=r".+"):
        wire.read_message(reader_of(data + b"\0" * 64))


def test_end_of_pipe() -> None:
    """A message cut short is the end of the pipe, never half a message."""
    with pytest.raises(EOFError):
        wire.read_message(reader_of(b"\x05\x00\x00\x00{}"))
