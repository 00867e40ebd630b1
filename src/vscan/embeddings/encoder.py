"""What vscan asks of any model: pictures and texts in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vscan.media import ImageSpec


class Encoder(Protocol):
    """A CLIP-like model (Radford et al. 2021, arXiv:2103.00020), loaded and ready.

    A vector does not depend on what else was in its batch: every call is cut and padded to one
    batch shape per model and device, and on a CPU each batch is computed by one thread. Calls may
    come from several threads; `calls_at_once` of them are served side by side.
    """

    @property
    def name(self) -> str:
        """`builtin`, a name of the registry, or the open_clip architecture of a local file."""
        ...

    @property
    def fingerprint(self) -> str:
        """`name#sha256:…` over weights, preprocessing and architecture: the record's `model`.

        Vectors may be compared only where the part after `#` is the same.
        """
        ...

    @property
    def dim(self) -> int:
        """D, numbers in a vector."""
        ...

    @property
    def image_spec(self) -> ImageSpec:
        """The picture that `encode_images` takes; the reader process makes it of every frame."""
        ...

    @property
    def logit_scale(self) -> float:
        """The factor on a cosine before a softmax: 1 / temperature, as trained."""
        ...

    @property
    def device(self) -> str:
        """`cpu`, `cuda`, `cuda:1`, `mps`: where pictures are encoded."""
        ...

    @property
    def precision(self) -> str:
        """`fp32`, `bf16` or `fp16`: how pictures are encoded."""
        ...

    @property
    def batch_size(self) -> int:
        """Pictures in one pass; fewer are padded, so multiples of this waste nothing."""
        ...

    @property
    def batches_at_once(self) -> int:
        """Batches that are best handed over together: more than one where copies run beside."""
        ...

    @property
    def calls_at_once(self) -> int:
        """Threads that keep it busy where each encodes a batch: on a CPU as many as cores. A call
        with several batches shares them out itself."""
        ...

    def encode_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) RGB 0..255 in the size of `image_spec` -> (N, D) unit vectors.

        Raises ValueError where the shape or type is another, ModelError where the model gives
        vectors that are not finite.
        """
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """N texts -> (N, D) unit vectors; texts longer than the model's context are cut there.

        Raises ModelError where the model's tokenizer is not there.
        """
        ...
