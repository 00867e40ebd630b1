"""Where the time of a run goes: CPU seconds by step, collected from all its threads and readers."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Self, get_args

Step = Literal["digests", "decode", "embedding", "pdq", "keypoints", "loading", "model", "judge"]
"""`loading` loads the model, beside the rest; `embedding` makes the pictures that it takes, `model`
their vectors; `keypoints` finds them and looks them up; `decode` is all else that a reader process
does for a file."""
STEPS: tuple[Step, ...] = get_args(Step)
Rest = Literal["readers", "other"]
"""What no step has counted, in the reader processes (starting them, and files that failed in them)
and in this one."""


@dataclass(frozen=True)
class Moment:
    """What the clocks say at one time, in seconds; differences mean something."""

    wall_s: float
    cpu_s: float
    """Of all threads of this process, and of the readers."""
    readers_s: float
    """Of the readers, which count when they have ended."""

    @classmethod
    def now(cls) -> Self:
        """As it is."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        readers_s = children.ru_utime + children.ru_stime
        return cls(time.perf_counter(), time.process_time() + readers_s, readers_s)

    def since(self, earlier: Self) -> Self:
        """Seconds between the two."""
        return type(self)(
            self.wall_s - earlier.wall_s,
            self.cpu_s - earlier.cpu_s,
            self.readers_s - earlier.readers_s,
        )


@dataclass(frozen=True)
class Spent:
    """Where the time of a run went."""

    start: Moment
    """Seconds before the first source: loading pack and indexes."""
    run: Moment
    """Seconds from there on."""
    cpu_s: Mapping[Step | Rest, float]
    """All CPU seconds of the run, by what they went to."""
    model_wall_s: float
    """Seconds of the run in which the model worked."""
    videos: int
    """That were measured, or found in a store."""
    samples: int
    """Of those."""

    @property
    def all_s(self) -> float:
        """CPU seconds of the run together."""
        return sum(self.cpu_s.values())


class Timings:
    """Collects what each step costs. Safe among threads; `spent` tells what came of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cpu_s: dict[Step | Rest, float] = dict.fromkeys(STEPS, 0.0)
        self._model_wall_s = self._model_since_s = 0.0
        self._at_model = 0
        self._reader_s = 0.0
        self._videos = self._samples = 0
        self._made = Moment.now()
        self._begun: Moment | None = None

    def begin(self) -> None:
        """Now all is loaded, and the first source is next."""
        self._begun = Moment.now()

    def add(self, cost_s: Mapping[str, float]) -> None:
        """CPU seconds by step; what is no step is passed over, and shows in the rest."""
        with self._lock:
            for step in STEPS:
                self._cpu_s[step] += cost_s.get(step, 0.0)

    def add_video(
        self, cost_s: Mapping[str, float], reader_s: Mapping[str, float], samples: int
    ) -> None:
        """One more source is measured: what its steps cost, how much of that in the reader process,
        and how many samples it has."""
        self.add(cost_s)
        with self._lock:
            self._reader_s += sum(reader_s.get(step, 0.0) for step in STEPS)
            self._videos += 1
            self._samples += samples

    @contextmanager
    def of_thread(self, step: Step) -> Iterator[None]:
        """A block in which all that the calling thread does is this step."""
        begun_s = time.thread_time()
        try:
            yield
        finally:
            self.add({step: time.thread_time() - begun_s})

    @contextmanager
    def of_model(self) -> Iterator[None]:
        """A block in which the model works: in the calling thread, or on a GPU. Several may be at
        it at once."""
        self._model_works(1)
        try:
            with self.of_thread("model"):
                yield
        finally:
            self._model_works(-1)

    def _model_works(self, more: int) -> None:
        """So many more threads have the model work from now on."""
        with self._lock:
            now_s = time.perf_counter()
            if self._at_model:
                self._model_wall_s += now_s - self._model_since_s
            self._at_model += more
            self._model_since_s = now_s

    def spent(self) -> Spent | None:
        """What was spent until now; None where nothing began. To be asked when the readers have
        ended: what they cost is known only then."""
        if self._begun is None:
            return None
        run = Moment.now().since(self._begun)
        with self._lock:
            here_s = sum(self._cpu_s.values()) - self._reader_s
            cpu_s: dict[Step | Rest, float] = {
                **self._cpu_s,
                "readers": max(0.0, run.readers_s - self._reader_s),
                "other": max(0.0, run.cpu_s - run.readers_s - here_s),
            }
            return Spent(
                start=self._begun.since(self._made),
                run=run,
                cpu_s=cpu_s,
                model_wall_s=self._model_wall_s,
                videos=self._videos,
                samples=self._samples,
            )
