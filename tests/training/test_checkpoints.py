"""A run that is stopped and resumed ends with the same weights as one that was not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from training.builtin import checkpoints, train
from training.builtin.batches import BatchMaker
from training.builtin.recipe import Recipe
from training.builtin.sheet import concepts_of_sheet

PLAN = Recipe(steps=5, seed=3, scenes=3, prompts=4, small=32, large=32, warm_up=2)
CONCEPTS = concepts_of_sheet()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny batches gain nothing from threads, and wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _steps(run: checkpoints.Run, maker: BatchMaker, end: int) -> None:
    while run.step < end:
        train.learn(run, maker.batch(run.step), PLAN)


def test_resumed_equals_uninterrupted(tmp_path: Path) -> None:
    """Weights, averages and moments are bit for bit those of a run in one sitting."""
    straight = train.begin(PLAN, len(CONCEPTS))
    _steps(straight, BatchMaker(PLAN, CONCEPTS), 5)

    first = train.begin(PLAN, len(CONCEPTS))
    _steps(first, BatchMaker(PLAN, CONCEPTS), 2)
    checkpoints.save(tmp_path, first, PLAN)
    second = train.begin(PLAN, len(CONCEPTS))
    assert checkpoints.load(tmp_path, second, PLAN)
    assert second.step == 2
    _steps(second, BatchMaker(PLAN, CONCEPTS), 5)

    one, other = straight.tensors(), second.tensors()
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    """Going on with other numbers would make weights that no command can repeat."""
    run = train.begin(PLAN, len(CONCEPTS))
    train.learn(run, BatchMaker(PLAN, CONCEPTS).batch(0), PLAN)
    checkpoints.save(tmp_path, run, PLAN)
    with pytest.raises(ValueError, match="recipe"):
        checkpoints.load(tmp_path, run, Recipe(steps=6, seed=3))


def test_nothing_is_resumed_from_an_empty_folder(tmp_path: Path) -> None:
    """A first sitting starts at step 0."""
    assert not checkpoints.load(tmp_path, train.begin(PLAN, len(CONCEPTS)), PLAN)


def test_rates_follow_steps() -> None:
    """Warm-up, then a half cosine: two runs of one recipe share it whatever their speed."""
    plan = Recipe(steps=1000, seed=1, warm_up=100)
    rates = [plan.rate(step) for step in (0, 99, 500, 1000)]
    assert rates == pytest.approx([1.5e-5, 1.464e-3, 7.575e-4, 1.5e-5], rel=0.01)
    assert [plan.side(step) for step in (0, 599, 600)] == [48, 48, 64]
