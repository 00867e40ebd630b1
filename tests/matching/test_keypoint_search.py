"""Keypoints through an index: copies are found with both times and what was done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.drawn_footage import pan, scenery
from tests.exemplars.synthetic import exemplar
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.hashes.keypoints import EXEMPLAR_FEATURES, SOURCE_FEATURES, find_keypoints
from vscan.matching.align import find_matches
from vscan.matching.keypoint_search import KeypointSearch
from vscan.matching.match import Match
from vscan.matching.search import SourceTracks
from vscan.tracks import Track

Rgb = NDArray[np.uint8]


def known(path: Path, *films: list[Rgb], step_s: float = 0.5) -> ExemplarIndex:
    """An index of films, each a list of the frames at every `step_s` seconds."""
    create_index(path, name="known", model=None, signals=("keypoints",))
    with IndexWriter(path) as writer:
        for name, film in zip("abcdef", films, strict=False):
            slots = np.stack([find_keypoints(f, "exemplar", EXEMPLAR_FEATURES) for f in film])
            times_s = np.linspace(0.0, step_s * len(film), len(film), endpoint=False)
            track = Track("keypoints", times_s, slots.reshape(len(film), -1))
            writer.add(exemplar(name, len(film) * step_s), {"keypoints": track})
    return ExemplarIndex.open(path)


def matched(index: ExemplarIndex, frames: Iterable[Rgb]) -> list[Match]:
    """Matches of a source with one sample a second."""
    search, count = KeypointSearch(index), 0
    for frame in frames:
        search.feed(find_keypoints(frame, "source", SOURCE_FEATURES)[None])
        count += 1
    times_s = np.arange(count, dtype=np.float64)
    source = SourceTracks(times_s, float(count), {}, {"known": search.hits()})
    return find_matches(index, source)


@pytest.fixture(scope="module")
def film() -> list[Rgb]:
    """Eight seconds, a frame every half second, of a camera that pans."""
    return list(pan(1, count=16, step=14))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, film: list[Rgb]) -> ExemplarIndex:
    """That film and another one."""
    return known(tmp_path_factory.mktemp("index") / "i", film, list(pan(2, count=12, step=14)))


@pytest.mark.parametrize(
    ("edit", "transform"),
    [
        (lambda f: f, "identity"),
        (lambda f: f[:, ::-1], "mirrored"),
        (lambda f: 255 - f, "inverted"),
        (lambda f: np.rot90(f, -1), "rotated_90"),
        (lambda f: np.rot90(f), "rotated_270"),
        (lambda f: f[::-1], "flipped"),
        (lambda f: f[40:240, 60:400], "identity"),
    ],
    ids=["copy", "mirrored", "negative", "quarter", "three quarters", "flipped", "crop"],
)
def test_an_edited_copy_is_found(
    index: ExemplarIndex, film: list[Rgb], edit: Callable[[Rgb], Rgb], transform: str
) -> None:
    """Both intervals are right, and the transform is what was done to the exemplar."""
    unrelated = list(pan(7, count=3, step=14))
    copy = [np.ascontiguousarray(edit(frame)) for frame in film[4:14:2]]
    (match,) = matched(index, [*unrelated, *copy, *unrelated])
    assert ("keypoints", transform) == (match.signal, match.transform)
    assert (3.0, 8.0) == match.source_span.pair()
    if copy[0].shape[0] == 200:  # a crop of a pan shows what earlier and later frames show as well
        assert match.exemplar_span.length_s == pytest.approx(5.0, abs=1.0)
    else:
        assert match.exemplar_span.pair() == pytest.approx((2.0, 7.0), abs=0.5)
    assert match.inliers is not None
    assert match.inliers >= 14
    assert match.score > 0.9


def test_a_copy_at_another_speed(index: ExemplarIndex, film: list[Rgb]) -> None:
    """Played twice as fast, eight seconds pass in four, and the match says so."""
    (match,) = matched(index, film[::4])
    assert match.speed == pytest.approx(2.0, rel=0.1)
    assert match.exemplar_span.pair() == pytest.approx((0.0, 8.0), abs=0.8)


def test_unrelated_footage_matches_nothing(index: ExemplarIndex) -> None:
    """What shares no picture with the index gives no match at all."""
    assert [] == matched(index, pan(11, count=12, step=14))


def test_a_shared_template_matches_nothing(tmp_path: Path) -> None:
    """Two shows in the same frame, with other pictures in the window, are not copies."""
    template = scenery(50, width=480, height=270)

    def show(seed: int) -> list[Rgb]:
        frames = []
        for window in pan(seed, count=12, step=14, width=280, height=160):
            frame = template.copy()
            frame[50:210, 40:320] = window
            frames.append(frame)
        return frames

    index = known(tmp_path / "i", show(51))
    assert [] == matched(index, show(52)[::2])
    assert 1 == len(matched(index, show(51)[::2]))


def test_a_shared_still_matches_nothing(tmp_path: Path, film: list[Rgb]) -> None:
    """A test card at the head of both videos is no match, and a still video is one with itself."""
    card = scenery(60, width=480, height=270)
    index = known(tmp_path / "i", [card] * 6 + film)
    assert [] == matched(index, [card] * 3 + list(pan(61, count=4, step=14)))
    (match,) = matched(index, film[::2])
    assert match.exemplar_span.pair() == pytest.approx((3.0, 11.0), abs=0.5)
    still = known(tmp_path / "still", [card] * 6)
    assert 1 == len(matched(still, [card] * 3))


def test_batches_do_not_matter(index: ExemplarIndex, film: list[Rgb]) -> None:
    """The same samples give the same hits however they come."""
    slots = np.stack([find_keypoints(f, "source", SOURCE_FEATURES) for f in film[::3]])
    one, many = KeypointSearch(index), KeypointSearch(index)
    one.feed(slots)
    for each in slots:
        many.feed(each[None])
    for name in ("sample", "row", "form", "difference", "affine", "fitting"):
        np.testing.assert_array_equal(getattr(one.hits(), name), getattr(many.hits(), name))


def test_an_empty_index_and_a_blank_source(tmp_path: Path, index: ExemplarIndex) -> None:
    """Nothing on either side is no error."""
    blank = np.zeros((270, 480, 3), np.uint8)
    assert [] == matched(index, [blank] * 3)
    create_index(tmp_path / "empty", name="known", model=None, signals=("keypoints",))
    empty = ExemplarIndex.open(tmp_path / "empty")
    assert [] == matched(empty, [scenery(1)])
