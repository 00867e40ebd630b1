"""The model in actors of its own: pictures of every reading actor share its batches."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from vscan.embeddings.lanes import Images, Vectors
from vscan.engines.batching import SharedBatches
from vscan.errors import ModelLoadError, UsageError

if TYPE_CHECKING:
    from vscan.engines.batching import ImageEncoder
    from vscan.engines.ray_cluster import Cluster

MODEL_CALLS = 128
"""Calls that a model's actor holds at once, each with the pictures of a stretch of one video."""
MODEL_RESTARTS = 10
"""Times that a model's actor may die before the run ends. What was asked of it is asked again."""
PICTURES_AHEAD = 256
"""Pictures of one reading actor on their way to the model; beyond them its reading pauses."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""What says how many cores the model takes. Ray sets the first one in its workers."""


def threads_told() -> dict[str, str]:
    """What of THREADS this process was told."""
    return {name: os.environ[name] for name in THREADS if name in os.environ}


class ModelActor:
    """One model, loaded when it is first needed. To be made an actor, with MODEL_CALLS threads."""

    def __init__(
        self, make_encoder: Callable[[], ImageEncoder], threads: Mapping[str, str]
    ) -> None:
        """make_encoder: gives the encoder, to be loaded by its first use. threads: the driver's
        `threads_told`: the model takes as many cores as in a scan without Ray."""
        for name in THREADS:
            os.environ.pop(name, None)
        os.environ.update(threads)
        self._make_encoder = make_encoder
        self._lock = threading.Lock()
        self._batches: SharedBatches | None = None

    def ready(self) -> bool:
        """True: the actor has its place."""
        return True

    def begin(self) -> None:
        """Begin to load."""
        self._shared()

    def embed(self, images: Images) -> Vectors:
        """(N, H, W, 3) pictures to (N, D) unit vectors; raises what the encoder raises, and
        ModelLoadError where there is none after all."""
        return self._shared().submit(images).result()

    def _shared(self) -> SharedBatches:
        with self._lock:
            if self._batches is None:
                try:
                    encoder = self._make_encoder()
                except UsageError as error:  # no source's fault: the run ends with it
                    raise ModelLoadError(error.message, remedy=error.remedy) from error
                self._batches = SharedBatches(encoder, others_may_come=True)
            return self._batches


class ModelActors:
    """The actors of one run; `close` ends them."""

    def __init__(
        self,
        cluster: Cluster,
        make_encoder: Callable[[], ImageEncoder],
        *,
        count: int,
        on_gpu: bool,
    ) -> None:
        """Starts `count` actors, each with a GPU where `on_gpu`. Raises UsageError where the
        cluster has no place for them."""
        import ray

        gpus = int(cluster.resources().get("GPU", 0.0))
        if on_gpu and cluster.is_local and gpus < count:
            raise UsageError(
                f"{count} actors of the model need a GPU each, and this machine has {gpus}",
                remedy="give fewer --model-actors, or --device cpu",
            )
        actor: Any = ray.remote(ModelActor)
        actor = actor.options(
            num_cpus=1,
            num_gpus=1 if on_gpu else 0,
            max_concurrency=MODEL_CALLS,
            max_restarts=MODEL_RESTARTS,
            max_task_retries=MODEL_RESTARTS,
        )
        self.handles: list[Any] = [actor.remote(make_encoder, threads_told()) for _ in range(count)]
        try:
            for handle in self.handles:
                cluster.wait_for(handle.ready.remote(), "a GPU" if on_gpu else "a CPU")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends them, whatever they are at."""
        import ray

        for handle in self.handles:
            ray.kill(handle, no_restart=True)


class RemoteModels:
    """The model's actors as a reading actor calls them. Safe among threads."""

    def __init__(self, handles: Sequence[Any], *, first: int = 0) -> None:
        """first: which of the handles to begin with, so that not all begin with the same."""
        self._handles = handles
        self._turn = first
        self._under_way = 0
        self._changed = threading.Condition()
        self._begun = False

    def begin(self) -> None:
        """Have the models loaded; does nothing where that was done."""
        with self._changed:
            if self._begun:
                return
            self._begun = True
        for handle in self._handles:
            handle.begin.remote()

    def embed(self, images: Images) -> Future[Vectors]:
        """A future of the (N, D) vectors of `images` (N, H, W, 3); waits where PICTURES_AHEAD are
        under way. Its result raises what the encoder raised, ModelLoadError where the actor died
        too often."""
        count = len(images)
        with self._changed:
            while self._under_way and self._under_way + count > PICTURES_AHEAD:
                self._changed.wait()
            self._under_way += count
            handle = self._handles[self._turn % len(self._handles)]
            self._turn += 1
        told: Future[Vectors] = Future()

        def answered(future: Future[Vectors]) -> None:
            with self._changed:
                self._under_way -= count
                self._changed.notify_all()
            error = future.exception()
            if error is None:
                told.set_result(future.result())
            else:
                told.set_exception(_own(error))

        handle.embed.remote(images).future().add_done_callback(answered)
        return told


def _own(error: BaseException) -> BaseException:
    """What the encoder raised, out of what Ray makes of it."""
    import ray

    if isinstance(error, ray.exceptions.RayTaskError) and error.cause is not None:
        cause: BaseException = error.cause
        return cause
    told = ModelLoadError(
        "the model's actor died, and could not be had again",
        remedy="see its node's memory and `ray status`; run the same command again: it goes on"
        " from there",
    )
    told.__cause__ = error
    return told
