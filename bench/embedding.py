"""Images a second of the models beside the network alone, and seconds to the first vector."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from vscan.embeddings.encoder import Encoder
from vscan.embeddings.openclip import OpenClipEncoder, load_encoder

SEED = 7
SECONDS = 5.0
STARTS = 3
OURS = """
import sys, numpy as np
from pathlib import Path
from vscan.embeddings.openclip import load_encoder
encoder = load_encoder("ViT-B-32", weights=Path(sys.argv[1]))
encoder.encode_images(np.zeros((1, 224, 224, 3), np.uint8))
"""
WHOLE = """
import sys, torch, open_clip
model, _, _ = open_clip.create_model_and_transforms("ViT-B-32", pretrained=sys.argv[1])
with torch.inference_mode():
    model.eval().encode_image(torch.zeros(1, 3, 224, 224))
"""
"""What vscan would be replaced with: nothing hashed or checked, fp32 on the CPU."""


def images_a_second(encode: Callable[[], int]) -> float:
    """Images encoded a second, over at least SECONDS; `encode` returns how many it did."""
    encode()
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS:
        done += encode()
    return done / (time.perf_counter() - begun)


def _in_batches(encoder: Encoder) -> Callable[[], int]:
    spec, count = encoder.image_spec, 4 * encoder.batch_size * encoder.calls_at_once
    rng = np.random.default_rng(SEED)
    images = rng.integers(0, 256, (count, spec.height, spec.width, 3), np.uint8)
    return lambda: len(encoder.encode_images(images))


def _network_alone(encoder: OpenClipEncoder) -> Callable[[], int]:
    """The same network on one batch that lies on the device already."""
    import torch

    device = torch.device(encoder.device)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    spec, generator = encoder.image_spec, torch.Generator().manual_seed(SEED)
    shape = (encoder.batch_size, 3, spec.height, spec.width)
    pictures = torch.randn(shape, generator=generator).to(device, dtype[encoder.precision])

    def encode() -> int:
        with torch.inference_mode():
            encoder.network.encode_image(pictures)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
        return len(pictures)

    return encode


def _first_vector_s(program: str, weights: Path) -> float:
    """Median wall seconds from the start of Python to the first vector, the files being cached."""
    taken = []
    for _ in range(STARTS + 1):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", program, str(weights)], check=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def measure() -> Iterator[tuple[str, str]]:
    """Rows: images a second, against the network alone; seconds to the first vector."""
    import open_clip
    from safetensors.torch import save_file

    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.safetensors"
        save_file(open_clip.create_model("ViT-B-32").state_dict(), weights)
        large = load_encoder("ViT-B-32", weights=weights)
        small = load_encoder("builtin")
        large_rate, small_rate = (images_a_second(_in_batches(e)) for e in (large, small))
        alone = images_a_second(_network_alone(large))
        ours_s, whole_s = (_first_vector_s(program, weights) for program in (OURS, WHOLE))
    how = f"{large.precision} on {large.device}, {large.batch_size} at once"
    yield f"built-in model, images/s ({small.precision} on {small.device})", f"{small_rate:.0f}"
    yield f"ViT-B-32, images/s ({how})", f"{large_rate:.1f}"
    yield "built-in / ViT-B-32", f"{small_rate / large_rate:.1f}"
    yield "ViT-B-32 / its network alone", f"{large_rate / alone:.2f}"
    yield "Python to the first vector of ViT-B-32", f"{ours_s:.1f} s"
    yield "the same with open_clip's own loading", f"{whole_s:.1f} s"
