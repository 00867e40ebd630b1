"""Packets past a damaged spot."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest
from bench.hostile.bases import BASES, make_base

from tests.media_factory import barcode_clip
from vscan.decode.demuxing import MAX_SEEKS, Stumbles, packets_of
from vscan.decode.limits import ReadLimits
from vscan.decode.probe import probe
from vscan.decode.pyav_reader import PyavReader
from vscan.sampling import EveryRequest

COUNT = 120


def absurd_sample(path: Path, number: int) -> Path:
    """Twelve seconds with sound; a sample of the video says to be half a gigabyte (`stsz`, ISO/IEC
    14496-12, 8.7.3): more than FFmpeg takes, and less than where it ends without an error."""
    make_base(path, BASES["mp4-h264-aac-faststart"], seed=1)
    data = bytearray(path.read_bytes())
    # Version and flags, the size of all, and how many there are, stand before the sizes.
    at = data.index(b"stsz") + 4 + 12 + 4 * number
    (size,) = struct.unpack_from(">I", data, at)
    struct.pack_into(">I", data, at, size | 0x2000_0000)
    path.write_bytes(data)
    return path


def test_a_sample_of_absurd_size_hides_nothing_behind_it(tmp_path: Path) -> None:
    """FFmpeg would ask for it for ever; what lies behind the next keyframe is read, and what is
    lost until there is counted."""
    path = absurd_sample(tmp_path / "a.mp4", 32)
    with path.open("rb") as file:
        limits = ReadLimits()
        reader = PyavReader(file, probe(file, limits), limits, 1)
        times = [round(10 * time_s) for time_s, _ in reader.read(EveryRequest(1))]
        report = reader.report()
    assert set(range(28)) | set(range(40, COUNT)) <= set(times)
    assert report.skipped_packets > 0
    assert report.read < report.planned <= COUNT
    assert "ended_by_errors" not in report.warnings


def test_each_packet_once(tmp_path: Path) -> None:
    """Going on behind a bad sample gives no packet a second time, and the same ones each time."""
    path = absurd_sample(tmp_path / "a.mp4", 32)

    def heard() -> list[int]:
        with av.open(str(path)) as container:
            stumbles = Stumbles()
            every = packets_of(container, tuple(container.streams), stumbles)
            times = [packet.dts or 0 for packet in every if packet.stream_index == 0]
            assert 0 < stumbles.errors < MAX_SEEKS
            assert not stumbles.gave_up
            return times

    first = heard()
    assert first == heard()
    assert sorted(set(first)) == first
    assert COUNT - 10 < len(first) < COUNT


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_sound_file(tmp_path: Path, suffix: str) -> None:
    """All its packets, and no stumble."""
    path = barcode_clip(tmp_path / f"a{suffix}", count=20).path
    stumbles = Stumbles()
    with av.open(str(path)) as container:
        count = len(list(packets_of(container, tuple(container.streams), stumbles)))
    assert (20, Stumbles()) == (count, stumbles)
