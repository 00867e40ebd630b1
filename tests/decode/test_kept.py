"""Packets kept from the look over a file: the same frames without demuxing it again."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.decode.test_demuxing import absurd_sample
from tests.decode.variants import VARIANTS
from tests.media_factory import barcode_clip
from vscan.decode import beginning, kept, own_packets
from vscan.decode.beginning import Beginning, first_frame
from vscan.decode.container import open_media
from vscan.decode.limits import ReadLimits
from vscan.decode.probe import probe, survey_of
from vscan.decode.pyav_reader import PyavReader
from vscan.decode.survey import Survey
from vscan.media import ReadReport
from vscan.sampling import FrameRequest, GridRequest, KeyframesRequest, TimesRequest

LIMITS = ReadLimits()
GOPS = {"x264-params": "bframes=3:b-adapt=0:keyint=24:scenecut=0:open-gop=0"}
ASKED: tuple[FrameRequest, ...] = (
    KeyframesRequest(),
    GridRequest(0.5),
    TimesRequest((0.7, 1.3)),
    KeyframesRequest(1.0),
)
Taken = tuple[list[float], list[np.ndarray], ReadReport]


def answers(path: Path) -> list[Taken]:
    """What one reader answers to request after request."""
    found = []
    with path.open("rb") as file:
        reader = PyavReader(file, probe(file, LIMITS), LIMITS, 1)
        for request in ASKED:
            frames = list(reader.read(request))
            pixels = [each.rgb() for _, each in frames]
            found.append(([time_s for time_s, _ in frames], pixels, reader.report()))
    return found


def surveyed(path: Path, limits: ReadLimits = LIMITS) -> Survey:
    """The look over a file."""
    with path.open("rb") as file:
        return survey_of(file, probe(file, limits).streams, limits)


@pytest.mark.parametrize("name", VARIANTS)
def test_same_frames(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests one after another get the same times, pixels and reports whether packets were kept,
    keyframes alone, or none, and whether the look over goes on where the first frame was found."""
    suffix, make = VARIANTS[name]
    path = make(tmp_path / f"clip{suffix}").path
    found = answers(path)
    monkeypatch.setattr(kept, "KEPT_BYTES", path.stat().st_size - 1)
    only_keyframes = answers(path)
    monkeypatch.setattr(kept, "KEPT_BYTES", 0)
    monkeypatch.setattr(beginning, "HELD_PACKETS", 0)
    for one, other, without in zip(found, only_keyframes, answers(path), strict=True):
        assert one[0] == other[0] == without[0]
        assert one[2] == other[2] == without[2]
        for a, b, c in zip(one[1], other[1], without[1], strict=True):
            assert np.array_equal(a, b)
            assert np.array_equal(a, c)


def test_no_second_demuxing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading of a sound file that was kept asks the demuxer for nothing."""
    path = barcode_clip(tmp_path / "a.mp4", count=96, fps=24, options=GOPS).path
    expected = answers(path)

    def demuxed(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(own_packets, "packets_of", demuxed)
    for (times, _, report), (all_times, _, all_report) in zip(answers(path), expected, strict=True):
        assert times == all_times
        assert report == all_report


def test_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that is larger keyframes are kept, where they fit as well, and else nothing."""
    path = barcode_clip(tmp_path / "a.mkv", count=96, fps=24, options=GOPS).path
    whole = surveyed(path).kept.of(0, keyframes=False)
    assert whole is not None
    assert len(whole) == 96
    sizes = [packet.size + kept.PACKET_BYTES for packet in whole if packet.is_keyframe]
    for most, found in ((sum(sizes), len(sizes)), (sum(sizes) - 1, 0)):
        monkeypatch.setattr(kept, "KEPT_BYTES", most)
        some = surveyed(path).kept
        assert some.of(0, keyframes=False) is None
        packets = some.of(0, keyframes=True) or ()
        assert [packet.is_keyframe for packet in packets] == [True] * found
    # Room for the file, and none for what its packets take beside their data.
    size = path.stat().st_size
    monkeypatch.setattr(kept, "KEPT_BYTES", size)
    assert size < sum(packet.size + kept.PACKET_BYTES for packet in whole)
    some = surveyed(path).kept
    assert some.of(0, keyframes=False) is None
    assert len(some.of(0, keyframes=True) or ()) == len(sizes)


def test_a_share_of_the_memory() -> None:
    """Where a reader may take less memory, it keeps less."""
    assert kept.kept_bytes(3 << 30) == kept.KEPT_BYTES
    assert kept.kept_bytes(256 << 20) == 8 << 20


def test_nothing_of_the_container_is_held(tmp_path: Path) -> None:
    """Packets that are kept do not keep the container, whose decoder holds whole pictures."""
    packets = surveyed(barcode_clip(tmp_path / "a.mp4", count=8).path).kept.of(0, keyframes=False)
    assert packets
    assert {packet.stream.type for packet in packets} == {"data"}


def test_a_damaged_file_is_read_again(tmp_path: Path) -> None:
    """Where the demuxer met an error each reading is to meet it too: nothing is kept."""
    found = surveyed(absurd_sample(tmp_path / "a.mp4", 32))
    assert not found.whole
    assert found.kept.of(0, keyframes=True) is None


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_beginning_once_more(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a look for the first frame the packets come from the first on, as if demuxed anew; or
    not at all, where too many were looked at."""
    path = barcode_clip(tmp_path / f"a{suffix}", count=20, options=GOPS).path
    with av.open(str(path)) as container:
        expected = [(each.pts, each.dts, bytes(each)) for each in container.demux()]
    for most in (4096, 0):
        monkeypatch.setattr(beginning, "HELD_PACKETS", most)
        with path.open("rb") as file, open_media(file, max_pixels=LIMITS.max_pixels) as container:
            looked = Beginning(container)
            assert first_frame(looked, container.streams.video[0], LIMITS)[0] is not None
            again = looked.again()
            assert (again is None) == (most == 0)
            if again is not None:
                assert [(each.pts, each.dts, bytes(each)) for each in again] == expected
