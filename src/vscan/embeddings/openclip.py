"""Loads open_clip models and encodes with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.embeddings.batch_sizes import batch_size_for
from vscan.embeddings.lanes import Lanes, computing_with, library_threads
from vscan.embeddings.model_files import ModelFiles, model_files
from vscan.embeddings.network import build_network, build_tokenizer, embed_dim
from vscan.embeddings.picture_tower import PictureTower
from vscan.embeddings.precision import Compute, choose_compute
from vscan.embeddings.state_dict import load_state
from vscan.errors import ModelError
from vscan.media import ImageSpec

TEXT_BATCH = 16
GPU_BATCHES = 4
"""Handed over together, all but the first are copied while the one before is computed."""


class OpenClipEncoder:
    """An open_clip model, loaded. See Encoder for the promises.

    Pictures are encoded on `device` in `precision`. Texts are few, and their vectors are kept, so
    the text tower stays in fp32 on the CPU: one prompt has one vector, wherever pictures run.
    """

    def __init__(self, files: ModelFiles, module: Any, compute: Compute) -> None:
        self.files = files
        self.compute = compute
        self.name = files.name
        self.fingerprint = files.fingerprint
        self.image_spec: ImageSpec = files.preprocessing.image_spec
        self.device = compute.device
        self.precision = compute.precision
        self.logit_scale = float(module.logit_scale.detach().float().exp())
        self.dim = embed_dim(files)
        self.network = module
        """open_clip's module: pictures' tower on `device`, texts' on the CPU."""
        self._tokenizer: Any = None
        self._lock = threading.Lock()
        self._pictures = PictureTower(module, files.preprocessing, compute)
        self.batch_size = batch_size_for(self._pictures, self.fingerprint, self.dim)
        self.batches_at_once = GPU_BATCHES if self._pictures.on_gpu else 1
        self.calls_at_once = library_threads() if self.device == "cpu" else 1
        self._lanes = Lanes(self.calls_at_once, self._encoded)

    def __repr__(self) -> str:
        return (
            f"OpenClipEncoder({self.fingerprint[: len(self.name) + 16]}…, {self.dim} dimensions,"
            f" {self.image_spec.width}x{self.image_spec.height}, {self.device}, {self.precision})"
        )

    def encode_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) RGB -> (N, D) unit vectors; see Encoder.encode_images."""
        spec = self.image_spec
        if images.dtype != np.uint8 or images.shape[1:] != (spec.height, spec.width, 3):
            raise ValueError(
                f"{self.name} takes uint8 (N, {spec.height}, {spec.width}, 3),"
                f" got {images.dtype} {images.shape}"
            )
        if self.device != "cpu":
            with self._lock, self._memory_errors():
                return self._finite(self._encoded(images))
        size = self.batch_size
        batches = [images[at : at + size] for at in range(0, len(images), size)]
        none = np.empty((0, self.dim), np.float32)
        return self._finite(np.concatenate([none, *self._lanes.run(batches)]))

    def _encoded(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._pictures.vectors(images, self.batch_size, self.dim)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """N texts -> (N, D) unit vectors; see Encoder.encode_texts."""
        import torch

        vectors = np.empty((len(texts), self.dim), np.float32)
        with self._lock, torch.inference_mode(), computing_with(library_threads()):
            if self._tokenizer is None:
                self._tokenizer = build_tokenizer(self.files)
            for at in range(0, len(texts), TEXT_BATCH):
                part = list(texts[at : at + TEXT_BATCH])
                tokens = self._tokenizer(part + [""] * (TEXT_BATCH - len(part)))
                found = self.network.encode_text(tokens, normalize=False)
                units = torch.nn.functional.normalize(found.to(torch.float32), dim=-1)
                vectors[at : at + len(part)] = units[: len(part)].numpy()
        return self._finite(vectors)

    @contextmanager
    def _memory_errors(self) -> Iterator[None]:
        import torch

        try:
            yield
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"{self.name}: the memory of {self.device} ran out at {self.batch_size} pictures"
                " at once, which fitted when the model was loaded",
                remedy="end other programs that use it and run again, or use --device cpu",
            ) from error

    def _finite(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        if not np.isfinite(vectors).all():
            raise ModelError(
                f"{self.name} on {self.device} in {self.precision} gave vectors that are not"
                " finite numbers",
                remedy="try --precision fp32; if it stays, the weights are damaged",
            )
        return vectors


def load_encoder(
    model: str | None = None,
    *,
    weights: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> OpenClipEncoder:
    """Load the model that `--model`, `--weights`, `--device` and `--precision` name.

    Never downloads. Raises ModelError where the model is unknown, its weights are absent, damaged
    or of another architecture, or the device cannot do what was asked.
    """
    return load_files(model_files(model, weights), choose_compute(device, precision))


def load_files(files: ModelFiles, compute: Compute) -> OpenClipEncoder:
    """The model of these files on that device. Raises ModelError as `load_encoder` does."""
    _ = files.fingerprint
    module = build_network(files)
    load_state(module, files.weights, files.architecture)
    return OpenClipEncoder(files, module.eval().requires_grad_(False), compute)
