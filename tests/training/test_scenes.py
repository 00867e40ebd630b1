"""Scenes of the built-in model's world: a pure function of seed and number, whoever draws them."""

from __future__ import annotations

import numpy as np
import pytest
from training.builtin.backgrounds import background
from training.builtin.glyphs import Concept
from training.builtin.scenes import Odds, Stage
from training.builtin.sheet import concepts_of_sheet


@pytest.fixture(scope="module")
def concepts() -> list[Concept]:
    """The concepts of the shipped sheet."""
    return concepts_of_sheet()


def test_a_scene_is_the_same_whatever_was_drawn_before_it(concepts: list[Concept]) -> None:
    """Scene 40 drawn first equals scene 40 drawn after others: workers may share the work."""
    first = Stage(concepts, seed=5).views(40, 48)
    stage = Stage(concepts, seed=5)
    for other in (7, 39, 3):
        stage.views(other, 48)
    later = stage.views(40, 48)
    assert first[0] == later[0]
    assert np.array_equal(first[1], later[1])
    assert np.array_equal(first[2], later[2])


def test_another_seed_draws_other_scenes(concepts: list[Concept]) -> None:
    """Seeds share no pictures, so that final figures are of unseen scenes."""
    one, other = Stage(concepts, seed=5), Stage(concepts, seed=6)
    same = [np.array_equal(one.views(n, 32)[1], other.views(n, 32)[1]) for n in range(12)]
    assert same == [False] * 12


def test_two_views_of_a_scene_differ(concepts: list[Concept]) -> None:
    """The instance loss would learn nothing from two equal views."""
    stage = Stage(concepts, seed=5)
    drawn = [stage.views(n, 32) for n in range(12)]
    assert not any(np.array_equal(one, two) for _, one, two, _ in drawn)


def test_members_follow_the_odds(concepts: list[Concept]) -> None:
    """About a fifth of scenes are empty, and no scene names a concept twice."""
    stage = Stage(concepts, seed=5)
    members = [stage.members(np.random.default_rng(n), Odds()) for n in range(2000)]
    assert all(len(set(chosen)) == len(chosen) <= 3 for chosen in members)
    assert np.mean([not chosen for chosen in members]) == pytest.approx(0.22, abs=0.03)


def test_an_object_covers_the_share_of_the_frame_that_was_asked(concepts: list[Concept]) -> None:
    """A full square sprite of share 0.5 covers about a quarter of the area, in any frame shape."""
    dice = next(n for n, c in enumerate(concepts) if c.name == "game die")
    stage = Stage(concepts, seed=5)
    for shape in ((240, 320), (320, 180), (64, 64)):
        ground = np.full((*shape, 3), 90, np.uint8)
        rng = np.random.default_rng(3)
        drawn = stage.compose(rng, [dice], ground, Odds(size=(0.5, 0.5)))
        changed = float(np.mean(np.any(drawn != ground, axis=-1)))
        assert changed == pytest.approx(0.25 * 0.8, abs=0.07)


def test_backgrounds_repeat_and_vary() -> None:
    """A background is a pure function of seed and number, and neighbours differ."""
    assert np.array_equal(background(1, 9), background(1, 9))
    means = {background(1, n).mean().round(2) for n in range(20)}
    assert len(means) > 15


def test_sizes_out_of_range_are_refused() -> None:
    """An object larger than its frame is a mistake of the caller."""
    with pytest.raises(ValueError, match="ordered"):
        Odds(size=(0.5, 0.2))
