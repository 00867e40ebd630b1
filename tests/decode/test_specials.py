"""Odd files, one by one: each is read as far as it goes, with its account, or refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bench.hostile.specials import SPECIALS

from vscan.decode.limits import ReadLimits
from vscan.decode.workers import ReaderPool
from vscan.errors import SourceError
from vscan.media import ImageSpec, Measure
from vscan.sampling import GridRequest

MEASURE = Measure(ImageSpec(224, 224), pdq=True)

SEVERAL = "several_video_streams"
LEAPS, SKIPPED, SHORT = "timestamps_jump_back", "packets_skipped", "shorter_than_claimed"
HIDDEN = "hidden_by_edit_list"
READ: dict[str, tuple[int, int, set[str]]] = {
    "still-jpeg": (1, 1, set()),
    "still-png": (1, 1, set()),
    "still-webp": (1, 1, set()),
    "still-tiff": (1, 1, set()),
    "still-bmp": (1, 1, set()),
    "still-gif": (1, 1, set()),
    "still-avif": (1, 1, set()),
    "jpeg-named-mp4": (1, 1, set()),
    "cut-jpeg": (1, 1, set()),
    "animated-gif": (3, 3, set()),
    "animated-png": (3, 3, set()),
    "animated-avif": (4, 4, {SEVERAL}),
    "two-streams-mp4": (10, 10, {SEVERAL}),
    "two-streams-mkv": (8, 8, {SEVERAL}),
    "two-streams-ts": (8, 8, {SEVERAL}),
    "thirty-streams": (30, 30, {SEVERAL}),
    "cover-in-mp3": (1, 1, set()),
    "cover-in-flac": (1, 1, set()),
    "cover-beside-sound": (1, 1, set()),
    "cover-in-mp4": (5, 5, {SEVERAL}),
    "broken-cover-in-mp4": (5, 4, {SEVERAL, SKIPPED, "stream_not_decoded"}),
    "resized-ts": (12, 12, {LEAPS}),
    "resized-mpg": (12, 12, {LEAPS}),
    "joined-mpg": (12, 12, {LEAPS}),
    "joined-ts-of-two-codecs": (12, 8, {LEAPS, SKIPPED}),
    "joined-mp4-and-mkv": (6, 6, set()),
    "mid-gop-ts": (11, 10, set()),
    "edit-list-late": (7, 7, {HIDDEN}),
    "edit-list-short": (6, 6, {HIDDEN}),
    "edit-list-beyond": (12, 2, {SHORT, HIDDEN}),
    "cut-faststart": (13, 4, {SHORT, SKIPPED}),
    "cut-fragmented": (9, 6, {SHORT, SKIPPED}),
    "cut-mkv": (12, 4, {SHORT}),
    "cut-avi": (12, 3, {SHORT}),
    "cut-flv": (13, 4, {SHORT, SKIPPED}),
    "ten-hours": (35901, 35901, set()),
}
"""Samples planned at one a second, those read, and the warnings."""
REFUSED = {
    "animated-webp": "unsupported_format",
    "bomb-png": "too_large",
    "bomb-png-deep": "too_large",
    "bomb-jpeg": "too_large",
    "bomb-webp": "too_large",
    "bomb-bmp": "too_large",
    "bomb-tiff": "too_large",
    "bomb-gif": "no_frames",
    "bomb-y4m": "decode_failed",
    "bomb-h264": "too_large",
    "bomb-vp8": "no_frames",
    "bomb-mjpeg": "no_frames",
    "bomb-thirty-hours": "too_large",
    "cut-mp4-without-index": "unsupported_format",
    "sound-wav": "no_video_stream",
    "sound-mp3": "no_video_stream",
    "sound-m4a": "no_video_stream",
    "sound-named-mp4": "no_video_stream",
    "one-byte": "unsupported_format",
    "text": "unsupported_format",
    "html": "unsupported_format",
    "svg": "unsupported_format",
    "hls": "unsupported_format",
    "concat": "unsupported_format",
    "zip": "unsupported_format",
    "empty-boxes": "unsupported_format",
    "endless-box": "unsupported_format",
    "deep-boxes": "unsupported_format",
}


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """One reader process for all of them."""
    with ReaderPool(1, ReadLimits(timeout_s=60, threads=1)) as readers:
        yield readers


def made(name: str, folder: Path) -> Path:
    """The special file of that name."""
    suffix, make = SPECIALS[name]
    path = folder / f"special{suffix}"
    make(path)
    return path


def test_none_is_left_out() -> None:
    """Every special file has its answer here."""
    assert set(SPECIALS) == set(READ) | set(REFUSED)


@pytest.mark.parametrize("name", READ)
def test_read_with_its_account(pool: ReaderPool, tmp_path: Path, name: str) -> None:
    """What is there is sampled in order; what is missing of it is counted, with a gap that shows
    where, and the warnings say what was wrong."""
    planned, read, warnings = READ[name]
    with pool.session(made(name, tmp_path)) as video:
        batches = [batch.times_s for batch in video.read(GridRequest(1.0), MEASURE)]
        report = video.report
    times_s = np.concatenate(batches)
    assert (planned, read) == (report.planned, report.read)
    assert warnings == set(report.warnings)
    assert (np.diff(times_s) > 0).all()
    assert bool(report.gaps_s) == (read < planned)
    starts_s = [part.start_s for part in report.parts]
    assert (SEVERAL in warnings) == (len(starts_s) > 1)
    for start_s in starts_s[: read if "stream_not_decoded" not in warnings else 1]:
        assert start_s in times_s.round(6), "each stream is sampled from its start"


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(pool: ReaderPool, tmp_path: Path, name: str) -> None:
    """What cannot or may not be read is an error with its code, and what is too large names the
    limit; where a size shows in the decoder alone, its packets fail."""
    with pytest.raises(SourceError) as caught, pool.session(made(name, tmp_path)) as video:
        list(video.read(GridRequest(1.0), MEASURE))
    assert REFUSED[name] == caught.value.code
    if caught.value.code == "too_large":
        assert "limit max_" in caught.value.message
    if name == "animated-webp":
        assert "animated WebP" in caught.value.message
