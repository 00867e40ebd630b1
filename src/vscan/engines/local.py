"""The local engine: one thread and one reader process per worker, one model for all of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import NoReturn, TypeVar

from vscan.decode.workers import ReaderPool, ReadLimits
from vscan.engines.batching import ImageEncoder, SharedBatches
from vscan.errors import NotBegun
from vscan.measuring import Embed

Item = TypeVar("Item")
Result = TypeVar("Result")
WAITING = 64
"""Videos that may wait for the model, beside those that are read, at least: even where each has a
single picture for it, as stills do, they fill a few batches."""
WAITING_EACH = 8
"""Of them for each worker, at least: on many cores there are as many batches."""
LEAST_READERS = 4
"""Where videos hold their readers while they wait: the keyframes of as many short clips fill a
batch, also on a machine with one core."""


def run(
    sources: Iterable[Item],
    work: Callable[[Item, ReaderPool, Embed], Result],
    *,
    encoder: ImageEncoder | None,
    workers: int,
    limits: ReadLimits,
    readers_wait: bool = False,
    ahead: int = 0,
    cancel: Callable[[], None] = lambda: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[Result, None, None]:
    """What `work` makes of each source, as each ends; those that end together in their order.

    `work` is called in `workers` threads, with as many readers, and in WAITING more where there is
    a model to share; it must not raise for a source that is at fault. readers_wait: whether sources
    hold their reader while they wait for the model, see readers_for. ahead: so many threads at
    least beside those that read, for sources that are fetched first. cancel: ends what threads may
    wait for beside readers and model; it is called first when the engine stops. stopping: once it
    is true no source is begun, and there are results only of those that are being read. `sources`
    is drawn from only as fast as work ends, so a listing of any length is never held. Closing the
    generator, or an exception in its consumer, kills the reader processes and waits for the
    threads.
    """
    with ExitStack() as stack:
        # Left in the opposite order: killing the readers lets waiting threads end, and only when
        # no thread is left to submit may the model stop.
        batches = None if encoder is None else stack.enter_context(SharedBatches(encoder))

        def working(source: Item) -> Result:
            if stopping():
                raise NotBegun("the run is about to stop")
            if batches is None:
                return work(source, readers, _no_model)
            with batches.working():
                return work(source, readers, batches.submit)

        # A video that waits for the model holds no reader: another one is read meanwhile.
        count = readers_for(workers, wait=readers_wait and encoder is not None)
        waiting = 0 if encoder is None else max(WAITING, WAITING_EACH * workers)
        busy = count + max(ahead, waiting)
        threads = stack.enter_context(ThreadPoolExecutor(busy, "vscan-worker"))
        told = {} if batches is None else {"stalls": batches.stalls, "resumes": batches.resumes}
        readers = stack.enter_context(ReaderPool(count, limits, stopping=stopping, **told))
        pending: list[Future[Result]] = []
        stack.callback(lambda: [future.cancel() for future in pending])
        stack.callback(cancel)
        for source in sources:
            if stopping():
                break
            pending.append(threads.submit(working, source))
            if len(pending) >= busy:
                # Every worker has something to do: hand on what has ended, and wait for room
                # only where as much again is queued behind them.
                room = len(pending) < 2 * busy
                done, pending = _ended(pending, 0 if room else None)
                yield from begun(done)
        while pending:
            done, pending = _ended(pending)
            yield from begun(done)


def _ended(
    pending: list[Future[Result]], patience_s: float | None = None
) -> tuple[list[Future[Result]], list[Future[Result]]]:
    """Those that have ended, of which there is one at least where no patience is told, and those
    that have not; both in their order, so that one worker's results are in that of the sources."""
    done, _ = wait(pending, patience_s, return_when=FIRST_COMPLETED)
    left = [each for each in pending if each not in done]
    return [each for each in pending if each in done], left


def readers_for(workers: int, *, wait: bool) -> int:
    """Reader processes of a run, at most. wait: whether videos hold theirs while they wait for a
    model: then as many read as wait."""
    return max(2 * workers, LEAST_READERS) if wait else workers


def begun(done: Iterable[Future[Result]]) -> Iterator[Result]:
    """The results of those that were begun. Raises what their work raised."""
    for future in done:
        if not isinstance(future.exception(), NotBegun):
            yield future.result()


def _no_model(_images: object) -> NoReturn:
    raise RuntimeError("pictures were made without a model to take them")
