"""A network's picture tower on its device: pictures to unit vectors in batches of one shape."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vscan.embeddings.class_token import class_token_tower
from vscan.embeddings.precision import Compute
from vscan.embeddings.preprocessing import Preprocessing
from vscan.embeddings.staging import PLACES, Staging, is_cuda

if TYPE_CHECKING:
    import torch

RATE_BATCHES = 8
"""Batches over which a rate is measured, after two that warm the device up."""


class PictureTower:
    """Runs the network on pictures. For several threads at once on a CPU alone.

    On a GPU the network works on one batch while the next is copied there and the vectors of the
    one before come back; on a CPU the same steps follow each other.
    """

    def __init__(self, module: Any, preprocessing: Preprocessing, compute: Compute) -> None:
        import torch

        self.device = compute.device
        self.precision = compute.precision
        self.preprocessing = preprocessing
        self._dtype = {
            "fp32": torch.float32,
            "bf16": torch.bfloat16,
            "fp16": torch.float16,
        }[compute.precision]
        visual = module.visual.to(device=self.device, dtype=self._dtype)
        if self.on_gpu:
            visual.to(memory_format=torch.channels_last)
        self.parameters = sum(int(parameter.numel()) for parameter in visual.parameters())
        """Numbers in the tower's weights."""
        size = (preprocessing.height, preprocessing.width)
        quicker = class_token_tower(visual, size) if self.device == "cpu" else None
        self._encode: Callable[[torch.Tensor], torch.Tensor] = quicker or partial(
            module.encode_image, normalize=False
        )
        self._kept = threading.local()
        """`staging`: the memory of a batch, of each thread its own."""

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a CUDA GPU."""
        return is_cuda(self.device)

    def vectors(self, images: NDArray[np.uint8], batch: int, dim: int) -> NDArray[np.float32]:
        """(N, H, W, 3) RGB pictures -> (N, dim) unit vectors, `batch` pictures at a time."""
        import torch

        staging = self._staging_of(batch)
        vectors = np.empty((len(images), dim), np.float32)
        # They are the whole process's flags, which threads on a CPU would take from each other.
        cudnn = (
            torch.backends.cudnn.flags(
                enabled=True, benchmark=False, deterministic=True, allow_tf32=False
            )
            if self.on_gpu
            else nullcontext()
        )
        starts = range(0, len(images), batch)
        back: list[_OnTheWayBack] = []
        with torch.inference_mode(), cudnn:
            for number, at in enumerate(starts):
                if number == 0:
                    staging.put(0, images[:batch])
                back.append(_OnTheWayBack(self._units(staging.input(number)), self.on_gpu))
                staging.done(number)
                # All this was handed to a GPU, not waited for: it computes during what follows.
                if at + batch < len(images):
                    staging.put(number + 1, images[at + batch : at + 2 * batch])
                if len(back) == PLACES:
                    self._collect(back, vectors, at - batch)
            if back:
                self._collect(back, vectors, starts[-1])
        return vectors

    def _units(self, pictures: torch.Tensor) -> torch.Tensor:
        import torch

        found = self._encode(pictures)
        return torch.nn.functional.normalize(found.to(torch.float32), dim=-1)

    def _collect(self, back: list[_OnTheWayBack], vectors: NDArray[np.float32], at: int) -> None:
        found = back.pop(0).wait()
        vectors[at : at + len(found)] = found[: len(vectors) - at]

    def _staging_of(self, batch: int) -> Staging:
        kept: Staging | None = getattr(self._kept, "staging", None)
        if kept is None or kept.batch != batch:
            self._kept.staging = kept = None  # before the next one takes as much again
            kept = Staging(batch, self.preprocessing, self.device, self._dtype)
            self._kept.staging = kept
        return kept

    def rate(self, batch: int, dim: int) -> float:
        """Pictures a second in batches of that size, measured now.

        Raises torch.OutOfMemoryError where the device has not the memory; what was taken for the
        attempt is given back.
        """
        import torch

        sides = (self.preprocessing.height, self.preprocessing.width)
        images = np.broadcast_to(np.uint8(0), (batch * RATE_BATCHES, *sides, 3))
        try:
            self.vectors(images[: 2 * batch], batch, dim)
            begun = time.perf_counter()
            self.vectors(images, batch, dim)
            return len(images) / (time.perf_counter() - begun)
        finally:
            self._kept.staging = None
            if self.on_gpu:
                torch.cuda.empty_cache()


class _OnTheWayBack:
    """Vectors that a GPU is still to compute and to copy back."""

    def __init__(self, units: torch.Tensor, gpu: bool) -> None:
        import torch

        self._host, self._there = units, None
        if gpu:
            self._host = torch.empty(units.shape, dtype=units.dtype, pin_memory=True)
            self._host.copy_(units, non_blocking=True)
            self._there = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._there.record(torch.cuda.current_stream(units.device))

    def wait(self) -> NDArray[np.float32]:
        """(B, D) unit vectors."""
        if self._there is not None:
            self._there.synchronize()
        array: NDArray[np.float32] = self._host.cpu().numpy()
        return array
