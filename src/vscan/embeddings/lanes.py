"""A CPU's cores, each running the network on batches of its own in one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""(N, H, W, 3) RGB pictures in the model's size."""
Vectors = NDArray[np.float32]
"""(N, D) unit vectors."""


@cache
def library_threads() -> int:
    """Threads that torch computes with where nobody says otherwise: the cores, or what
    OMP_NUM_THREADS allows. As it was when this was first asked."""
    import torch

    return torch.get_num_threads()


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """A block in which torch computes what the calling thread asks of it in so many threads."""
    import torch

    before = torch.get_num_threads()
    if before == threads:
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Lanes:
    """Runs batches side by side, each in one thread from its first operation to its last.

    With all cores on one batch every operation waits for the slowest of them, several hundred times
    a batch; and the order in which a sum is made, and so a vector's last bits, depends on how many
    they are. See docs/decisions/0034-one-thread-a-batch.md.
    """

    def __init__(self, count: int, encode: Callable[[Images], Vectors]) -> None:
        """count: lanes. encode: one batch to its vectors; it may run in several threads at once."""
        self.count = count
        self._encode = encode

    def run(self, batches: Sequence[Images]) -> list[Vectors]:
        """The vectors of each batch, in their order. May be called from several threads at once:
        a single batch is encoded in the calling one."""
        if len(batches) <= 1 or self.count == 1:
            return [self._alone(batch) for batch in batches]
        with ThreadPoolExecutor(min(self.count, len(batches)), "vscan-lane") as threads:
            return list(threads.map(self._alone, batches))

    def _alone(self, batch: Images) -> Vectors:
        with computing_with(1):
            return self._encode(batch)
