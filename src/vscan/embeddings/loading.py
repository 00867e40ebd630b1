"""An encoder whose network loads beside other work; what needs no torch is known at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vscan.embeddings.model_files import ModelFiles, model_files
from vscan.embeddings.network import embed_dim
from vscan.embeddings.openclip import OpenClipEncoder, load_files
from vscan.embeddings.precision import Compute, choose_compute
from vscan.errors import ModelError, ModelLoadError
from vscan.media import ImageSpec


class LoadingEncoder:
    """An Encoder that loads in a thread of its own from `start` on, or from its first use.

    Making one checks the files, hashes the weights and chooses the device; it imports torch only
    where a GPU could be here. `name`, `fingerprint`, `dim`, `image_spec`, `device` and `precision`
    are known then. `logit_scale`, `batch_size`, `batches_at_once`, `calls_at_once`,
    `encode_images` and `encode_texts` wait until the network is loaded; they, and `wait`, raise a
    ModelLoadError where it cannot be, every time.
    The thread is waited for when the program ends: torch cannot be torn down half imported.
    """

    def __init__(self, files: ModelFiles, compute: Compute) -> None:
        self.files = files
        self.compute = compute
        self.name = files.name
        self.fingerprint = files.fingerprint
        self.dim = embed_dim(files)
        self.image_spec: ImageSpec = files.preprocessing.image_spec
        self.device = compute.device
        self.precision = compute.precision
        self.loading_s = 0.0
        """CPU seconds of the thread that loaded it."""
        self._loaded: Future[OpenClipEncoder] = Future()
        self._lock = threading.Lock()
        self._started = False

    def __repr__(self) -> str:
        state = "loaded" if self._loaded.done() else "loading" if self._started else "not loaded"
        return (
            f"LoadingEncoder({self.fingerprint[: len(self.name) + 16]}…,"
            f" {self.precision} on {self.device}, {state})"
        )

    def for_texts(self) -> LoadingEncoder:
        """The same model, not loaded, for texts: those are encoded on the CPU in any case."""
        return LoadingEncoder(self.files, Compute("cpu", "fp32", "for texts alone"))

    def start(self) -> None:
        """Begin to load; does nothing where that was done. Returns at once."""
        with self._lock:
            if not self._started:
                self._started = True
                threading.Thread(target=self._load, name="vscan-load").start()

    def _load(self) -> None:
        try:
            encoder = load_files(self.files, self.compute)
            self.loading_s = time.thread_time()
            self._loaded.set_result(encoder)
        except Exception as error:  # noqa: BLE001 -- belongs to those who wait for the model
            self._loaded.set_exception(_told(self.name, error))

    def wait(self) -> OpenClipEncoder:
        """The loaded model. Raises ModelLoadError where it cannot be loaded."""
        self.start()
        return self._loaded.result()

    @property
    def logit_scale(self) -> float:
        """The factor on a cosine before a softmax; waits."""
        return self.wait().logit_scale

    @property
    def batch_size(self) -> int:
        """Pictures in one pass; waits."""
        return self.wait().batch_size

    @property
    def batches_at_once(self) -> int:
        """Batches that are best handed over together; waits."""
        return self.wait().batches_at_once

    @property
    def calls_at_once(self) -> int:
        """Threads that keep it busy; waits."""
        return self.wait().calls_at_once

    def encode_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) RGB -> (N, D) unit vectors; waits. See Encoder.encode_images."""
        return self.wait().encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """N texts -> (N, D) unit vectors; waits. See Encoder.encode_texts."""
        return self.wait().encode_texts(texts)


def _told(name: str, error: Exception) -> ModelLoadError:
    if isinstance(error, ModelError):
        return ModelLoadError(error.message, remedy=error.remedy)
    told = ModelLoadError(
        f"{name}: the model cannot be loaded: {type(error).__name__}: {error}",
        remedy="free memory, or try --device cpu; `vscan doctor` says what is installed",
    )
    told.__cause__ = error
    return told


def unloaded_encoder(
    model: str | None = None,
    *,
    weights: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    compute: Compute | None = None,
) -> LoadingEncoder:
    """The model that `load_encoder` would load, not loaded yet: `start` it when it is needed.

    compute: where another machine will run it: what that one chose, not what this one would.
    Raises ModelError at once where the model is unknown, its weights are absent or not those
    expected, or the device cannot do what was asked; what else ails them is raised by its use.
    """
    files = model_files(model, weights)
    return LoadingEncoder(files, choose_compute(device, precision) if compute is None else compute)
