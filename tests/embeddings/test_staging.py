"""Pictures on their way to the network: normalised, padded, and never overwritten too early."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from vscan.embeddings import staging as staging_module
from vscan.embeddings.preprocessing import OPENAI_MEAN, OPENAI_STD, Preprocessing
from vscan.embeddings.staging import PLACES, Staging

SHAPE = (6, 8, 12, 3)


def _staging(batch: int, dtype: torch.dtype = torch.float32) -> Staging:
    return Staging(batch, Preprocessing(width=12, height=8), "cpu", dtype)


def _pictures(seed: int = 7) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, SHAPE, dtype=np.uint8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_pictures_are_normalised_as_the_model_wants_them(dtype: torch.dtype) -> None:
    """(x / 255 - mean) / std per channel, channels first, in the network's precision."""
    images, staging = _pictures(), _staging(6, dtype)
    staging.put(0, images)
    found = staging.input(0)
    expected = (images / 255 - np.array(OPENAI_MEAN)) / np.array(OPENAI_STD)
    assert dtype == found.dtype
    step = torch.finfo(dtype).eps
    np.testing.assert_allclose(
        found.double().numpy(), expected.transpose(0, 3, 1, 2), rtol=step, atol=4e-7
    )


def test_a_short_batch_is_filled_with_black() -> None:
    """What is missing of a batch is zeros, whatever stood there before."""
    images, staging = _pictures(), _staging(6)
    staging.put(0, np.zeros_like(images))
    black = staging.input(0).clone()
    for number in range(1, 1 + 2 * PLACES):
        staging.put(number, images if number <= PLACES else images[:2])
    found = staging.input(2 * PLACES)
    assert bool((found[2:] == black[2:]).all())
    assert not bool((found[:2] == black[:2]).all())


def test_a_batch_in_the_network_outlives_the_next_ones_arrival() -> None:
    """Putting the next batch on its way leaves the input of the one before as it was."""
    staging = _staging(6)
    staging.put(0, _pictures(1))
    first = staging.input(0)
    before = first.clone()
    staging.put(1, _pictures(2))
    assert bool((first == before).all())
    assert not bool((staging.input(1) == before).all())


class Recorder:
    """Stands in for a stream or an event of a GPU, and writes down what is asked of it."""

    def __init__(self, log: list[str], name: str) -> None:
        self.log, self.name = log, name

    def record(self, stream: Recorder) -> None:
        """The event will be reached when the stream has done what it was given so far."""
        self.log.append(f"{stream.name} reaches {self.name}")

    def wait_event(self, event: Recorder) -> None:
        """What the stream is given from now on begins after the event."""
        self.log.append(f"{self.name} waits for {event.name}")

    def synchronize(self) -> None:
        """The host waits for the event."""
        self.log.append(f"host waits for {self.name}")


def test_a_gpu_is_told_who_waits_for_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network waits for a batch's arrival, and a place's next batch for both its readers."""
    log: list[str] = []
    names = iter(["arrived 0", "free 0", "arrived 1", "free 1"])
    network = Recorder(log, "network")
    monkeypatch.setattr(staging_module, "is_cuda", lambda _: True)
    monkeypatch.setattr(
        staging_module, "_host_memory", lambda shape, _: torch.zeros(shape, dtype=torch.uint8)
    )
    monkeypatch.setattr(staging_module, "_event", lambda: Recorder(log, next(names)))
    monkeypatch.setattr(staging_module, "_stream", lambda _: Recorder(log, "copying"))
    monkeypatch.setattr(torch.cuda, "stream", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: network)
    staging = _staging(6)
    staging.put(0, _pictures(0))
    for number in range(3):
        staging.input(number)
        staging.done(number)
        staging.put(number + 1, _pictures(number + 1))
    turn = [
        ["host waits for arrived {}", "copying waits for free {}", "copying reaches arrived {}"],
        ["network waits for arrived {}", "network reaches free {}"],
    ]
    expected = [line.format(0) for line in turn[0]]
    for number in range(3):
        expected += [line.format(number % 2) for line in turn[1]]
        expected += [line.format((number + 1) % 2) for line in turn[0]]
    assert expected == log
