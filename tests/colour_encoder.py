"""A tiny model for tests: sees a picture's mean colour, and reads the names of three colours."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vscan.media import ImageSpec

COLOURS = {
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "grey": (1.0, 1.0, 1.0),
}


class ColourEncoder:
    """Meets `vscan.embeddings.encoder.Encoder`, with vectors that can be told in advance.

    A picture's vector is the direction of its mean colour; a text's that of the colours it names.
    """

    name = "colours"
    fingerprint = "colours#sha256:" + "c" * 64
    dim = 3
    image_spec = ImageSpec(16, 16, "squash")
    logit_scale = 20.0
    device = "cpu"
    precision = "fp32"
    batch_size = 8
    batches_at_once = 1
    calls_at_once = 1

    def __init__(self) -> None:
        self.pictures = 0
        """Pictures seen so far."""
        self._lock = threading.Lock()

    def start(self) -> None:
        """There is nothing to load."""

    def encode_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, 16, 16, 3) pictures -> (N, 3) unit vectors."""
        with self._lock:
            self.pictures += len(images)
        return _unit(images.mean(axis=(1, 2)) + 1.0)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """N texts -> (N, 3) unit vectors. A text without a colour is a mistake of the test."""
        named = [[COLOURS[word] for word in text.split() if word in COLOURS] for text in texts]
        return _unit(np.array([np.mean(colours, axis=0) for colours in named]))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    units: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units.astype(np.float32)


def tinted(frame: NDArray[np.uint8], colour: str) -> NDArray[np.uint8]:
    """The (H, W, 3) frame's texture in one colour of COLOURS."""
    grey = frame.mean(axis=2, keepdims=True) * 0.6 + 90
    weights = np.array(COLOURS[colour]) * 0.85 + 0.15
    picture: NDArray[np.uint8] = np.clip(grey * weights, 0, 255).astype(np.uint8)
    return picture
