"""The sieve of a retro-hunt: whatever a search would find passes, what is far away does not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.exemplars.synthetic import DIM, make_index, tracks
from vscan.exemplars.index import ExemplarIndex
from vscan.hashes.pdq import HASH_BYTES, MATCH_DISTANCE, hamming
from vscan.matching import sieve
from vscan.matching.search import SourceTracks, search
from vscan.matching.sieve import Sieve, cover, nearest_bits
from vscan.tracks import Track


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> ExemplarIndex:
    """Three exemplars of forty random pictures each."""
    return make_index(tmp_path_factory.mktemp("sieve") / "known", "abc")


def altered(index: ExemplarIndex, seed: int) -> dict[str, Track]:
    """A source of which one random sample was made of a row of the index: about as far from it as a
    hit may be, in one of the eight forms, or in the embedding."""
    rng = np.random.default_rng(seed)
    source = tracks(1000 + seed, 5.0)
    sample, row = rng.integers(len(source["pdq"])), rng.integers(len(index.rows("pdq")))
    hashes = source["pdq"].values.copy()
    form = rng.integers(8)
    bits = np.unpackbits(index.rows("pdq").values[row].astype(np.uint8))
    bits[rng.choice(256, rng.integers(20, 42), replace=False)] ^= 1
    hashes[sample, form * HASH_BYTES : (form + 1) * HASH_BYTES] = np.packbits(bits)
    vectors = source["embedding"].values.astype(np.float32)
    noise = rng.normal(size=DIM)
    towards = index.rows("embedding").values[row].astype(np.float32)
    mixed = towards + rng.uniform(0.3, 0.7) * noise / np.linalg.norm(noise)
    vectors[sample] = mixed / np.linalg.norm(mixed)
    times_s, quality = source["pdq"].times_s, source["pdq"].quality
    return {
        "pdq": Track("pdq", times_s, hashes, quality),
        "embedding": Track("embedding", times_s, vectors.astype(np.float16)),
    }


@pytest.mark.parametrize("signal", ["pdq", "embedding"])
def test_whatever_a_search_finds_passes(index: ExemplarIndex, signal: str) -> None:
    """Of sources near the limit on both sides, those with a hit pass, each by that signal alone."""
    sources = [{signal: altered(index, seed)[signal]} for seed in range(60)]
    hits = [len(search(index, signal, SourceTracks.of(each, 5.0))) > 0 for each in sources]
    passing = Sieve(index).passing(sources)
    assert 5 < sum(hits) < 60
    assert passing[np.flatnonzero(hits)].all()


def test_what_is_far_away_does_not_pass(index: ExemplarIndex) -> None:
    """Unrelated sources are held back, and so is one without any track."""
    sources = [tracks(2000 + seed, 5.0) for seed in range(30)]
    assert not Sieve(index).passing([*sources, {}]).any()


def test_an_index_of_too_many_pictures_lets_everything_pass(
    index: ExemplarIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where stand-ins would be too many, sources are left to the index's own search."""
    monkeypatch.setattr(sieve, "MOST_PIVOTS", 10)
    monkeypatch.setattr(sieve, "MOST_ROWS", 10)
    assert Sieve(index).passing([tracks(2001), tracks(2002)]).all()


def test_blank_pictures_do_not_pass(index: ExemplarIndex) -> None:
    """A row of a picture that says nothing can have no hit, however near it lies."""
    row = index.rows("pdq").values[0].astype(np.uint8)
    blank = Track("pdq", np.zeros(1), np.tile(row, 8)[None], np.array([10], np.uint8))
    seen = Track("pdq", np.zeros(1), np.tile(row, 8)[None], np.array([90], np.uint8))
    assert Sieve(index).passing([{"pdq": blank}, {"pdq": seen}]).tolist() == [False, True]


def test_pivots_cover_every_hash() -> None:
    """Each hash lies within the radius of a pivot, pivots are hashes, and neighbours share one."""
    rng = np.random.default_rng(5)
    scenes = rng.integers(0, 256, (8, HASH_BYTES), dtype=np.uint8)
    bits = np.unpackbits(np.repeat(scenes, 20, axis=0), axis=1)
    bits ^= (rng.random(bits.shape) < 0.03).astype(np.uint8)
    hashes = np.packbits(bits, axis=1)
    pivots = cover(hashes, 40, most=100)
    assert pivots is not None
    assert nearest_bits(hashes, pivots).max() <= 40
    assert hamming(hashes[:, None], pivots[None]).min(axis=0).max() == 0
    assert len(pivots) == 8
    assert cover(hashes, 40, most=7) is None
    none = cover(hashes[:0], 40, most=7)
    assert none is not None and len(none) == 0
    assert MATCH_DISTANCE + 40 < 128
