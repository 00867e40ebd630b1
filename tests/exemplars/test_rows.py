"""Rows of an index: several of one sample, features, and what each signal holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.exemplars.synthetic import MODEL, exemplar, in_regions, keypoints, tracks
from vscan.errors import ExemplarIndexError
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.parts import picture_quality
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.tracks import Track


def test_signals_are_named(tmp_path: Path) -> None:
    """An index holds what it was created for, in one order, and names the hashes' versions."""
    made = create_index(tmp_path, name="known", model=MODEL, signals=("keypoints", "embedding"))
    assert (("embedding", "keypoints"), ["keypoints"]) == (made.signals, list(made.hashes))
    assert made == ExemplarIndex.open(tmp_path).manifest


@pytest.mark.parametrize("signals", [(), ("sha256",), ("pdq", "embedding")])
def test_impossible_signals_are_refused(tmp_path: Path, signals: tuple[str, ...]) -> None:
    """No signal at all, one that is none, or embeddings without a model."""
    with pytest.raises(ValueError, match="signal|an index"):
        create_index(tmp_path / "known", name="known", model=None, signals=signals)


def test_regions_stay_with_their_rows(tmp_path: Path) -> None:
    """A sample may have several rows; a track without regions is of the whole frame."""
    create_index(tmp_path, name="known", model=None)
    several = in_regions(tracks(1)["pdq"], 3)
    with IndexWriter(tmp_path) as writer:
        writer.add(exemplar("a"), {"pdq": several})
        writer.add(exemplar("b"), tracks(2))
    index = ExemplarIndex.open(tmp_path)
    rows = index.rows("pdq")
    assert [120, 40] == [each.tracks["pdq"].rows for each in index.exemplars]
    assert [0, 1, 2] * 40 + [0] * 40 == rows.region.tolist()
    assert several.values[:, :32].tolist() == rows.values[:120].tolist()
    assert several.times_s.tolist() == rows.times_s[:120].tolist()


def test_regions_count_in_the_digest(tmp_path: Path) -> None:
    """Other regions are another track; regions that are all the whole frame are none."""
    digests = []
    plain = tracks(1)["pdq"]
    for number, region in enumerate((None, np.zeros(40, np.uint8), np.full(40, 2, np.uint8))):
        create_index(tmp_path / str(number), name="known", model=None)
        with IndexWriter(tmp_path / str(number)) as writer:
            writer.add(exemplar("a"), {"pdq": replace(plain, region=region)})
        digests.append(ExemplarIndex.open(tmp_path / str(number)).digest)
    assert digests[0] == digests[1] != digests[2]


def test_the_quality_of_a_picture_is_that_of_its_whole_frame() -> None:
    """Of several PDQ rows at one time, the whole frame's speaks for the other signals."""
    several = in_regions(tracks(1)["pdq"], 3)
    assert several.quality is not None
    assert several.region is not None
    assert {90} == set(picture_quality(tracks(1)["embedding"], {"pdq": several}).tolist())
    parts_only = replace(several, region=np.where(several.region == 0, 5, several.region))
    assert {100} == set(picture_quality(tracks(1)["embedding"], {"pdq": parts_only}).tolist())


def test_keypoints_are_rows_of_features(tmp_path: Path) -> None:
    """Features come back as they were, with the quality of their picture."""
    create_index(tmp_path, name="known", model=None, signals=("pdq", "keypoints"))
    features = keypoints(1)
    with IndexWriter(tmp_path) as writer:
        writer.add(exemplar("a"), {"pdq": tracks(1)["pdq"], "keypoints": features})
    rows = ExemplarIndex.open(tmp_path).rows("keypoints")
    assert features.values.tolist() == rows.values.tolist()
    assert {90} == set(rows.quality.tolist())


def test_rows_of_another_width_are_refused(tmp_path: Path) -> None:
    """All rows of a signal have one width and type; others are refused when they are added."""
    create_index(tmp_path, name="known", model=MODEL, signals=("embedding", "keypoints"))
    both = {"embedding": tracks(1)["embedding"], "keypoints": keypoints(1)}
    none = {signal: Track(signal, np.empty(0), each.values[:0]) for signal, each in both.items()}
    wrong = {
        "embedding": replace(both["embedding"], values=both["embedding"].values[:, 1:]),
        "keypoints": replace(both["keypoints"], values=both["keypoints"].values[:, 1:]),
    }
    with IndexWriter(tmp_path) as writer:
        writer.add(exemplar("a"), none)
        writer.add(exemplar("b"), both)
        for signal in both:
            with pytest.raises(ExemplarIndexError, match=f"takes {signal} of"):
                writer.add(exemplar("c"), both | {signal: wrong[signal]})
        as_floats = replace(both["keypoints"], values=both["keypoints"].values.astype(np.float16))
        with pytest.raises(ExemplarIndexError, match="takes keypoints of"):
            writer.add(exemplar("c"), both | {"keypoints": as_floats})
    assert 2 == len(ExemplarIndex.open(tmp_path).exemplars)
