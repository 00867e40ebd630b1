"""The Ray engine: Ray Data hands sources to reading actors, on one machine or many.

Names are drawn in windows, so that a listing of any length is never held. A source is a block of
its own: what a killed actor was at is done again, and nothing else, and its answer comes once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vscan.engines.answers import Answer
from vscan.engines.done_ids import Keys
from vscan.engines.model_actor import ModelActors
from vscan.engines.ray_cluster import Cluster, plainly
from vscan.engines.ray_reading import MakeAnswering, Reading, ReadingSetup, Tries
from vscan.errors import UsageError, VscanError
from vscan.name_keys import SECRET
from vscan.sources import Found, Source

if TYPE_CHECKING:
    from vscan.decode.limits import ReadLimits
    from vscan.engines.batching import ImageEncoder

WINDOW = 2048
"""Sources that are drawn at a time. Between two windows the reading actors are started anew."""
SOURCES_AT_ONCE = 8
"""Sources that a reading actor has in hand where there is a model: one is read, others wait for
their vectors."""
WITHOUT_MODEL = 2
"""And where there is none: the next one is hashed while one is read."""


@dataclass(frozen=True)
class Models:
    """The model's actors that a run wants."""

    make: Callable[[], ImageEncoder]
    """Called in each of them; the encoder may load by its first use."""
    count: int
    on_gpu: bool


def run(
    sources: Iterable[Found],
    make: MakeAnswering,
    *,
    cluster: Cluster,
    models: Models | None,
    done: Keys,
    workers: int,
    limits: ReadLimits,
    readers_wait: bool = False,
    window: int = WINDOW,
) -> Generator[Answer]:
    """What is made of each source, as each ends (not in their order); none of them is `failed`.

    workers: reading actors, at most. models: None where no picture goes to a model.
    done: of the ids that the workers need not make again. readers_wait: as of local.run. Closing
    the generator ends the actors, and leaves the cluster. Raises the VscanError that must end the
    run, of whichever worker.
    """
    import ray

    with ExitStack() as stack:
        stack.callback(cluster.close)
        handles: list[Any] = []
        if models is not None:
            actors = ModelActors(cluster, models.make, count=models.count, on_gpu=models.on_gpu)
            stack.callback(actors.close)
            handles = actors.handles
        setup = ReadingSetup(
            make=make,
            tries=ray.remote(Tries).options(num_cpus=0).remote(),
            done=ray.put(done),
            secret=SECRET,
            models=handles,
            readers=2 if readers_wait and handles else 1,
            limits=limits if limits.threads is not None else replace(limits, threads=1),
        )
        for drawn in windows(sources, window):
            for answer in _answers(drawn, setup, cluster, workers):
                if answer.kind == "failed":
                    raise answer.failure()
                yield answer


def windows(sources: Iterable[Found], size: int) -> Iterator[list[Found]]:
    """Up to `size` sources at a time, with absolute paths: a worker has another folder."""
    drawn = iter(sources)
    while window := list(itertools.islice(drawn, size)):
        yield [_absolute(each) for each in window]


def _absolute(source: Found) -> Found:
    """A worker has another current folder."""
    if isinstance(source, Source):
        return replace(source, path=source.path.absolute())
    return source


def _answers(
    sources: list[Found], setup: ReadingSetup, cluster: Cluster, workers: int
) -> Iterator[Answer]:
    """The answers to one window."""
    import ray
    import ray.data

    count = min(workers, len(sources))
    at_once = SOURCES_AT_ONCE if setup.models else WITHOUT_MODEL
    sizes = {"size": count} if cluster.is_local else {"min_size": 1, "max_size": count}
    answered = (
        ray.data.from_items(
            [{"source": each} for each in sources], override_num_blocks=len(sources)
        )
        .map_batches(
            Reading,
            fn_constructor_args=(setup,),
            batch_size=1,
            batch_format="numpy",
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(
                **sizes,
                max_concurrent_calls_per_actor=at_once,
                max_tasks_in_flight_per_actor=at_once + 1,
                enable_true_multi_threading=True,
            ),
        )
        .iter_batches(batch_size=None, batch_format="pyarrow")
    )
    try:
        for batch in answered:
            table: Any = batch
            for row in table.to_pylist():
                yield Answer.of_row(row)
    except VscanError:
        raise
    except Exception as error:
        raise UsageError(
            f"the scan on Ray ended: {plainly(error)}",
            remedy="see `ray status` and the nodes' memory; run the same command again: it goes on"
            " from there",
        ) from error
