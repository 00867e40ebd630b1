"""Readings, tracks and source records for tests of the frame store."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from vscan.digests import Digests
from vscan.media import ReadReport, VideoInfo
from vscan.store.frames import FrameStore, Reading
from vscan.store.source_records import StoredSource
from vscan.store.specs import TrackSpec
from vscan.tracks import Track
from vscan.verdicts import ErrorRecord

SPECS = {
    "embedding": TrackSpec("embedding", {"model": "m#sha256:0", "sampling": "fps:1"}),
    "pdq": TrackSpec("pdq", {"hash": "pdq/1", "sampling": "fps:1"}),
    "keypoints": TrackSpec("keypoints", {"features": "orb/1 640", "sampling": "fps:1"}),
}
INFO = VideoInfo("mov,mp4,m4a", "h264", 1280, 720, 18.8, 90, ("several_video_streams",))


def sha256_of(number: int) -> str:
    """The SHA-256 of a content that is told apart by a number."""
    return hashlib.sha256(f"content {number}".encode()).hexdigest()


def reading(number: int = 0, samples: int = 3) -> Reading:
    """How the reading of that content went: samples a second apart, and one gap."""
    report = ReadReport(
        planned=samples + 1,
        read=samples,
        end_s=samples + 0.25,
        reader="decord2 3.4.0, av 18.0",
        skipped_packets=2,
        gaps_s=((0.5, 1.25),),
        warnings=("packets_skipped",),
        cost_s={"pdq": 0.5},
    )
    digests = Digests(sha256_of(number), "0" * 31 + "1", 2_117_802 + number)
    return Reading(digests, INFO, report, np.arange(samples, dtype=np.float64) + 0.125)


def track(signal: str, read: Reading, seed: int = 0) -> Track:
    """A track of that reading: of PDQ two rows for every sample."""
    rng = np.random.default_rng(seed)
    samples = len(read.times_s)
    spec = {"sampling": "fps:1"}
    if signal == "embedding":
        values = rng.normal(size=(samples, 16)).astype(np.float16)
        return Track(signal, read.times_s, values, spec=spec)
    if signal == "pdq":
        return Track(
            signal,
            np.repeat(read.times_s, 2),
            rng.integers(0, 256, (2 * samples, 256), np.uint8),
            rng.integers(0, 101, 2 * samples).astype(np.uint8),
            spec,
            np.tile(np.arange(2, dtype=np.uint8), samples),
        )
    return Track(signal, read.times_s, rng.integers(0, 256, (samples, 12), np.uint8), spec=spec)


def source(number: int = 0, uri: str | None = None, signals: tuple[str, ...] = ()) -> StoredSource:
    """The record of a source with that content, read without an error."""
    read = reading(number)
    return StoredSource(
        uri=uri or f"clips/{number}.mp4",
        sha256=read.digests.sha256,
        md5=read.digests.md5,
        bytes=read.digests.bytes,
        meta={"market": "DE", "views": 3, "nested": {"a": [1, None, "ü"]}},
        info=read.info,
        report=replace(read.report, cost_s={}),
        tracks={signal: SPECS[signal].key for signal in signals},
        specs={signal: SPECS[signal].made_by for signal in signals},
        error=None,
    )


def unreadable(uri: str) -> StoredSource:
    """The record of a source that could not be read."""
    return StoredSource(
        uri=uri,
        sha256=None,
        md5=None,
        bytes=None,
        meta={},
        info=None,
        report=None,
        tracks={},
        specs={signal: spec.made_by for signal, spec in SPECS.items()},
        error=ErrorRecord(code="not_found", message="there is no file of this name"),
    )


def fill(store: FrameStore, number: int, *signals: str, samples: int = 3) -> StoredSource:
    """Keeps tracks and record of a content, and returns the record."""
    read = reading(number, samples)
    for signal in signals:
        store.write(read, track(signal, read, number), SPECS[signal])
    record = source(number, signals=signals)
    store.put_source(record)
    return record


def assert_same_track(expected: Track, actual: Track) -> None:
    """Every array and the spec are the same, types included."""
    assert (expected.signal, dict(expected.spec)) == (actual.signal, dict(actual.spec))
    for name in ("times_s", "values", "quality", "region"):
        one, other = getattr(expected, name), getattr(actual, name)
        assert (one is None) == (other is None), name
        if one is not None:
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def assert_same_reading(expected: Reading, actual: Reading) -> None:
    """All but the cost, which is not kept, is the same."""
    assert expected.digests == actual.digests
    assert expected.info == actual.info
    assert expected.report == actual.report
    np.testing.assert_array_equal(expected.times_s, actual.times_s)
