"""The background of an index: a part like others, that decides what matches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.exemplars.synthetic import DIM, MODEL, make_index
from vscan.errors import ExemplarIndexError
from vscan.exemplars.background import LEAST_VECTORS
from vscan.exemplars.checking import verify
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.vectors import unit_rows
from vscan.exemplars.writer import IndexWriter, create_index


def vectors(seed: int = 1, count: int = 40) -> NDArray[np.float16]:
    """Random unit vectors."""
    drawn = np.random.default_rng(seed).normal(size=(count, DIM))
    return unit_rows(drawn).astype(np.float16)


def calibrate(folder: Path, seed: int = 1, point: float = 0.87) -> ExemplarIndex:
    """The index in a folder, calibrated."""
    with IndexWriter(folder) as writer:
        writer.calibrate(vectors(seed), point)
    return ExemplarIndex.open(folder)


def test_it_is_read_as_it_was_written_and_changes_the_digest(tmp_path: Path) -> None:
    """Background and operating point come back, and another background is another index."""
    before = make_index(tmp_path / "known")
    assert before.background is None
    first = calibrate(tmp_path / "known")
    assert first.background is not None
    assert (first.background == vectors()).all()
    assert first.manifest.model is not None
    assert 0.87 == first.manifest.model.match_similarity
    second = calibrate(tmp_path / "known", seed=2)
    assert 3 == len({before.digest, first.digest, second.digest})
    assert 1 == len(list((tmp_path / "known" / "background").iterdir()))
    assert [] == verify(tmp_path / "known")
    assert first.digest == calibrate(tmp_path / "known").digest


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_background_is_refused(tmp_path: Path, damage: str) -> None:
    """Every change of its file is noticed, on opening and by verify."""
    make_index(tmp_path / "known")
    calibrate(tmp_path / "known")
    (part,) = (tmp_path / "known" / "background").iterdir()
    data = bytearray(part.read_bytes())
    data[-1] ^= 1
    part.unlink()
    if damage != "gone":
        part.write_bytes(data if damage == "flip" else data[:-1])
    with pytest.raises(ExemplarIndexError):
        ExemplarIndex.open(tmp_path / "known")
    assert [part.name in each.part for each in verify(tmp_path / "known")] == [True]


def test_only_embeddings_are_calibrated(tmp_path: Path) -> None:
    """An index without them says so and stays as it was."""
    create_index(tmp_path / "known", name="known", model=None, signals=("pdq",))
    with (
        IndexWriter(tmp_path / "known") as writer,
        pytest.raises(ExemplarIndexError, match="no embeddings"),
    ):
        writer.calibrate(vectors(), 0.9)
    assert ExemplarIndex.open(tmp_path / "known").background is None


def test_vectors_that_are_none_are_refused(tmp_path: Path) -> None:
    """Too few, of another length, or not finite: nothing is written."""
    create_index(tmp_path / "known", name="known", model=MODEL)
    bad = vectors()
    bad[3, 4] = np.inf
    with IndexWriter(tmp_path / "known") as writer:
        for wrong in (vectors(count=LEAST_VECTORS - 1), vectors()[:, 1:], bad):
            with pytest.raises(ValueError, match="wanted|finite"):
                writer.calibrate(wrong, 0.9)
    assert not (tmp_path / "known" / "background").exists()
