"""Batches by number, made in worker processes that run ahead of the training step."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.builtin import captions, recipe
from training.builtin.glyphs import Concept, load_concepts
from training.builtin.scenes import Stage

_STREAM = 5


@dataclass(frozen=True)
class Batch:
    """Two views of S scenes, T captions, and what is true of what.

    ``images`` (2S, side, side, 3) uint8: all first views, then all second ones.
    ``tokens`` (T, 16) int64. ``true`` (S, T) 1.0 where the caption holds.
    ``classes`` (S, C + 1): a distribution over the members, the last column for empty scenes.
    """

    step: int
    images: npt.NDArray[np.uint8]
    tokens: npt.NDArray[np.int64]
    true: npt.NDArray[np.float32]
    classes: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        scenes, texts = self.true.shape
        if len(self.images) != 2 * scenes or len(self.tokens) != texts:
            raise ValueError(f"a batch's parts disagree: {self!r}")

    def __repr__(self) -> str:
        return f"Batch(step={self.step}, images={self.images.shape}, true={self.true.shape})"


class BatchMaker:
    """Makes batch ``step`` of a recipe: a pure function of the seed and the step."""

    def __init__(self, plan: recipe.Recipe, concepts: Sequence[Concept]) -> None:
        from training.builtin.network import tokenizer

        self.plan = plan
        self.concepts = concepts
        self.stage = Stage(self.concepts, plan.seed)
        self._tokenizer = tokenizer()
        self._tokens: dict[str, npt.NDArray[np.int64]] = {}

    def tokens(self, text: str) -> npt.NDArray[np.int64]:
        """Return the token ids of one text, (16,), remembered."""
        found = self._tokens.get(text)
        if found is None:
            found = self._tokenizer([text])[0].numpy()
            self._tokens[text] = found
        return found

    def batch(self, step: int) -> Batch:
        """Draw batch ``step``."""
        plan, side = self.plan, self.plan.side(step)
        first, second, scenes, texts = [], [], [], []
        for index in range(step * plan.scenes, (step + 1) * plan.scenes):
            members, one, two, rng = self.stage.views(index, side)
            first.append(one)
            second.append(two)
            scenes.append(members)
            texts.append(captions.caption(rng, self.concepts, members))
        rng = np.random.default_rng([plan.seed, _STREAM, step])
        present = [member for members in scenes for member in members]
        texts += [captions.prompt(rng, self.concepts, present) for _ in range(plan.prompts)]
        facts = [captions.terms_of(self.concepts, members) for members in scenes]
        true = [[terms <= fact for _, terms in texts] for fact in facts]
        classes = np.zeros((len(scenes), len(self.concepts) + 1), np.float32)
        for row, members in zip(classes, scenes, strict=True):
            row[members or [-1]] = 1 / max(1, len(members))
        return Batch(
            step=step,
            images=np.stack(first + second),
            tokens=np.stack([self.tokens(text) for text, _ in texts]),
            true=np.array(true, np.float32),
            classes=classes,
        )


def _work(plan: recipe.Recipe, cache: Path, steps: range, out: multiprocessing.Queue[Any]) -> None:
    import cv2
    import torch

    os.nice(2)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    maker = BatchMaker(plan, load_concepts(cache))
    parent = os.getppid()
    for step in steps:
        batch = maker.batch(step)
        while True:
            with contextlib.suppress(queue.Full):
                out.put(batch, timeout=20)
                break
            if os.getppid() != parent:
                out.cancel_join_thread()  # nobody is left to read what still waits
                return


@contextlib.contextmanager
def batches(
    plan: recipe.Recipe, cache: Path, start: int, workers: int = 1
) -> Iterator[Iterator[Batch]]:
    """Yield an iterator over the batches from ``start`` to the end, in order.

    Worker w makes every ``workers``-th batch; the data does not depend on how many there are.

    Raises:
        RuntimeError: a worker ended before its last batch.
    """
    spawn = multiprocessing.get_context("spawn")
    outs = [spawn.Queue(6) for _ in range(workers)]
    crew = [
        spawn.Process(
            target=_work,
            args=(plan, cache, range(start + w, plan.steps, workers), outs[w]),
            daemon=True,
        )
        for w in range(workers)
    ]
    for process in crew:
        process.start()

    def drain() -> Iterator[Batch]:
        for step in range(start, plan.steps):
            which = (step - start) % workers
            while True:
                try:
                    batch = outs[which].get(timeout=30)
                    break
                except queue.Empty:
                    if not crew[which].is_alive():
                        raise RuntimeError("a batch worker died; see its output") from None
            yield batch

    try:
        yield drain()
    finally:
        for process in crew:
            process.terminate()
            process.join()
