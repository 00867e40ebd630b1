"""What a header claims of a video's length, against what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.media_factory import barcode_clip
from vscan.decode.limits import ReadLimits
from vscan.decode.probe import missing_until, probe, survey_of
from vscan.decode.workers import ReaderPool
from vscan.media import Measure
from vscan.sampling import EveryRequest, GridRequest, KeyframesRequest

COUNT = 90
OPTIONS = {"preset": "ultrafast", "x264-params": "keyint=15:bframes=2"}
FASTSTART = {"movflags": "faststart"}


def clip(folder: Path, suffix: str) -> Path:
    """Three seconds whose header stands before the frames."""
    options = FASTSTART if suffix in (".mp4", ".mov") else {}
    path = folder / f"a{suffix}"
    return barcode_clip(path, count=COUNT, options=OPTIONS, container_options=options).path


def cut(path: Path, share: float) -> Path:
    """The file without its end."""
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi", ".flv", ".ts"])
def test_a_whole_file_keeps_its_claim(tmp_path: Path, suffix: str) -> None:
    """Nothing is missing from it; a transport stream claims nothing."""
    limits = ReadLimits()
    with clip(tmp_path, suffix).open("rb") as file:
        probed = probe(file, limits)
        (stream,) = probed.streams
        assert (stream.claim is None) == (suffix == ".ts")
        if stream.claim is not None:
            assert stream.claim.length_s == pytest.approx(3.0, abs=0.15)
        assert missing_until(survey_of(file, probed.streams, limits), stream) is None


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi", ".flv"])
@pytest.mark.parametrize(
    "request_", [GridRequest(0.5), EveryRequest(3), KeyframesRequest()], ids=str
)
def test_a_file_that_is_cut_off(
    tmp_path: Path, suffix: str, request_: GridRequest | EveryRequest | KeyframesRequest
) -> None:
    """What the header claims and is not there counts as planned: coverage says how much is missing,
    and a gap where, for every plan."""
    path = cut(clip(tmp_path, suffix), 0.5)
    with ReaderPool(1, ReadLimits(threads=1)) as pool, pool.session(path) as video:
        assert list(video.read(request_, Measure()))
        report = video.report
    assert report.coverage < 0.75
    assert "shorter_than_claimed" in report.warnings
    start_s, end_s = report.gaps_s[-1]
    assert 0.0 < start_s < 2.5
    assert end_s == pytest.approx(3.0, abs=0.15)
