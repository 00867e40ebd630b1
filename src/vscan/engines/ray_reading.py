"""What Ray Data runs in its actors: a reader process, and the work on a few sources at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from vscan.decode.limits import ReadLimits
from vscan.decode.workers import ReaderPool
from vscan.engines.answers import Answer
from vscan.engines.done_ids import DoneIds
from vscan.engines.model_actor import RemoteModels
from vscan.errors import VscanError, internal_error
from vscan.measuring import Embed
from vscan.sources import Found

SOURCE_TRIES = 5
"""Times that the actor which has a source in hand may die before the source is given up. Its
neighbours in that actor are begun again as often: it takes more than bad luck with machines."""


class Answering(Protocol):
    """What is made of a source."""

    def __call__(self, source: Found, readers: ReaderPool, embed: Embed) -> Answer:
        """Its answer; raises VscanError where the run must end."""
        ...

    def given_up(self, source: Found) -> Answer:
        """The answer to a source on which worker after worker has died."""
        ...


MakeAnswering = Callable[[DoneIds, Callable[[], None]], Answering]
"""Makes it in a worker: told which ids are done, and whom to tell that the model will be needed.
Raises VscanError where that worker cannot do the work."""


@dataclass(frozen=True, kw_only=True)
class ReadingSetup:
    """What every reading actor is sent, once."""

    make: MakeAnswering
    tries: Any
    """Handle of the run's actor of Tries."""
    done: Any
    """Reference to the keys of the ids that are done."""
    secret: bytes
    """Of the driver: the keys were made under it."""
    models: Sequence[Any]
    """Handles of the model's actors; none where no model is needed."""
    readers: int
    """Reader processes of one actor."""
    limits: ReadLimits


class Tries:
    """How often each source was begun by an actor that had died before. To be made an actor."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()

    def begin(self, uri: str) -> int:
        """Count one more, and say how many."""
        self._begun[uri] += 1
        return self._begun[uri]


class Reading:
    """A callable of `map_batches`, with one source a call, called from several threads.

    An exception in it would cost what Ray Data thinks fit: so there is none. What a source does is
    in its answer, and what must end the run is an answer, too.
    """

    def __init__(self, setup: ReadingSetup) -> None:
        import ray

        self._failed: VscanError | None = None
        # A call is made again by the actor that it was first given to, which has another life then.
        died = ray.get_runtime_context().was_current_actor_reconstructed
        self._tries = setup.tries if died else None
        self._readers = ReaderPool(setup.readers, setup.limits)
        if setup.models:
            own = ray.get_runtime_context().get_actor_id() or "0"
            models = RemoteModels(setup.models, first=int(own[:8], 16))
            self._embed: Embed = models.embed
            begin = models.begin
        else:
            self._embed, begin = _no_model, _nothing
        try:
            self._answering = setup.make(DoneIds(ray.get(setup.done), setup.secret), begin)
        except VscanError as error:
            self._failed = error

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """The answer to the one source of a batch, as a row."""
        (source,) = batch["source"]
        return self._answer(source).row()

    def _answer(self, source: Found) -> Answer:
        if self._failed is not None:
            return Answer.of_failure(self._failed)
        try:
            if self._tried(source) >= SOURCE_TRIES:
                return self._answering.given_up(source)
            return self._answering(source, self._readers, self._embed)
        except VscanError as error:
            return Answer.of_failure(error)
        except Exception as error:  # noqa: BLE001 -- nobody else could say what it was
            return Answer.of_failure(internal_error(error))

    def _tried(self, source: Found) -> int:
        """How often an actor may have died of it."""
        if self._tries is None:
            return 0
        import ray

        try:
            return int(ray.get(self._tries.begin.remote(source.uri)))
        except ray.exceptions.RayActorError:  # its machine is gone: better once more than never
            return 0


def _no_model(_images: object) -> NoReturn:
    raise RuntimeError("pictures were made without a model to take them")


def _nothing() -> None:
    """There is no model to be told."""
