"""Real videos, where VSCAN_CORPUS names a folder of them: edit lists, rotation, damage, AV1."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vscan.decode.workers import ReaderPool, ReadLimits
from vscan.media import Measure
from vscan.sampling import EveryRequest, GridRequest

CORPUS = Path(os.environ.get("VSCAN_CORPUS", "absent"))
FILES = sorted(path for folder in ("plain", "hard") for path in (CORPUS / folder).glob("*.*"))

pytestmark = pytest.mark.skipif(not FILES, reason="VSCAN_CORPUS names no folder of real videos")


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """One process for all files."""
    with ReaderPool(1, ReadLimits(timeout_s=60)) as readers:
        yield readers


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_is_read_whole(path: Path, pool: ReaderPool) -> None:
    """One sample a second, all of them, within the deadline; the hanging one among them."""
    with pool.session(path) as video:
        times = [t for b in video.read(GridRequest(1.0), Measure(pdq=True)) for t in b.times_s]
        report = video.report
    assert (len(times), 1.0) == (report.read, report.coverage)
    assert times[0] == pytest.approx(0.0, abs=0.05)
    assert ("packets_skipped" in report.warnings) == (report.skipped_packets > 0)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_times_are_ffprobes(path: Path, pool: ReaderPool) -> None:
    """Every frame's time is within one frame of ffprobe's, less its start_time."""
    entries = "frame=best_effort_timestamp_time:stream=start_time"
    command = ["ffprobe", "-v", "quiet", "-select_streams", "v:0", "-show_entries", entries]
    done = subprocess.run([*command, "-of", "json", str(path)], capture_output=True, check=False)
    said = json.loads(done.stdout)
    start = float(said["streams"][0]["start_time"])
    expected = np.array([float(f["best_effort_timestamp_time"]) - start for f in said["frames"]])
    with pool.session(path) as video:
        batches = list(video.read(EveryRequest(1), Measure()))
    actual = np.concatenate([batch.times_s for batch in batches])
    frame_s = float(np.median(np.diff(expected)))
    nearest = np.abs(expected[None, :] - actual[:, None]).min(axis=1)
    assert abs(len(expected) - len(actual)) <= 1
    assert (nearest <= frame_s).all()
    assert np.median(nearest) < 1e-3
