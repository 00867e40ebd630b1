"""Images a second of the built-in model against ViT-B-32 with random weights, in the same run."""

from __future__ import annotations

import time
from typing import Any

import torch

from training.builtin import network

BATCH, SECONDS = 16, 3.0


@torch.no_grad()
def _rate(model: Any, side: int) -> float:
    images = torch.randn(BATCH, 3, side, side)
    model.encode_image(images)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        model.encode_image(images)
        count += BATCH
    return round(count / (time.perf_counter() - start), 1)


def images_per_second() -> dict[str, Any]:
    """Return forward passes of both networks in fp32 on this machine's CPU; reported, not gated."""
    import open_clip

    small = network.Learner(1).clip.eval().to(memory_format=torch.contiguous_format)
    large = open_clip.create_model("ViT-B-32", pretrained=None).eval()
    one, other = _rate(small, 64), _rate(large, 224)
    return {
        "threads": torch.get_num_threads(),
        "builtin_64px": one,
        "vit_b_32_random_weights_224px": other,
        "ratio": round(one / other, 1),
    }
