"""An encoder whose work is timed."""

from __future__ import annotations

from vscan.embeddings.lanes import Images, Vectors
from vscan.embeddings.loading import LoadingEncoder
from vscan.engines.batching import ImageEncoder
from vscan.timings import Timings


class TimedEncoder:
    """Another encoder's vectors, and what they cost told to `timings`."""

    def __init__(
        self, encoder: ImageEncoder, timings: Timings, loading: LoadingEncoder | None = None
    ) -> None:
        """loading: the encoder, where it may have to be loaded first."""
        self._encoder = encoder
        self._timings = timings
        self._loading = loading

    @property
    def batch_size(self) -> int:
        """As of the encoder; it is loaded then."""
        size = self._encoder.batch_size
        loading, self._loading = self._loading, None
        if loading is not None:
            self._timings.add({"loading": loading.loading_s})
        return size

    @property
    def batches_at_once(self) -> int:
        """As of the encoder."""
        return self._encoder.batches_at_once

    @property
    def calls_at_once(self) -> int:
        """As of the encoder."""
        return self._encoder.calls_at_once

    def encode_images(self, images: Images) -> Vectors:
        """(N, H, W, 3) pictures to (N, D) unit vectors, and errors, as of the encoder."""
        with self._timings.of_model():
            return self._encoder.encode_images(images)
