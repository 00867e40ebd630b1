"""Frames of many videos share the model's batches: callers submit, one thread encodes."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""(N, H, W, 3) RGB pictures in the model's size."""
Vectors = NDArray[np.float32]
"""(N, D) unit vectors."""


class ImageEncoder(Protocol):
    """The part of an encoder that batching needs."""

    @property
    def batch_size(self) -> int: ...

    def encode_images(self, images: Images) -> Vectors: ...


@dataclass(frozen=True, eq=False)
class _Job:
    images: Images
    future: Future[Vectors]


class SharedBatches:
    """Encodes what many threads submit in batches that are as full as the queue allows.

    `submit` blocks while `backlog` batches wait, so that decoding cannot run ahead of the model
    without bound. Vectors do not depend on which pictures shared their batch: that is the
    encoder's promise. An exception of the encoder reaches every caller whose pictures were in
    that batch, and nobody else.
    """

    def __init__(self, encoder: ImageEncoder, *, backlog: int = 8) -> None:
        self._encoder = encoder
        self._jobs: queue.Queue[_Job | None] = queue.Queue(maxsize=backlog)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="vscan-encode", daemon=True)
        self._thread.start()

    def submit(self, images: Images) -> Future[Vectors]:
        """A future of the (N, D) vectors of `images` (N, H, W, 3)."""
        if self._closed:
            raise RuntimeError("batches are closed")
        job = _Job(images, Future())
        self._jobs.put(job)
        return job.future

    def _run(self) -> None:
        ending = False
        while not ending:
            first = self._jobs.get()
            if first is None:
                return
            jobs, size = [first], len(first.images)
            while size < self._encoder.batch_size:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    ending = True
                    break
                jobs.append(job)
                size += len(job.images)
            self._encode(jobs)

    def _encode(self, jobs: list[_Job]) -> None:
        try:
            vectors = self._encoder.encode_images(np.concatenate([job.images for job in jobs]))
        except BaseException as error:  # noqa: BLE001 -- belongs to the callers, who wait for it
            for job in jobs:
                job.future.set_exception(error)
            return
        at = 0
        for job in jobs:
            job.future.set_result(vectors[at : at + len(job.images)])
            at += len(job.images)

    def close(self) -> None:
        """Encode what was submitted, then stop."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
