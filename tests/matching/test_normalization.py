"""Score normalisation: a sample needs a higher cosine the more it resembles the background."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.exemplars.synthetic import DIM, MODEL, exemplar, tracks
from vscan.errors import ExemplarIndexError
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.vectors import unit_rows
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.matching import search as searching
from vscan.matching.match import similarity_score
from vscan.matching.normalization import (
    BETA,
    MARGIN,
    NEAREST,
    Background,
    learnt_point,
    thinned,
)
from vscan.matching.search import SourceTracks, search, search_reference


def units(count: int, seed: int) -> NDArray[np.float32]:
    """Random unit vectors (count, DIM)."""
    return unit_rows(np.random.default_rng(seed).normal(size=(count, DIM)))


def near(vectors: NDArray[np.float32], noise: float, seed: int = 5) -> NDArray[np.float32]:
    """Unit vectors that differ a little from those."""
    moved = np.random.default_rng(seed).normal(size=vectors.shape) * noise / DIM**0.5
    return unit_rows(vectors + moved)


def calibrated(folder: Path, background: NDArray[np.float32], point: float) -> ExemplarIndex:
    """An index of three exemplars with that background."""
    create_index(folder, name="known", model=MODEL)
    with IndexWriter(folder) as writer:
        for seed in range(3):
            writer.add(exemplar(f"e{seed}"), tracks(seed))
        writer.calibrate(background, point)
    return ExemplarIndex.open(folder)


def asked(noise: float) -> SourceTracks:
    """A source that shows exemplar 1, with its vectors moved."""
    track = tracks(1)["embedding"]
    moved = near(unit_rows(track.values), noise).astype(np.float16)
    return SourceTracks.of({"embedding": replace(track, values=moved)}, 10.0)


def crowding(noise: float = 0.5) -> NDArray[np.float32]:
    """A background that crowds around the first half of exemplar 1's rows."""
    first = unit_rows(tracks(1)["embedding"].values)[:20]
    return np.concatenate([units(60, 9), *(near(first, noise, seed) for seed in range(NEAREST))])


def test_the_bias_is_the_mean_of_the_nearest() -> None:
    """It is what sorting every cosine says, whatever samples stand beside the one asked for."""
    background, samples = Background.of(units(50, 1)), units(9, 2)
    cosine = samples.astype(np.float64) @ background.vectors.T
    expected = np.sort(cosine, axis=1)[:, -NEAREST:].mean(axis=1)
    assert background.bias(samples) == pytest.approx(expected, abs=2e-6)
    alone = [float(background.bias(samples[k : k + 1])[0]) for k in range(9)]
    assert alone == background.bias(samples).tolist()


def test_a_typical_sample_needs_the_operating_point() -> None:
    """At the background's own median bias the limit is the index's; bias costs BETA of it."""
    background, samples = Background.of(units(50, 1)), units(9, 2)
    limits = background.limits(samples, 0.9)
    shifted = 1.0 - limits - BETA * (background.bias(samples) - background.typical)
    assert shifted == pytest.approx(np.full(9, 0.9))


@pytest.mark.parametrize("chunk", [1, 1000, 4_000_000])
def test_search_agrees_with_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """With a background too, FAISS gives the pairs, scores and cosines of comparing each."""
    index = calibrated(tmp_path / "known", crowding(), 0.8)
    monkeypatch.setattr(searching, "_PAIRS_AT_ONCE", chunk)
    source = asked(0.5)
    expected, found = (
        search_reference(index, "embedding", source),
        search(index, "embedding", source),
    )
    assert 5 < len(expected) < 40
    assert expected.sample.tolist() == found.sample.tolist()
    assert expected.row.tolist() == found.row.tolist()
    assert found.difference == pytest.approx(expected.difference, abs=1e-5)
    assert expected.similarity is not None
    assert found.similarity == pytest.approx(expected.similarity, abs=1e-5)


def test_what_resembles_the_background_must_agree_more_closely(tmp_path: Path) -> None:
    """Of samples that differ alike from an exemplar, those in a crowd are passed over."""
    index = calibrated(tmp_path / "known", crowding(), 0.8)
    found = set(search(index, "embedding", asked(0.45)).sample.tolist())
    assert len(found & set(range(20))) < 5
    assert len(found & set(range(20, 40))) > 15


def test_the_score_is_half_at_each_samples_own_limit(tmp_path: Path) -> None:
    """A pair's stretched difference gives 0.5 at its sample's limit and 1 at identity."""
    index = calibrated(tmp_path / "known", crowding(), 0.8)
    source = asked(0.45)
    hits = search(index, "embedding", source)
    assert hits.similarity is not None
    vectors = unit_rows(source.tracks["embedding"].values)
    limits = Background.of(index.background).limits(vectors, 0.8)[hits.sample]  # type: ignore[arg-type]
    for difference, cosine, limit in zip(hits.difference, hits.similarity, limits, strict=True):
        share = (1.0 - cosine) / limit
        score = similarity_score(1.0 - difference, 0.8)
        assert score == pytest.approx(1.0 - 0.5 * share * share)
        assert score >= 0.5


def test_a_sample_of_the_background_agrees_with_nothing(tmp_path: Path) -> None:
    """An exemplar that shows what everything shows is not found by it, not even exactly."""
    shown = unit_rows(tracks(1)["embedding"].values)
    crowd = np.concatenate([units(60, 9), *(near(shown, 0.01, seed) for seed in range(NEAREST))])
    index = calibrated(tmp_path / "known", crowd, 0.9)
    assert 0 == len(search(index, "embedding", asked(0.0)))


def test_thinned_keeps_no_near_duplicates_and_is_seeded() -> None:
    """Copies of a vector are held once, and the same seed chooses the same."""
    rows = np.concatenate([units(30, 1), near(units(30, 1), 0.05)])
    chosen = thinned(rows, 60, seed=3)
    assert 30 == len(chosen)
    assert {k % 30 for k in chosen.tolist()} == set(range(30))
    assert chosen.tolist() == thinned(rows, 60, seed=3).tolist()
    assert 7 == len(thinned(rows, 7, seed=3))


def test_the_operating_point_is_learnt_beyond_the_nearest_chance_frame() -> None:
    """No background frame reaches it when searched without its video; shared frames are told."""
    frames, exemplars = units(200, 1), units(100, 2)
    frames[10] = exemplars[3]
    video = np.arange(200) // 20
    background = Background.of(frames)
    point = learnt_point(background, video, frames, video, exemplars)
    assert [10] == point.shared.tolist()
    assert 199 == point.frames
    reached = []
    for k in set(range(200)) - {10}:
        others = np.sort(background.vectors[video != video[k]] @ frames[k])[-NEAREST:].mean()
        best = float((exemplars @ frames[k]).max())
        reached.append((best - BETA * (others - background.typical), k))
    assert (max(reached)[0] + MARGIN, max(reached)[1]) == pytest.approx(
        (point.match_similarity, point.nearest), abs=1e-4
    )


def test_nothing_is_learnt_from_one_video_or_no_exemplar() -> None:
    """Both say what to do instead of setting a point that means nothing."""
    frames, video = units(40, 1), np.zeros(40, np.int64)
    background = Background.of(frames)
    with pytest.raises(ExemplarIndexError, match="too few or too short"):
        learnt_point(background, video, frames, video, units(3, 2))
    with pytest.raises(ExemplarIndexError, match="nothing to learn"):
        learnt_point(background, video, frames, video, frames[:0])
