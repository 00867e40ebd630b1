"""The decoder that the probe opened: it serves the first reading, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from tests.decode.test_kept import GOPS, LIMITS
from tests.media_factory import barcode_clip
from vscan.decode import beginning as beginnings
from vscan.decode import stream_reading
from vscan.decode.beginning import Beginning, first_frame
from vscan.decode.container import open_media
from vscan.decode.probe import probe
from vscan.decode.pyav_reader import PyavReader
from vscan.media import DecodeMode
from vscan.sampling import FrameRequest, GridRequest, KeyframesRequest, TimesRequest


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four seconds, a keyframe every second, frames reordered."""
    return barcode_clip(tmp_path / "a.mp4", count=96, fps=24, options=GOPS).path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with every opening of a file for a reading."""
    found: list[int] = []

    def counted(*args: Any, **named: Any) -> Any:
        found.append(1)
        return open_media(*args, **named)

    monkeypatch.setattr(stream_reading, "open_media", counted)
    return found


@pytest.mark.parametrize(
    ("request_", "threads", "mode", "openings"),
    [
        (KeyframesRequest(), 1, "exact", [0, 1]),
        (TimesRequest((1.2,)), 1, "exact", [0, 1]),
        (TimesRequest((1.2,)), 1, "fast", [1, 1]),  # decodes by another rule
        (GridRequest(0.04), 1, "exact", [1, 1]),  # every frame: who knows which are to come
        (KeyframesRequest(), 2, "exact", [1, 1]),
    ],
)
def test_the_first_reading_opens_nothing(
    clip: Path,
    opened: list[int],
    request_: FrameRequest,
    threads: int,
    mode: DecodeMode,
    openings: list[int],
) -> None:
    """Where it knows which frames must come out, and the decoder is set as it needs it."""
    with clip.open("rb") as file:
        reader = PyavReader(file, probe(file, LIMITS), LIMITS, threads, mode)
        for count in openings:
            opened.clear()
            assert list(reader.read(request_))
            assert len(opened) == count


def test_a_reading_that_is_left(clip: Path, opened: list[int]) -> None:
    """It keeps the decoder: the next one has its own, and finds all frames."""
    with clip.open("rb") as file:
        reader = PyavReader(file, probe(file, LIMITS), LIMITS, 1)
        frames = reader.read(KeyframesRequest())
        next(frames)
        frames.close()  # type: ignore[attr-defined]  # a generator
        assert len(list(reader.read(KeyframesRequest()))) == 4
    assert len(opened) == 1


def test_taken_once(clip: Path) -> None:
    """Nobody takes it twice, nor after it was closed; closing what was taken does nothing."""
    with clip.open("rb") as file:
        ready = probe(file, LIMITS).ready
        with ready.take() as container:
            ready.close()
            assert not ready.is_there
            container.seek(0)
            assert next(container.demux(video=0)).size
        with pytest.raises(RuntimeError):
            ready.take()
        closed = probe(file, LIMITS).ready
        closed.close()
        with pytest.raises(RuntimeError):
            closed.take()


@pytest.mark.parametrize("codec", ["mpeg4", "libvpx-vp9"])
def test_other_codecs_are_not_taken_over(codec: str, tmp_path: Path) -> None:
    """Not every decoder can be emptied."""
    path = barcode_clip(tmp_path / "a.mkv", count=12, codec=codec).path
    with path.open("rb") as file:
        assert not probe(file, LIMITS).ready.is_there


def test_a_first_frame_that_does_not_decode(clip: Path) -> None:
    """A decoder that was given more than the first frame is not taken over."""
    with av.open(str(clip)) as container:
        first = bytes(next(container.demux(video=0)))
    data = bytearray(clip.read_bytes())
    at = data.index(first)
    data[at + 4 : at + len(first)] = bytes(len(first) - 4)
    clip.write_bytes(data)
    with clip.open("rb") as file:
        assert not probe(file, LIMITS).ready.is_there


def test_one_packet_is_enough(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the first frame a keyframe is decoded without those behind it, and the decoder is left
    empty: what follows comes out as if nothing had gone through it."""
    monkeypatch.setattr(beginnings, "FIRST_FRAME_PACKETS", 1)
    with clip.open("rb") as file, open_media(file, max_pixels=LIMITS.max_pixels) as container:
        stream = container.streams.video[0]
        beginning = Beginning(container)
        first, alone = first_frame(beginning, stream, LIMITS)
        assert first is not None and alone
        again = beginning.again()
        assert again is not None
        times = [frame.pts or 0 for packet in again for frame in stream.decode(packet)]
    assert first.pts == times[0]
    assert len(times) == 96
    assert times == sorted(times)
