"""The local engine: one thread and one reader process per worker, one model for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import TYPE_CHECKING

from vscan.decode.workers import ReaderPool, ReadLimits
from vscan.engines.batching import SharedBatches
from vscan.pipeline import Embed, Recipe, Rules, scan_source
from vscan.sources import Source
from vscan.verdicts import Verdict

if TYPE_CHECKING:
    from vscan.embeddings.encoder import Encoder


def run(
    sources: Iterable[Source],
    *,
    recipe: Recipe,
    rules: Rules,
    encoder: Encoder | None,
    workers: int,
    limits: ReadLimits,
    is_done: Callable[[str], bool] = lambda _: False,
) -> Iterator[Verdict | None]:
    """Verdicts of `sources` as each ends (not in their order); None for one that is done already.

    `sources` is drawn from only as fast as work ends, so a listing of any length takes no memory.
    Closing the generator, or an exception in its consumer, kills the reader processes and waits
    for the threads.
    """
    with ExitStack() as stack:
        # Left in the opposite order: killing the readers lets waiting threads end, and only when
        # no thread is left to submit may the model stop.
        embed: Embed = _no_model
        if encoder is not None:
            embed = stack.enter_context(SharedBatches(encoder)).submit
        threads = stack.enter_context(ThreadPoolExecutor(workers, "vscan-scan"))
        readers = stack.enter_context(ReaderPool(workers, limits))
        pending: set[Future[Verdict | None]] = set()
        stack.callback(lambda: [future.cancel() for future in pending])
        for source in sources:
            pending.add(
                threads.submit(
                    scan_source,
                    source,
                    recipe=recipe,
                    rules=rules,
                    readers=readers,
                    embed=embed,
                    is_done=is_done,
                )
            )
            if len(pending) >= 2 * workers:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def _no_model(_images: object) -> Future[object]:
    raise RuntimeError("pictures were made without a model to take them")
