"""One of the videos measured under one sampling plan: what the whole of it would take."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vscan.decode.limits import ReadLimits
from vscan.digests import file_digests
from vscan.measuring import measure
from vscan.names import record_uri
from vscan.planning.bounded_reading import BoundedReaders
from vscan.planning.missing import SampleTimes
from vscan.rules import judge_source
from vscan.sampling import Plan, SinglePlan

if TYPE_CHECKING:
    from vscan.digests import Digests
    from vscan.embeddings.encoder import Encoder
    from vscan.scanning import Prepared
    from vscan.scratch import Scratch
    from vscan.sources import Found, Source

FULL_BATCHES = 4
"""Batches of the model that are timed at most, one after the other, before they come round."""
TIMED_S = 2.0
"""Seconds for which the model is timed."""


@dataclass(frozen=True, eq=False)
class Look:
    """What one video takes under one sampling plan, put to its whole length."""

    times: SampleTimes
    reading_cpu_s: float
    """CPU seconds of opening, decoding and measuring in the reader process, of handing it over, and
    of the file's digests."""
    judging_cpu_s: float
    """CPU seconds of looking the samples up in the indexes, and of judging them."""


@dataclass
class Eye:
    """Looks at videos as a scan would, one at a time, and meters it."""

    prepared: Prepared
    readers: BoundedReaders
    pictures: Pictures
    scratch: Scratch

    @classmethod
    def of(cls, prepared: Prepared, limits: ReadLimits, window_s: float, scratch: Scratch) -> Eye:
        """For a scan that is ready to run; to be closed by closing its `readers`."""
        readers = BoundedReaders(limits, window_s=window_s)
        real = any("embedding" in index.signals for index in prepared.rules.indexes)
        return cls(prepared, readers, Pictures(prepared.encoder, encodes=real), scratch)

    def look(self, source: Found, plans: list[Plan]) -> list[Look]:
        """What this video takes under each of the plans. Raises SourceError."""
        with self.scratch.at_hand(source) as here:
            begun = time.process_time()
            digests = file_digests(here.path)
            hashing_s = time.process_time() - begun
            return [self._look(here, digests, plan, hashing_s) for plan in plans]

    def _look(self, source: Source, digests: Digests, plan: Plan, hashing_s: float) -> Look:
        """A plan that follows what is found is told of nothing, so that its first pass is all."""
        rules = self.prepared.rules
        self.readers.keyframes_alone = isinstance(plan, SinglePlan)
        begun, encoding_s = time.process_time(), self.pictures.cpu_s
        measured = measure(
            source,
            digests,
            recipe=replace(self.prepared.recipe, plan=plan),
            readers=self.readers,
            embed=self.pictures.embed,
            indexes=rules.indexes,
        )
        judge_source(record_uri(source.uri), {}, measured, rules=rules)
        spent = self.readers.spent
        encoding_s = self.pictures.cpu_s - encoding_s
        judging_s = time.process_time() - begun - encoding_s - spent.parent_cpu_s
        whole = spent.seen_s is None
        claimed_s = measured.info.duration_s
        length_s = measured.report.end_s if whole or claimed_s is None else claimed_s
        times = SampleTimes(measured.times_s, length_s, whole)
        return Look(
            times=times,
            reading_cpu_s=hashing_s + spent.cpu_s,
            judging_cpu_s=max(0.0, judging_s) * times.samples / len(times.times_s),
        )


@dataclass
class Pictures:
    """Takes the model's pictures as they are read; some are kept, to time the model with."""

    encoder: Encoder | None
    encodes: bool
    """Whether their vectors are looked up, so that true ones are needed."""
    cpu_s: float = 0.0
    """Spent on true vectors."""
    kept: list[NDArray[np.uint8]] = field(default_factory=list)

    def embed(self, images: NDArray[np.uint8]) -> Future[NDArray[np.float32]]:
        """Unit vectors (N, D) of pictures (N, H, W, 3): the model's, or all the same ones."""
        assert self.encoder is not None  # noqa: S101 - without a model there are no pictures
        room = FULL_BATCHES * self.encoder.batch_size - len(self.kept)
        self.kept.extend(image.copy() for image in images[: max(0, room)])
        begun = time.process_time()
        if self.encodes:
            vectors = self.encoder.encode_images(images)
        else:
            dim = self.encoder.dim
            vectors = np.full((len(images), dim), dim**-0.5, np.float32)
        self.cpu_s += time.process_time() - begun
        future: Future[NDArray[np.float32]] = Future()
        future.set_result(vectors)
        return future

    def seconds_each(self) -> float:
        """Seconds that the model takes for one picture in full batches of the kept ones.

        Of CPU time over all threads, or, where the model runs on another device, of time. 0 where
        there is no model.
        """
        if self.encoder is None or not self.kept:
            return 0.0
        clock: Callable[[], float]
        clock = time.process_time if self.encoder.device == "cpu" else time.perf_counter
        size = self.encoder.batch_size * self.encoder.calls_at_once
        count = max(1, len(self.kept) // size) * size
        pictures = np.stack([self.kept[k % len(self.kept)] for k in range(count)])
        self.encoder.encode_images(pictures[:size])  # the first one chooses and loads its kernels
        until, begun, encoded = time.monotonic() + TIMED_S, clock(), 0
        while encoded == 0 or time.monotonic() < until:
            at = encoded % count
            self.encoder.encode_images(pictures[at : at + size])
            encoded += size
        return (clock() - begun) / encoded
