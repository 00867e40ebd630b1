"""Every frame that comes out is the one that belongs at its time, in every container and codec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.decode.variants import VARIANTS
from tests.media_factory import read_barcode
from vscan.decode.workers import ReaderPool, ReadLimits, VideoSession
from vscan.media import ImageSpec, Measure, ReadReport
from vscan.sampling import EveryRequest, FrameRequest, GridRequest, KeyframesRequest, TimesRequest

PICTURE = ImageSpec(160, 96, resize_mode="squash")


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """One reader process for the whole suite, which also proves that it serves many files."""
    with ReaderPool(1, ReadLimits(timeout_s=60, threads=1)) as readers:
        yield readers


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the clips are made."""
    return tmp_path_factory.mktemp("clips")


def read(video: VideoSession, request: FrameRequest) -> tuple[list[float], list[int], ReadReport]:
    """Times and numbers of the frames that a request gets, and the report."""
    times: list[float] = []
    numbers: list[int] = []
    for batch in video.read(request, Measure(PICTURE)):
        times += batch.times_s.tolist()
        numbers += [read_barcode(image) for image in batch.images]
    return times, numbers, video.report


@pytest.mark.parametrize("name", VARIANTS)
def test_frame_identity(name: str, pool: ReaderPool, clips: Path) -> None:
    """All frames come, in order, each with its own time; a grid and keyframes pick from them."""
    suffix, make = VARIANTS[name]
    clip = make(clips / f"{name}{suffix}")
    with pool.session(clip.path) as video:
        times, numbers, report = read(video, EveryRequest(1))
        grid_times, grid_numbers, grid = read(video, GridRequest(0.25))
        wanted = (0.1, 0.5, 1.0, 1.06, 1.3)
        at_times, at_numbers, _ = read(video, TimesRequest(wanted))
        key_times, key_numbers, _ = read(video, KeyframesRequest())

    shown = len(clip.times_s)
    assert list(range(clip.first, clip.first + shown)) == numbers
    np.testing.assert_allclose(times, clip.times_s, atol=1.5e-3)
    assert (shown, shown, 0) == (report.planned, report.read, report.skipped_packets)
    assert "reader_fallback" not in report.warnings

    expected = first_at_or_after(times, np.arange(0, clip.times_s[-1] + 1e-3, 0.25))
    assert [times[k] for k in expected] == grid_times
    assert [numbers[k] for k in expected] == grid_numbers
    assert grid.coverage == 1.0
    assert [numbers[k] for k in first_at_or_after(times, np.array(wanted))] == at_numbers
    assert len(at_times) == len(at_numbers)
    assert key_numbers
    assert [clip.number_at(time_s) for time_s in key_times] == key_numbers


def first_at_or_after(times: list[float], grid: np.ndarray) -> list[int]:
    """Indices of the frames that serve the grid, each once; half a millisecond is the tolerance."""
    found = np.searchsorted(np.array(times) + 5.1e-4, grid)
    return sorted({int(k) for k in found if k < len(times)})
