"""Pictures on their way to the network: two places, so that one batch is copied as one computes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vscan.embeddings.preprocessing import Preprocessing

if TYPE_CHECKING:
    import torch

PLACES = 2
"""One batch in the network, one on its way."""


class Staging:
    """Turns (N, H, W, 3) pictures into the network's input, always B of them: the rest is zeros.

    Memory is taken once: page-locked on the host where the device is a CUDA GPU, so that copies
    run beside the network, on a stream of their own. On other devices the same steps follow each
    other. Batches are numbered from 0 in the order of `put`; for each, `put`, `input` and `done`
    are called in that order, and `put` of the next may come before `done`.
    """

    def __init__(
        self, batch: int, preprocessing: Preprocessing, device: str, dtype: torch.dtype
    ) -> None:
        import torch

        self.batch = batch
        self._gpu = is_cuda(device)
        self._side = _stream(device) if self._gpu else None
        mean, std = (
            torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1)
            for values in (preprocessing.mean, preprocessing.std)
        )
        self._factor = (1 / (255 * std)).to(device=device, dtype=torch.float32)
        self._offset = (-mean / std).to(device=device, dtype=torch.float32)
        sides = (preprocessing.height, preprocessing.width)
        self._places = tuple(
            _Place(batch, sides, device=device, dtype=dtype, gpu=self._gpu) for _ in range(PLACES)
        )

    def put(self, number: int, images: NDArray[np.uint8]) -> None:
        """Send batch `number` on its way: 1 to B pictures. Returns before a GPU has them."""
        import torch

        place = self._places[number % PLACES]
        if place.arrived is not None:
            place.arrived.synchronize()
        host = place.host.numpy()
        host[: len(images)] = images
        host[len(images) :] = 0
        with self._beside(), torch.inference_mode():
            if self._side is not None and place.free is not None:
                self._side.wait_event(place.free)
            if place.pixels is not place.host:
                place.pixels.copy_(place.host, non_blocking=self._gpu)
            # ((x / 255) - mean) / std, as one product and sum.
            place.numbers.copy_(place.pixels.permute(0, 3, 1, 2))
            torch.addcmul(self._offset, place.numbers, self._factor, out=place.numbers)
            if place.input is not place.numbers:
                place.input.copy_(place.numbers)
            if place.arrived is not None and self._side is not None:
                place.arrived.record(self._side)

    def input(self, number: int) -> torch.Tensor:
        """(B, 3, H, W) normalised pictures on the device, for the network to be run on next."""
        import torch

        place = self._places[number % PLACES]
        if place.arrived is not None:
            torch.cuda.current_stream(place.input.device).wait_event(place.arrived)
        return place.input

    def done(self, number: int) -> None:
        """Say that all work on batch `number` was handed to the device: its place may be reused."""
        import torch

        place = self._places[number % PLACES]
        if place.free is not None:
            place.free.record(torch.cuda.current_stream(place.input.device))

    def _beside(self) -> AbstractContextManager[object]:
        import torch

        return nullcontext() if self._side is None else torch.cuda.stream(self._side)


class _Place:
    """The memory of one batch, and on a GPU the events that say who is through with it."""

    def __init__(
        self, batch: int, sides: tuple[int, int], *, device: str, dtype: torch.dtype, gpu: bool
    ) -> None:
        import torch

        self.host = _host_memory((batch, *sides, 3), gpu)
        self.pixels = self.host if device == "cpu" else torch.empty_like(self.host, device=device)
        # A GPU's units take the order in which the pixels lie already; a CPU gains nothing by it.
        order = torch.channels_last if gpu else torch.contiguous_format
        shape = (batch, 3, *sides)
        self.numbers = torch.empty(shape, device=device, memory_format=order)
        self.input = (
            self.numbers
            if dtype == torch.float32
            else torch.empty(shape, dtype=dtype, device=device, memory_format=order)
        )
        self.arrived = _event() if gpu else None
        """The batch is on the device and normalised; the host's memory may be written again."""
        self.free = _event() if gpu else None
        """The network has read it; the device's memory may be written again."""


def is_cuda(device: str) -> bool:
    """Whether that device is a CUDA GPU, with streams of its own."""
    return device.startswith("cuda")


def _host_memory(shape: tuple[int, ...], gpu: bool) -> torch.Tensor:
    import torch

    return torch.zeros(shape, dtype=torch.uint8, pin_memory=gpu)


def _stream(device: str) -> torch.cuda.Stream:
    import torch

    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _event() -> torch.cuda.Event:
    import torch

    return torch.cuda.Event()  # type: ignore[no-untyped-call]
