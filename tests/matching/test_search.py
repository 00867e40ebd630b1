"""Search: FAISS finds the pairs of frames that a plain comparison finds, and no blank ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.exemplars.synthetic import DIM, MODEL, exemplar, make_index, tracks
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.hashes.pdq import MATCH_DISTANCE
from vscan.matching import search as searching
from vscan.matching.search import FrameHits, SourceTracks, search, search_reference
from vscan.tracks import Track


def flipped(hashes: NDArray[np.uint8], bits: int, seed: int = 0) -> NDArray[np.uint8]:
    """Hashes (..., 32) of which that many bits are turned, others for each."""
    rng = np.random.default_rng(seed)
    loose = np.unpackbits(hashes.reshape(-1, 32), axis=1)
    for row in loose:
        row[rng.choice(256, bits, replace=False)] ^= 1
    return np.packbits(loose, axis=1).reshape(hashes.shape)


def query(seed: int, *, bits: int = 0, form: int = 0, noise: float = 0.0) -> SourceTracks:
    """The source that exemplar `seed` is, with bits turned, as seen in another dihedral form."""
    made = tracks(seed)
    rng = np.random.default_rng(seed + 1000)
    count = len(made["pdq"])
    hashes = rng.integers(0, 256, (count, 8, 32), dtype=np.uint8)
    hashes[:, form] = flipped(np.asarray(made["pdq"].values, np.uint8)[:, :32], bits)
    vectors = made["embedding"].values.astype(np.float64)
    vectors += rng.normal(size=vectors.shape) * noise / DIM**0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return SourceTracks.of(
        {
            "pdq": replace(made["pdq"], values=hashes.reshape(count, 256)),
            "embedding": replace(made["embedding"], values=vectors.astype(np.float16)),
        },
        10.0,
    )


def pairs(hits: FrameHits) -> list[tuple[int, int, int, float]]:
    """Hits as rows that can be compared."""
    return [
        (int(sample), int(row), int(form), round(float(difference), 4))
        for sample, row, form, difference in zip(
            hits.sample, hits.row, hits.form, hits.difference, strict=True
        )
    ]


@pytest.mark.parametrize("signal", ["pdq", "embedding"])
@pytest.mark.parametrize("chunk", [1, 1000, 4_000_000])
def test_agrees_with_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signal: str, chunk: int
) -> None:
    """FAISS gives the pairs that comparing each with each gives, however the work is cut."""
    index = make_index(tmp_path / "known")
    monkeypatch.setattr(searching, "_PAIRS_AT_ONCE", chunk)
    asked = query(1, bits=20, form=4, noise=0.4)
    expected = search_reference(index, signal, asked, match_similarity=0.6)
    assert pairs(expected) == pairs(search(index, signal, asked, match_similarity=0.6))
    assert len(expected) >= 40


@pytest.mark.parametrize(("bits", "found"), [(MATCH_DISTANCE, 40), (MATCH_DISTANCE + 1, 0)])
def test_a_hash_matches_up_to_31_bits(tmp_path: Path, bits: int, found: int) -> None:
    """31 bits of difference still match, 32 do not."""
    hits = search(make_index(tmp_path / "known"), "pdq", query(2, bits=bits))
    assert found == len(hits)
    assert {bits} == set(hits.difference) or not found


@pytest.mark.parametrize("form", range(8))
def test_every_dihedral_form_is_found(tmp_path: Path, form: int) -> None:
    """A source that agrees in one of its eight forms is found, and the form is told."""
    hits = search(make_index(tmp_path / "known"), "pdq", query(0, form=form))
    assert [(each, each, form, 0.0) for each in range(40)] == pairs(hits)


def test_the_operating_point_is_the_models(tmp_path: Path) -> None:
    """Embeddings agree from the index's own cosine on, unless the caller names another."""
    index = make_index(tmp_path / "known")
    asked = query(1, noise=0.5)
    cosine = 1.0 - search(index, "embedding", asked, match_similarity=0.01).difference
    for point, hits in (
        (MODEL.match_similarity, search(index, "embedding", asked)),
        (0.8, search(index, "embedding", asked, match_similarity=0.8)),
    ):
        assert int((cosine >= point - 1e-6).sum()) == len(hits)
    assert 0 < len(search(index, "embedding", asked)) < 40
    with pytest.raises(ValueError, match="match similarity"):
        search(index, "embedding", asked, match_similarity=1.5)


@pytest.mark.parametrize("signal", ["pdq", "embedding"])
@pytest.mark.parametrize("side", ["source", "exemplar"])
def test_blank_pictures_agree_with_nothing(tmp_path: Path, signal: str, side: str) -> None:
    """Samples of low PDQ quality are passed over on either side, in either signal."""
    made = tracks(0)
    quality = np.full(40, 90, np.uint8)
    quality[10:20] = 49
    blank = made | {"pdq": replace(made["pdq"], quality=quality)}
    create_index(tmp_path / "known", name="known", model=MODEL)
    with IndexWriter(tmp_path / "known") as writer:
        writer.add(exemplar("a"), blank if side == "exemplar" else made)
    asked = query(0)
    if side == "source":
        hashed = replace(asked.tracks["pdq"], quality=quality)
        asked = SourceTracks.of({**asked.tracks, "pdq": hashed}, 10.0)
    hits = search(ExemplarIndex.open(tmp_path / "known"), signal, asked)
    assert [*range(10), *range(20, 40)] == hits.sample.tolist()


def test_a_disabled_exemplar_matches_nothing(tmp_path: Path) -> None:
    """What is disabled stays in the index and is not found."""
    create_index(tmp_path / "known", name="known", model=MODEL)
    with IndexWriter(tmp_path / "known") as writer:
        writer.add(exemplar("a", enabled=False), tracks(0))
    index = ExemplarIndex.open(tmp_path / "known")
    assert [0, 0] == [len(search(index, signal, query(0))) for signal in ("pdq", "embedding")]


def test_an_empty_index_or_source_gives_no_hits(tmp_path: Path) -> None:
    """Nothing on either side is no error."""
    create_index(tmp_path / "known", name="known", model=MODEL)
    index = ExemplarIndex.open(tmp_path / "known")
    assert 0 == len(search(index, "pdq", query(0)))
    nothing = {
        "pdq": Track("pdq", np.empty(0), np.empty((0, 256), np.uint8), np.empty(0, np.uint8)),
        "embedding": Track("embedding", np.empty(0), np.empty((0, DIM), np.float16)),
    }
    none = SourceTracks.of(nothing, 0.0)
    full = make_index(tmp_path / "full")
    assert [0, 0] == [len(search(full, signal, none)) for signal in ("pdq", "embedding")]


def test_a_picture_that_stands_still_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a sample's hits with one exemplar the best and nearest are kept, the same every time."""
    monkeypatch.setattr(searching, "MAX_HITS", 3)
    made = tracks(0)
    first = np.asarray(made["pdq"].values[:1], np.uint8)
    still = made | {"pdq": replace(made["pdq"], values=np.repeat(first, 40, axis=0))}
    create_index(tmp_path / "known", name="known", model=MODEL)
    with IndexWriter(tmp_path / "known") as writer:
        writer.add(exemplar("a"), still)
    index = ExemplarIndex.open(tmp_path / "known")
    asked = SourceTracks.of(still, 10.0)
    hits = search(index, "pdq", asked)
    assert [19, 20, 21] == hits.row[(hits.sample == 20) & (hits.form == 0)].tolist()
    assert pairs(search_reference(index, "pdq", asked)) == pairs(hits)


def test_vectors_of_another_length_are_refused(tmp_path: Path) -> None:
    """Embeddings of another model's length are a ValueError, not a crash in FAISS."""
    index = make_index(tmp_path / "known")
    wrong = Track("embedding", np.zeros(1), np.ones((1, DIM + 1), np.float16))
    with pytest.raises(ValueError, match="32 numbers"):
        search(index, "embedding", SourceTracks.of({"embedding": wrong}, 1.0))
