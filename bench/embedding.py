"""Images a second of the built-in model beside ViT-B-32 (random weights: the same work)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vscan.embeddings.encoder import Encoder
from vscan.embeddings.openclip import load_encoder

SEED = 7
SECONDS = 5.0


def images_a_second(encoder: Encoder) -> float:
    """Images encoded a second in full batches, over at least SECONDS."""
    spec = encoder.image_spec
    rng = np.random.default_rng(SEED)
    batch = rng.integers(0, 256, (encoder.batch_size, spec.height, spec.width, 3), np.uint8)
    encoder.encode_images(batch)
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS:
        encoder.encode_images(batch)
        done += len(batch)
    return done / (time.perf_counter() - begun)


def measure() -> Iterator[tuple[str, str]]:
    """Rows: images a second of both, precision, and the ratio."""
    import open_clip
    from safetensors.torch import save_file

    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.safetensors"
        save_file(open_clip.create_model("ViT-B-32").state_dict(), weights)
        large = load_encoder("ViT-B-32", weights=weights)
        small = load_encoder("builtin")
        large_rate, small_rate = images_a_second(large), images_a_second(small)
    yield f"built-in model, images/s ({small.precision} on {small.device})", f"{small_rate:.0f}"
    yield f"ViT-B-32, images/s ({large.precision} on {large.device})", f"{large_rate:.0f}"
    yield "built-in / ViT-B-32", f"{small_rate / large_rate:.1f}"
