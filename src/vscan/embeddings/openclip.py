"""Loads open_clip models and encodes with them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vscan.embeddings.model_files import ModelFiles, model_files
from vscan.embeddings.network import build_network, build_tokenizer, embed_dim
from vscan.embeddings.precision import Compute, choose_compute
from vscan.embeddings.state_dict import load_state
from vscan.errors import ModelError
from vscan.media import ImageSpec

if TYPE_CHECKING:
    import torch

TEXT_BATCH = 16
GPU_BATCH = 64
CPU_BATCH_SMALL, CPU_BATCH_BASE, CPU_BATCH_LARGE = 64, 16, 8
"""On a CPU larger batches gain little beyond these, and the padding of a last one costs more."""


class OpenClipEncoder:
    """An open_clip model, loaded. See Encoder for the promises.

    Pictures are encoded on `device` in `precision`. Texts are few, and their vectors are kept, so
    the text tower stays in fp32 on the CPU: one prompt has one vector, wherever pictures run.
    """

    def __init__(self, files: ModelFiles, module: Any, compute: Compute) -> None:
        import torch

        self.files = files
        self.compute = compute
        self.name = files.name
        self.fingerprint = files.fingerprint
        self.image_spec: ImageSpec = files.preprocessing.image_spec
        self.device = compute.device
        self.precision = compute.precision
        self.logit_scale = float(module.logit_scale.detach().float().exp())
        self._dtype = {
            "fp32": torch.float32,
            "bf16": torch.bfloat16,
            "fp16": torch.float16,
        }[compute.precision]
        self._module = module
        self._module.visual.to(device=compute.device, dtype=self._dtype)
        self._mean, self._std = (
            torch.tensor(values, dtype=torch.float32, device=compute.device).view(1, 3, 1, 1)
            for values in (files.preprocessing.mean, files.preprocessing.std)
        )
        self._tokenizer: Any = None
        self._lock = threading.Lock()
        self.batch_size = _batch_size(compute.device, self._module.visual, self.image_spec)
        self.dim = embed_dim(files)

    def __repr__(self) -> str:
        return (
            f"OpenClipEncoder({self.fingerprint[: len(self.name) + 16]}…, {self.dim} dimensions,"
            f" {self.image_spec.width}x{self.image_spec.height}, {self.device}, {self.precision})"
        )

    def encode_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) RGB -> (N, D) unit vectors; see Encoder.encode_images."""
        import torch

        spec = self.image_spec
        if images.dtype != np.uint8 or images.shape[1:] != (spec.height, spec.width, 3):
            raise ValueError(
                f"{self.name} takes uint8 (N, {spec.height}, {spec.width}, 3),"
                f" got {images.dtype} {images.shape}"
            )
        vectors = np.empty((len(images), self.dim), np.float32)
        cudnn = torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        )
        with self._lock, torch.inference_mode(), cudnn:
            for at in range(0, len(images), self.batch_size):
                part = images[at : at + self.batch_size]
                batch = np.zeros((self.batch_size, *part.shape[1:]), np.uint8)
                batch[: len(part)] = part
                pixels = torch.from_numpy(batch).to(self.device).permute(0, 3, 1, 2).contiguous()
                inputs = (pixels.to(torch.float32).div(255) - self._mean) / self._std
                found = self._module.encode_image(inputs.to(self._dtype), normalize=False)
                vectors[at : at + len(part)] = _unit(found)[: len(part)]
        return self._finite(vectors)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """N texts -> (N, D) unit vectors; see Encoder.encode_texts."""
        import torch

        vectors = np.empty((len(texts), self.dim), np.float32)
        with self._lock, torch.inference_mode():
            if self._tokenizer is None:
                self._tokenizer = build_tokenizer(self.files)
            for at in range(0, len(texts), TEXT_BATCH):
                part = list(texts[at : at + TEXT_BATCH])
                tokens = self._tokenizer(part + [""] * (TEXT_BATCH - len(part)))
                found = self._module.encode_text(tokens, normalize=False)
                vectors[at : at + len(part)] = _unit(found)[: len(part)]
        return self._finite(vectors)

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
    files = model_files(model, weights)
    compute = choose_compute(device, precision)
    _ = files.fingerprint
    module = build_network(files)
    load_state(module, files.weights, files.architecture)
    return OpenClipEncoder(files, module.eval().requires_grad_(False), compute)


def _unit(vectors: torch.Tensor) -> NDArray[np.float32]:
    import torch

    units = torch.nn.functional.normalize(vectors.to(torch.float32), dim=-1)
    array: NDArray[np.float32] = units.cpu().numpy()
    return array


def _batch_size(device: str, visual: Any, spec: ImageSpec) -> int:
    if device != "cpu":
        return GPU_BATCH
    if spec.width * spec.height <= 128 * 128:
        return CPU_BATCH_SMALL
    parameters = sum(int(parameter.numel()) for parameter in visual.parameters())
    return CPU_BATCH_BASE if parameters < 150e6 else CPU_BATCH_LARGE
