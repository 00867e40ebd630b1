"""An encoder whose work is timed."""

from __future__ import annotations

from vscan.engines.batching import ImageEncoder, Images, Vectors
from vscan.timings import Timings


class TimedEncoder:
    """Another encoder's vectors, and what they cost told to `timings`."""

    def __init__(self, encoder: ImageEncoder, timings: Timings) -> None:
        self._encoder = encoder
        self._timings = timings

    @property
    def batch_size(self) -> int:
        """As of the encoder."""
        return self._encoder.batch_size

    @property
    def batches_at_once(self) -> int:
        """As of the encoder."""
        return self._encoder.batches_at_once

    def encode_images(self, images: Images) -> Vectors:
        """(N, H, W, 3) pictures to (N, D) unit vectors, and errors, as of the encoder."""
        with self._timings.of_model():
            return self._encoder.encode_images(images)
