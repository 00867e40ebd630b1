"""Real videos, where VSCAN_CORPUS names a folder of them: fast ways to scan against the plain one.

Bounds are those of one frame decoded two ways, with room. How far two neighbouring frames differ is
the video's affair: where decoding fast takes another frame, it is held against that same frame
decoded in full. Segments may be of any length here: a sample of fps:1 stands for a second whatever
it shows, and closer looks tell how long it lasted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from bench.fast_decode import SAME_S, Sampled, bits, cosines, frame_of, sampled
from numpy.typing import NDArray

from tests.decode.test_sparing import read, whole
from vscan.decode.stream_reading import StreamReading
from vscan.decode.workers import ReaderPool
from vscan.embeddings.openclip import load_encoder
from vscan.hashes.pdq import HASH_BYTES, MATCH_DISTANCE
from vscan.hashes.regions import WHOLE
from vscan.indexing import Label, add_exemplars, new_index
from vscan.intervals import Interval
from vscan.sampling import GridRequest, TimesRequest
from vscan.scanning import scan
from vscan.settings import ScanSettings
from vscan.shipped import shipped
from vscan.sources import find_sources
from vscan.store.frames import FrameStore
from vscan.verdicts import ExemplarEvidence, Segment, Verdict

CORPUS = Path(os.environ.get("VSCAN_CORPUS", "absent"))
LONG = ("tmk-chair-19-sd-bar.mp4", "tmk-chair-22-sd-grey-bar.mp4")
"""Two of seven edits of one clip, of twenty seconds each."""
BEGINNING_S = 8.0
"""What is scanned of these."""
FILES = sorted(path for folder in ("plain", "hard") for path in (CORPUS / folder).glob("*.*"))
KNOWN = (LONG[0], "sk-carphone_pristine.mp4")
"""Exemplars; of each another edit is scanned too."""
MODES: dict[str, dict[str, Any]] = {
    "exact": {},
    "fast": {"decode": "fast"},
    "adaptive": {"sampling": "adaptive"},
}
SIGNALS = ("embedding", "pdq")
LATE_FRAMES = 1.0
"""By which the frame that stands in comes later, in these videos; with more B-frames it is more."""
LEAST_COSINE, MOST_BITS = 0.98, 16
"""Of one frame, decoded in full and fast. It was 0.991 and 12 at worst, each in other videos."""
MARGIN = 0.05
"""Of a score: what lies less above its threshold in one scan need not be found in another."""

pytestmark = pytest.mark.skipif(not FILES, reason="VSCAN_CORPUS names no folder of real videos")


@dataclass(frozen=True, eq=False)
class Scanned:
    """One video, scanned one way."""

    verdict: Verdict
    samples: Sampled


Scans = Mapping[str, Mapping[Path, Scanned]]
"""By mode and video, in one order."""


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Scans:
    """Every video scanned once in each mode, with the demonstration's pack and two exemplars."""
    folder = tmp_path_factory.mktemp("agreement")
    paths = FILES + [_beginning(CORPUS / "near-duplicates" / name, folder) for name in LONG]
    pack, index = folder / "demo.toml", folder / "known"
    text, header = shipped("policies")["demo"].read_text("utf-8"), "[policy.thresholds]"
    pack.write_text(text.replace(header, f"min_duration_s = 0.0\n\n{header}"), "utf-8")
    own = ScanSettings(model="builtin", signals=SIGNALS)
    new_index(index, settings=own)
    exemplars = find_sources([str(path) for path in paths if path.name in KNOWN])
    for added in add_exemplars(index, exemplars, Label(policy="test.known"), settings=own):
        assert added.status == "added"
    return {
        mode: _scanned(
            paths,
            ScanSettings(
                policy=str(pack),
                indexes=(str(index),),
                model="builtin",
                signals=SIGNALS,
                store=str(folder / mode),
                flood_share=0.0,
                **told,
            ),
        )
        for mode, told in MODES.items()
    }


def _beginning(path: Path, folder: Path) -> Path:
    """The packets of the first BEGINNING_S of a video, as they are, in a file of the same name."""
    beginning = folder / path.name
    with av.open(str(path)) as source, av.open(str(beginning), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None and packet.dts * packet.time_base < BEGINNING_S:
                packet.stream = stream
                output.mux(packet)
    return beginning


def _scanned(paths: Sequence[Path], settings: ScanSettings) -> dict[Path, Scanned]:
    verdicts = {verdict.source.uri: verdict for verdict in scan(paths, settings=settings)}
    assert settings.store is not None
    store = FrameStore.open(settings.store)
    return {path: Scanned(verdicts[str(path)], _stored(store, str(path))) for path in paths}


def _pairs(scans: Scans, mode: str) -> Iterator[tuple[Path, Scanned, Scanned]]:
    """Each video that was scanned in that mode, scanned exactly and so."""
    return ((path, scans["exact"][path], other) for path, other in scans[mode].items())


def _stored(store: FrameStore, uri: str) -> Sampled:
    record = store.source(uri)
    assert record is not None
    assert record.sha256 is not None, uri
    embedded, hashed = (
        store.read(record.sha256, signal, record.tracks[signal])[1] for signal in SIGNALS
    )
    assert hashed.region is not None
    assert hashed.quality is not None
    own = hashed.region == WHOLE
    return Sampled(
        embedded.times_s,
        embedded.values.astype(np.float64),
        hashed.values[own, :HASH_BYTES].astype(np.uint8),
        hashed.quality[own],
    )


def test_fast_takes_the_frame_or_the_next(scans: Scans) -> None:
    """Decoding fast gives as many samples, each at the same time or a frame later, nine in ten of
    them such that PDQ takes both for the same picture."""
    distances: list[int] = []
    for path, exact, fast in _pairs(scans, "fast"):
        assert len(fast.samples.times_s) == len(exact.samples.times_s), path
        late_s = fast.samples.times_s - exact.samples.times_s
        assert late_s.min() >= -SAME_S, path
        assert late_s.max() <= LATE_FRAMES * frame_of(path) + 1e-3, path
        distances += bits(exact.samples, fast.samples).tolist()
    usable = np.array([each for each in distances if each >= 0])
    assert len(usable) > 50
    assert np.mean(usable <= MATCH_DISTANCE) >= 0.9


def test_fast_frames_are_the_exact_ones(scans: Scans) -> None:
    """A frame that was decoded fast is, to model and PDQ, that frame decoded in full."""
    encoder = load_encoder("builtin")
    others = 0
    with ReaderPool(1) as pool:
        for path, exact, fast in _pairs(scans, "fast"):
            moved = np.abs(fast.samples.times_s - exact.samples.times_s) > SAME_S
            _held(_picked(exact.samples, ~moved), _picked(fast.samples, ~moved), path)
            if not moved.any():
                continue
            others += int(moved.sum())
            there = _picked(fast.samples, moved)
            wanted = TimesRequest(tuple(there.times_s.tolist()))
            with pool.session(path) as video:
                _held(sampled(video, encoder, "exact", wanted), there, path)
    assert others > 0


def _picked(samples: Sampled, which: NDArray[np.bool_]) -> Sampled:
    return Sampled(*(getattr(samples, each.name)[which] for each in fields(Sampled)))


def _held(exact: Sampled, fast: Sampled, path: Path) -> None:
    """Asserts that these are the same frames, decoded two ways."""
    np.testing.assert_allclose(exact.times_s, fast.times_s, atol=SAME_S, err_msg=str(path))
    assert (cosines(exact, fast) >= LEAST_COSINE).all(), path
    assert (bits(exact, fast) <= MOST_BITS).all(), path


def test_fast_finds_the_same(scans: Scans) -> None:
    """Decoding fast finds the same exemplars by the same signals, and the same policies at the same
    action, but for scores that lie within MARGIN of a threshold; so the outcomes are the same."""
    for path, exact, fast in _pairs(scans, "fast"):
        assert exact.verdict.outcome != "error", path
        assert _exemplars(exact.verdict) == _exemplars(fast.verdict), path
        for one, other in ((exact.verdict, fast.verdict), (fast.verdict, exact.verdict)):
            assert _clear_findings(one) <= _findings(other), path
        close = [_clear_findings(each.verdict) != _findings(each.verdict) for each in (exact, fast)]
        assert any(close) or exact.verdict.outcome == fast.verdict.outcome, path
    assert len({pair for each in scans["exact"].values() for pair in _exemplars(each.verdict)}) >= 5
    assert any(_findings(each.verdict) for each in scans["exact"].values())


def _exemplars(verdict: Verdict) -> set[tuple[str, str]]:
    """Exemplars found and the signals that found them."""
    return {
        (evidence.exemplar, evidence.signal)
        for finding in verdict.findings
        for evidence in finding.evidence
        if isinstance(evidence, ExemplarEvidence)
    }


def _findings(verdict: Verdict) -> set[tuple[str, str]]:
    """Policies that fire, with what they recommend."""
    return {(finding.policy, finding.action) for finding in verdict.findings}


def _clear_findings(verdict: Verdict) -> set[tuple[str, str]]:
    """Those of them that do so by more than MARGIN."""
    return {
        (finding.policy, finding.action)
        for finding in verdict.findings
        if finding.score >= finding.threshold + MARGIN
    }


def test_adaptive_overlaps_all_that_fps_1_finds(scans: Scans) -> None:
    """Every segment that one frame a second finds is overlapped by one that adaptive sampling finds
    for the same policy, and every exemplar is found again."""
    found = 0
    for path, exact, adaptive in _pairs(scans, "adaptive"):
        assert _exemplars(exact.verdict) <= _exemplars(adaptive.verdict), path
        segments = {each.policy: each.segments for each in adaptive.verdict.findings}
        for finding in exact.verdict.findings:
            for segment in finding.segments:
                others = segments.get(finding.policy, ())
                told = f"{path}: {finding.policy} {segment}, adaptive {others}"
                assert any(_overlap_s(segment, other) > 0 for other in others), told
                found += 1
    assert found >= 5


def _overlap_s(one: Segment, other: Segment) -> float:
    return Interval(one.start_s, one.end_s).overlap_s(Interval(other.start_s, other.end_s))


def test_sparing_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding only what the samples refer to gives the frames of decoding everything, bit for
    bit, and the same account of them."""
    grid = GridRequest(1.0)
    sparing, spared = StreamReading._sparing, []

    def noted(reading: StreamReading) -> Any:
        spared.append(sparing(reading))
        return spared[-1]

    with monkeypatch.context() as patch:
        patch.setattr(StreamReading, "_sparing", noted)
        found = [read(path, grid) for path in FILES]
    whole(monkeypatch)
    for path, (times, frames, report) in zip(FILES, found, strict=True):
        all_times, all_frames, all_report = read(path, grid)
        assert times == all_times, path
        assert all(map(np.array_equal, frames, all_frames)), path
        assert (report.read, report.coverage) == (all_report.read, all_report.coverage), path
    assert sum(each is not None for each in spared) >= 5
