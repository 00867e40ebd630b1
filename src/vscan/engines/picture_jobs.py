"""Pictures that somebody wants the vectors of, on their way through the model's batches."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from vscan.embeddings.lanes import Images, Vectors

Awaited: TypeAlias = "Callable[[PictureJob], AbstractContextManager[None]]"


class PictureJob(Future[Vectors]):
    """Pictures on their way through one or more batches."""

    def __init__(self, images: Images, awaited: Awaited) -> None:
        """awaited: makes a block in which its vectors are asked for."""
        super().__init__()
        self.left = images
        """Those that are in no batch yet."""
        self.refused = False
        self.waiters = 0
        """Threads that ask for its vectors."""
        self._count = self._missing = len(images)
        self._parts: dict[int, Vectors] = {}
        self._awaited = awaited

    def taken(self, most: int) -> Part:
        """The next of its pictures, for a batch."""
        place = self._count - len(self.left)
        part, self.left = self.left[:most], self.left[most:]
        if not len(self.left):
            self.left = self.left.copy()  # an empty view would hold on to the pictures of all
        return Part(self, place, part)

    def add(self, part: Part, vectors: Vectors) -> bool:
        """Keeps a part's vectors; whether the job is done by that."""
        self._parts[part.place] = vectors
        self._missing -= len(vectors)
        return not self._missing and not self.refused

    def vectors(self) -> Vectors:
        """Of all its parts, which may have come in any order. Once: the parts are let go."""
        parts, self._parts = self._parts, {}
        return np.concatenate([parts[place] for place in sorted(parts)])

    def result(self, timeout: float | None = None) -> Vectors:
        """The (N, D) vectors; asking for them is what makes a batch go that is not full."""
        with self._awaited(self):
            return super().result(timeout)


@dataclass(frozen=True, eq=False)
class Part:
    """Pictures of one job in one batch."""

    job: PictureJob
    place: int
    """Of the first of them among the job's."""
    images: Images
