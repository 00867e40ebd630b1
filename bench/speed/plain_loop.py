"""The loop that everybody writes: decord, open_clip in fp32, one video at a time.

A program of its own (see processes.py); of vscan it knows nothing.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from bench.speed.processes import answer
from bench.speed.usage import Meter


def run(request: dict[str, Any]) -> dict[str, Any]:
    """The first frame at or after every `step_s` of each of `paths`, embedded.

    request: paths, model, weights (safetensors), device, step_s, and vectors: a file to write the
    vectors and times of every frame to, or None.
    """
    begun = time.perf_counter()
    import numpy as np
    import open_clip
    import torch
    from decord import VideoReader, cpu
    from PIL import Image
    from safetensors.torch import load_file

    device = request["device"]
    model, _, preprocess = open_clip.create_model_and_transforms(
        request["model"], load_weights=False
    )
    model.load_state_dict(load_file(request["weights"]))
    model = model.eval().to(device)
    with torch.no_grad():
        blank = preprocess(Image.new("RGB", (320, 240)))
        model.encode_image(blank.unsqueeze(0).to(device))
    start_s = time.perf_counter() - begun

    meter = Meter()
    decode_s, found, frames = 0.0, [], 0
    for path in request["paths"]:
        at = time.perf_counter()
        video = VideoReader(path, ctx=cpu(0))
        rate = video.get_avg_fps()
        wanted = np.ceil(np.arange(0, len(video), rate * request["step_s"]) - 1e-6).astype(int)
        wanted = wanted[wanted < len(video)]
        pictures = video.get_batch(wanted.tolist()).asnumpy()
        decode_s += time.perf_counter() - at
        batch = torch.stack([preprocess(Image.fromarray(picture)) for picture in pictures])
        with torch.no_grad():
            vectors = model.encode_image(batch.to(device))
            vectors = torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy()
        found.append((wanted / rate, vectors))
        frames += len(wanted)
    spent = meter.spent()
    if request["vectors"]:
        named = {f"times-{k}": times for k, (times, _) in enumerate(found)}
        named |= {f"vectors-{k}": vectors for k, (_, vectors) in enumerate(found)}
        np.savez(request["vectors"], **named)
    return {
        "wall_s": spent.wall_s,
        "cpu_s": spent.cpu_s,
        "decode_wall_s": decode_s,
        "frames": frames,
        "start_s": start_s,
        "precision": f"fp32 on {device}",
    }


if __name__ == "__main__":
    sys.exit(answer(run))
