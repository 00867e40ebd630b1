"""Frames of many videos share the model's batches: callers submit, a few threads encode."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from vscan.embeddings.lanes import Images, Vectors
from vscan.engines.picture_jobs import Part, PictureJob

MOST_BEFORE = 256
"""Pictures that may wait for a model whose batch size is not known yet."""
BACKLOG_EACH = 2
"""Batches at least that may wait for each of the threads that encode."""
PATIENCE_S = 0.25
"""How long a caller waits at least for others to fill its batch, which would be padded otherwise.
As long as the last batch took where that is more: then waiting in vain costs at most as much again
as the padding would have."""


class ImageEncoder(Protocol):
    """The part of an encoder that batching needs."""

    @property
    def batch_size(self) -> int: ...

    @property
    def batches_at_once(self) -> int: ...

    @property
    def calls_at_once(self) -> int: ...

    def encode_images(self, images: Images) -> Vectors: ...


class SharedBatches:
    """Encodes what many threads submit in full batches, as far as nobody has to wait for it.

    A batch that is not full costs as much as a full one, so it goes only where a caller waits for
    it and all that are at work (`working`) do or stand still for other reasons (`stalls`), or where
    nothing comes for as long as a batch takes (PATIENCE_S). `submit` blocks while `backlog` batches
    wait, so that decoding cannot run ahead of the model without bound. Vectors do not
    depend on which pictures shared their batch: that is the encoder's promise. An exception of the
    encoder reaches every caller whose pictures were in that batch, and nobody else; one that comes
    of asking for its batch size, which may wait until it is loaded, reaches all.
    """

    def __init__(
        self, encoder: ImageEncoder, *, backlog: int = 8, others_may_come: bool = False
    ) -> None:
        """others_may_come: whether there are more at work than say so, in other processes: a batch
        that is not full then goes only where nothing comes for a while."""
        self._encoder = encoder
        self._others_may_come = others_may_come
        self._backlog = backlog
        self._size = 0
        self._at_once = 1
        self._most = MOST_BEFORE
        self._failed: BaseException | None = None
        self._changed = threading.Condition()
        self._jobs: deque[PictureJob] = deque()
        self._queued = self._working = self._waiting = self._stalled = 0
        self._closed = False
        self._patience_s = PATIENCE_S
        self._thread = threading.Thread(target=self._run, name="vscan-encode", daemon=True)
        self._thread.start()

    def submit(self, images: Images) -> Future[Vectors]:
        """A future of the (N, D) vectors of `images` (N, H, W, 3)."""
        job = PictureJob(images, self.awaited)
        with self._changed:
            while self._queued >= self._most and not self._closed and self._failed is None:
                self._changed.wait()
            if self._failed is not None:
                raise self._failed
            if self._closed:
                raise RuntimeError("batches are closed")
            self._jobs.append(job)
            self._queued += len(images)
            self._changed.notify_all()
        return job

    @contextmanager
    def working(self) -> Iterator[None]:
        """A block in which its thread may submit more."""
        with self._changed:
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def stalls(self) -> None:
        """One that is at work stands still, and not for its vectors."""
        with self._changed:
            self._stalled += 1
            self._changed.notify_all()

    def resumes(self) -> None:
        """It goes on."""
        with self._changed:
            self._stalled -= 1

    @contextmanager
    def awaited(self, job: PictureJob) -> Iterator[None]:
        """A block in which its thread waits for a job."""
        with self._changed:
            counted = not job.done()
            self._waiting += counted
            job.waiters += counted
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= counted
                job.waiters -= counted

    def _run(self) -> None:
        try:
            size, at_once = self._encoder.batch_size, self._encoder.batches_at_once
            lanes = self._encoder.calls_at_once
        except BaseException as error:  # noqa: BLE001 -- belongs to the callers, who wait for it
            self._fail(error)
            return
        with self._changed:
            self._size, self._at_once = size, at_once
            self._most = max(self._backlog, BACKLOG_EACH * lanes) * size
            self._changed.notify_all()
        others = []
        with suppress(RuntimeError):  # no room for a thread: those that there are do the work
            for _ in range(lanes - 1):
                thread = threading.Thread(target=self._serve, name="vscan-encode", daemon=True)
                thread.start()
                others.append(thread)
        self._serve()
        for thread in others:
            thread.join()

    def _serve(self) -> None:
        while batch := self._next_batch():
            self._encode(batch)

    def _fail(self, error: BaseException) -> None:
        """No picture will be encoded."""
        with self._changed:
            self._failed = error
            left = list(self._jobs)
            self._jobs.clear()
            self._queued = 0
            self._changed.notify_all()
        for job in left:
            job.set_exception(error)

    def _next_batch(self) -> list[Part]:
        """What one batch is made of, or some full ones; nothing at the end."""
        size, patient = self._size, True
        with self._changed:
            while self._queued < size and not self._closed:
                # Not for those who wait for what another thread encodes already.
                wanted = any(job.waiters for job in self._jobs)
                if wanted and not (patient and self._may_grow()):
                    break
                patient = self._changed.wait(self._patience_s)
            batch: list[Part] = []
            whole = min(self._at_once, self._queued // size)
            taken = room = size * max(1, whole)
            while room and self._jobs:
                batch.append(self._jobs[0].taken(room))
                room -= len(batch[-1].images)
                if not len(self._jobs[0].left):
                    self._jobs.popleft()
            self._queued -= taken - room
            self._changed.notify_all()
            return batch

    def _may_grow(self) -> bool:
        """Whether there may be anybody who works and does not stand still."""
        return self._others_may_come or self._waiting + self._stalled < self._working

    def _encode(self, batch: list[Part]) -> None:
        begun = time.perf_counter()
        try:
            vectors = self._encoder.encode_images(np.concatenate([part.images for part in batch]))
        except BaseException as error:  # noqa: BLE001 -- belongs to the callers, who wait for it
            self._refuse(batch, error)
            return
        done, at = [], 0
        with self._changed:
            self._patience_s = max(PATIENCE_S, time.perf_counter() - begun)
            for part in batch:
                if part.job.add(part, vectors[at : at + len(part.images)]):
                    done.append(part.job)
                at += len(part.images)
        for job in done:
            job.set_result(job.vectors())

    def _refuse(self, batch: list[Part], error: BaseException) -> None:
        """The jobs of a batch that failed; what else there is of them need not be made."""
        refused = []
        with self._changed:
            for job in (part.job for part in batch if not part.job.refused):
                job.refused = True
                refused.append(job)
                if job in self._jobs:
                    self._jobs.remove(job)
                    self._queued -= len(job.left)
            self._changed.notify_all()
        for job in refused:
            job.set_exception(error)

    def close(self) -> None:
        """Encode what was submitted, then stop."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
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
