"""What `--decode fast` changes: times, vectors, scores and hashes of samples, and CPU of decoding.

Every video is sampled once a second both ways. What was decoded fast is held against what was
decoded exactly for the same second, and against that very frame. `VSCAN_CORPUS` names a folder of
videos; those that cannot be read are counted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vscan.decode.workers import ReaderPool, VideoSession
from vscan.errors import SourceError
from vscan.hashes.pdq import MATCH_DISTANCE, MIN_QUALITY, hamming
from vscan.hashes.regions import WHOLE
from vscan.media import DecodeMode, Measure
from vscan.planning.cpu_meter import CpuMeter
from vscan.sampling import FrameRequest, GridRequest, TimesRequest
from vscan.scanning import prepare
from vscan.scanning.models_used import load_model
from vscan.settings import ScanSettings
from vscan.sources import Source, find_sources
from vscan.tracks import Track

if TYPE_CHECKING:
    from vscan.embeddings.encoder import Encoder
    from vscan.matching.prompt_scores import PromptScorer

COMMAND = "VSCAN_CORPUS=VIDEOS python -m bench fast_decode"
MODEL, PACK = "builtin", "demo"
EVERY_SECOND = GridRequest(1.0)
MODES: tuple[DecodeMode, ...] = get_args(DecodeMode)
SAME_S = 1e-6
"""Seconds by which two times of one frame may differ."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """One video's samples, decoded one way."""

    times_s: NDArray[np.float64]
    """(N,) presentation times, seconds, ascending."""
    vectors: NDArray[np.float64]
    """(N, D) unit vectors of the model."""
    hashes: NDArray[np.uint8]
    """(N, 32) PDQ of the whole frame as it stands."""
    quality: NDArray[np.uint8]
    """(N,) of PDQ, 0..100."""


def sampled(
    video: VideoSession, encoder: Encoder, mode: DecodeMode, request: FrameRequest = EVERY_SECOND
) -> Sampled:
    """The samples of an open video. Raises SourceError."""
    measure = Measure(image=encoder.image_spec, pdq=True, decode=mode)
    batches = list(video.read(request, measure))
    whole = [batch.pdq_region == WHOLE for batch in batches]
    vectors = [encoder.encode_images(batch.images) for batch in batches]
    parts = list(zip(batches, whole, strict=True))
    return Sampled(
        np.concatenate([batch.times_s for batch in batches]),
        np.concatenate(vectors).astype(np.float64),
        np.concatenate([batch.pdq[own, 0] for batch, own in parts]),
        np.concatenate([batch.pdq_quality[own] for batch, own in parts]),
    )


def cosines(one: Sampled, other: Sampled) -> NDArray[np.float64]:
    """(N,) of the k-th vector of one with the k-th of the other."""
    found: NDArray[np.float64] = np.einsum("nd,nd->n", one.vectors, other.vectors)
    return found


def bits(one: Sampled, other: Sampled) -> NDArray[np.int64]:
    """(N,) Hamming distances of PDQ; -1 where the quality of either is too low to be matched."""
    usable = np.minimum(one.quality, other.quality) >= MIN_QUALITY
    return np.where(usable, hamming(one.hashes, other.hashes), -1)


def frame_of(path: Path) -> float:
    """Seconds from one frame to the next, by the video's average rate."""
    import av

    with av.open(str(path)) as container:
        rate = container.streams.video[0].average_rate
        return 1.0 / float(rate) if rate else float("nan")


@dataclass
class Differences:
    """Of pairs of samples, as far as they were looked at."""

    cosines: list[float] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    """Prompt scores apart, of the policy of which they are most so."""

    def add(self, one: Sampled, other: Sampled, scorer: PromptScorer) -> None:
        """The k-th sample of one beside the k-th of the other."""
        self.cosines += cosines(one, other).tolist()
        self.bits += bits(one, other).tolist()
        self.scores += np.abs(_scores(one, scorer) - _scores(other, scorer)).max(axis=1).tolist()


@dataclass
class Tally:
    """What was found so far, sample by sample, in the order of the videos."""

    late_s: list[float] = field(default_factory=list)
    late_frames: list[float] = field(default_factory=list)
    paired: Differences = field(default_factory=Differences)
    """Of what was decoded fast and what was decoded exactly for the same second."""
    same: Differences = field(default_factory=Differences)
    """Of what was decoded fast and that very frame decoded exactly."""
    videos: int = 0
    left_out: int = 0
    """Videos that cannot be read, or of which both ways give another number of samples."""
    cpu_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(MODES, 0.0))
    """Of decoding and converting the samples, by mode."""

    def add(self, path: Path, video: VideoSession, encoder: Encoder, scorer: PromptScorer) -> None:
        """Read one video both ways. Raises SourceError."""
        exact, fast = (sampled(video, encoder, mode) for mode in MODES)
        if len(exact.times_s) != len(fast.times_s):
            self.left_out += 1
            return
        late_s = fast.times_s - exact.times_s
        same = exact
        if np.abs(late_s).max() > SAME_S:
            same = sampled(video, encoder, "exact", TimesRequest(tuple(fast.times_s.tolist())))
        self.late_s += late_s.tolist()
        self.late_frames += (late_s / frame_of(path)).tolist()
        self.paired.add(exact, fast, scorer)
        self.same.add(same, fast, scorer)
        self.videos += 1
        for mode in MODES:
            self.cpu_s[mode] += _decoding_s(video, mode)


def measure() -> Iterator[str | tuple[str, str]]:
    """Lines: the command, the machine, the table."""
    from bench.speed.tables import machine, markdown

    corpus = os.environ.get("VSCAN_CORPUS")
    if corpus is None:
        yield "fast decode", "not measured: VSCAN_CORPUS names no folder of videos"
        return
    tally = compared(Path(corpus))
    yield f"command: {COMMAND}"
    yield machine()
    yield ""
    yield from markdown(("what", "measured"), list(rows(tally)))


def compared(corpus: Path) -> Tally:
    """Every video of a folder, read both ways."""
    settings = ScanSettings(policy=PACK, model=MODEL)
    encoder, scorer, tally = load_model(settings), prepare(settings).rules.scorer, Tally()
    if scorer is None:
        raise AssertionError(f"pack {PACK} has prompts")
    with ReaderPool(1) as pool:
        for source in sorted(find_sources([str(corpus)]), key=lambda source: source.uri):
            assert isinstance(source, Source)
            try:
                with pool.session(source.path) as video:
                    tally.add(source.path, video, encoder, scorer)
            except SourceError:
                tally.left_out += 1
    return tally


def rows(tally: Tally) -> Iterator[tuple[str, str]]:
    """Rows of the table: what is measured, and the figures."""
    late_s, frames = np.array(tally.late_s), np.array(tally.late_frames)
    moved = np.abs(late_s) > SAME_S
    yield "videos, of them left out", f"{tally.videos + tally.left_out}, {tally.left_out}"
    yield "samples", f"{len(late_s)}"
    yield "with another time", _share(moved)
    if moved.any():
        yield "later by, frames: median, 95 %, most", _quantiles(frames[moved], 1, 50, 95, 100)
        yield "later by, s: median, 95 %, most", _quantiles(late_s[moved], 3, 50, 95, 100)
    for name, found in (("same frame", tally.same), ("all", tally.paired)):
        hashed = np.array([each for each in found.bits if each >= 0])
        yield f"{name}, cosine: lowest, 1 %, median", _quantiles(found.cosines, 4, 0, 1, 50)
        told = f"{name}, prompt scores apart: median, 99 %, most"
        yield told, _quantiles(found.scores, 3, 50, 99, 100)
        if len(hashed):
            told = f"{name}, PDQ bits: median, 95 %, 99 %, most"
            yield told, _quantiles(hashed, 0, 50, 95, 99, 100)
            yield f"{name}, PDQ above {MATCH_DISTANCE} bits", _share(hashed > MATCH_DISTANCE)
    spent = ", ".join(f"{tally.cpu_s[mode]:.1f}" for mode in MODES)
    yield f"decoding, CPU s: {', '.join(MODES)}", spent


def _share(which: NDArray[np.bool_]) -> str:
    return f"{int(which.sum())} of {len(which)} ({which.mean():.1%})"


def _quantiles(values: ArrayLike, digits: int, *percent: float) -> str:
    # Figures that stand in the data, not between two of them.
    given = np.asarray(values, np.float64)
    found = np.percentile(given, np.array(percent), method="nearest")
    return ", ".join(f"{value:.{digits}f}" for value in found)


def _scores(samples: Sampled, scorer: PromptScorer) -> NDArray[np.float64]:
    """(N, P) of each sample for each policy."""
    track = Track("embedding", samples.times_s, samples.vectors.astype(np.float16))
    return np.stack([each.scores for each in scorer.score(track)], axis=1)


def _decoding_s(video: VideoSession, mode: DecodeMode) -> float:
    """CPU seconds of the reader process for the samples alone, nothing measured on them."""
    meter = CpuMeter(video.process_id)
    for _ in video.read(EVERY_SECOND, Measure(decode=mode)):
        pass
    return meter.read_s(video.process_id)
