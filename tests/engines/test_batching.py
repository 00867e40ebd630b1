"""Frames of many callers share batches, and each caller gets its own vectors back."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vscan.embeddings.lanes import Images, Vectors
from vscan.engines.batching import PATIENCE_S, SharedBatches
from vscan.errors import ModelLoadError


class MeanColour:
    """An encoder whose vector is the picture's mean colour; it notes the size of every batch."""

    batch_size = 8
    batches_at_once = 1
    calls_at_once = 1

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def encode_images(self, images: Images) -> Vectors:
        """(N, 3) mean colours; refuses a pure white picture."""
        self.gate.wait(10)
        self.sizes.append(len(images))
        if bool((images == 255).all(axis=(1, 2, 3)).any()):
            raise ValueError("a white picture")
        colours: Vectors = images.mean(axis=(1, 2)).astype(np.float32)
        return colours


def pictures(value: int, n: int) -> Images:
    """`n` pictures of one grey value."""
    return np.full((n, 4, 4, 3), value, np.uint8)


def test_everyone_gets_their_own() -> None:
    """Forty callers at once: each one's vectors are of its pictures."""
    with SharedBatches(MeanColour()) as batches, ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(lambda v: batches.submit(pictures(v, 3)).result(), v)
                   for v in range(40)]  # fmt: skip
        for value, future in enumerate(futures):
            assert future.result(10).tolist() == [[value] * 3] * 3


def test_small_pieces_share_a_batch() -> None:
    """What waits while the model is busy goes together into the next batch."""
    encoder = MeanColour()
    encoder.gate.clear()
    with SharedBatches(encoder) as batches:
        futures = [batches.submit(pictures(1, 2)) for _ in range(5)]
        encoder.gate.set()
        for future in futures:
            future.result(10)
    assert sum(encoder.sizes) == 10
    assert len(encoder.sizes) <= 3


def test_an_error_reaches_those_it_concerns() -> None:
    """A failing batch fails its callers; later ones are served."""
    with SharedBatches(MeanColour()) as batches:
        with pytest.raises(ValueError, match="white"):
            batches.submit(pictures(255, 8)).result(10)
        assert len(batches.submit(pictures(3, 1)).result(10)) == 1


def test_closed_batches_take_nothing() -> None:
    """Submitting after close is a mistake that is told."""
    batches = SharedBatches(MeanColour())
    batches.close()
    with pytest.raises(RuntimeError, match="closed"):
        batches.submit(pictures(1, 1))


def test_batches_are_filled_while_others_work() -> None:
    """Who waits for a part of a batch lets those at work fill it; a job may be in two batches."""
    encoder = MeanColour()
    with SharedBatches(encoder) as batches, ThreadPoolExecutor(1) as pool, batches.working():
        first = batches.submit(pictures(1, 5))

        def wait() -> Vectors:
            with batches.working():
                return first.result(10)

        waiting = pool.submit(wait)
        second = batches.submit(pictures(2, 11))
        assert waiting.result(10).tolist() == [[1] * 3] * 5
        assert second.result(10).tolist() == [[2] * 3] * 11
    assert [8, 8] == encoder.sizes


def test_nobody_waits_for_those_who_wait() -> None:
    """Where all that are at work wait, a batch goes that is not full."""
    encoder = MeanColour()
    with SharedBatches(encoder) as batches, batches.working():
        assert batches.submit(pictures(3, 2)).result(10).tolist() == [[3] * 3] * 2
    assert [2] == encoder.sizes


def test_nobody_waits_for_those_who_cannot_go_on() -> None:
    """One that is at work and stands still, as for a reader, keeps no batch back."""
    encoder = MeanColour()
    with SharedBatches(encoder) as batches, batches.working(), batches.working():
        batches.stalls()
        begun = time.monotonic()
        assert batches.submit(pictures(3, 2)).result(10).tolist() == [[3] * 3] * 2
        assert time.monotonic() - begun < PATIENCE_S
        batches.resumes()
        with pytest.raises(TimeoutError):
            batches.submit(pictures(3, 2)).result(PATIENCE_S / 8)


def test_a_model_that_does_not_load_fails_all() -> None:
    """Where the batch size cannot be told, who waits and who comes later get that error."""

    class Unloadable(MeanColour):
        @property
        def batch_size(self) -> int:  # type: ignore[override]
            self.gate.wait(10)
            raise ModelLoadError("the weights are damaged")

    encoder = Unloadable()
    encoder.gate.clear()
    with SharedBatches(encoder) as batches:
        early = batches.submit(pictures(1, 2))
        encoder.gate.set()
        with pytest.raises(ModelLoadError):
            early.result(10)
        with pytest.raises(ModelLoadError):
            batches.submit(pictures(1, 2))


def test_full_batches_go_together() -> None:
    """An encoder that copies beside its work gets several full batches at a time; what is left
    over waits for more, and goes alone."""
    encoder = MeanColour()
    encoder.batches_at_once = 3
    encoder.gate.clear()
    with SharedBatches(encoder) as batches:
        futures = [batches.submit(pictures(value, 6)) for value in range(7)]
        encoder.gate.set()
        for value, future in enumerate(futures):
            assert future.result(10).tolist() == [[value] * 3] * 6
    assert 42 == sum(encoder.sizes)
    assert 24 in encoder.sizes
    assert all(size % 8 == 0 for size in encoder.sizes[:-1])


class TwoLanes(MeanColour):
    """Encodes two batches at once, and only so: each waits for the other."""

    calls_at_once = 2

    def __init__(self) -> None:
        super().__init__()
        self.both = threading.Barrier(2, timeout=10)

    def encode_images(self, images: Images) -> Vectors:
        """As MeanColour's; the batch that begins with a darker picture ends last."""
        self.both.wait()
        if images[0, 0, 0, 0] < 100:
            time.sleep(0.05)
        return super().encode_images(images)


def test_batches_side_by_side() -> None:
    """As many batches are encoded at once as the encoder takes calls, and the parts of one job,
    whichever is done first, stand in its order."""
    shades = np.arange(16, dtype=np.uint8) * 15
    job = np.broadcast_to(shades[:, None, None, None], (16, 4, 4, 3))
    with SharedBatches(TwoLanes()) as batches:
        vectors = batches.submit(job).result(10)
    assert shades.tolist() == vectors[:, 0].tolist()


def test_a_job_is_refused_once() -> None:
    """Where two of its batches fail at the same time its caller has one error, and the rest of it
    is not encoded; the next job is served."""
    encoder = TwoLanes()
    with SharedBatches(encoder) as batches:
        with pytest.raises(ValueError, match="white"):
            batches.submit(pictures(255, 40)).result(10)
        assert len(batches.submit(pictures(3, 16)).result(10)) == 16
    assert sum(encoder.sizes) <= 40


def test_nobody_waits_for_what_is_sent_too_early() -> None:
    """A thread that has nothing to do leaves pictures alone that nobody asks for yet, also while
    somebody waits for those of another batch: there may be more to go with them."""
    encoder = MeanColour()
    encoder.calls_at_once = 2
    encoder.gate.clear()
    with SharedBatches(encoder) as batches, ThreadPoolExecutor(1) as pool, batches.working():

        def first() -> Vectors:
            with batches.working():
                return batches.submit(pictures(1, 8)).result(10)

        waiting = pool.submit(first)
        later = [batches.submit(pictures(2, 1))]
        time.sleep(2 * PATIENCE_S)
        later.append(batches.submit(pictures(3, 7)))
        encoder.gate.set()
        assert [8, 1, 7] == [len(each.result(10)) for each in (waiting, *later)]
    assert [8, 8] == encoder.sizes


def test_pictures_are_let_go() -> None:
    """Who keeps a future keeps its vectors alone: neither its pictures nor its batch's vectors."""
    with SharedBatches(MeanColour()) as batches:
        shared = [batches.submit(pictures(1, 3)), batches.submit(pictures(2, 5))]
        images = pictures(3, 20)
        seen = weakref.ref(images)
        future = batches.submit(images)
        del images
        vectors = [each.result(10) for each in (*shared, future)]
        batches.submit(pictures(4, 8)).result(10)  # the thread has another batch in hand
        gc.collect()
        assert seen() is None
    assert all(each.base is None for each in vectors)
    assert [3, 5, 20] == [len(each.result()) for each in (*shared, future)]


def test_too_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no room for a thread for each core, those that there are do the work."""

    class Refused(threading.Thread):
        made = 0

        def start(self) -> None:
            Refused.made += 1
            if Refused.made > 1:
                raise RuntimeError("can't start new thread")
            super().start()

    monkeypatch.setattr("vscan.engines.batching.threading.Thread", Refused)
    encoder = MeanColour()
    encoder.calls_at_once = 4
    with SharedBatches(encoder) as batches:
        assert 20 == len(batches.submit(pictures(1, 20)).result(10))
    assert 2 == Refused.made
