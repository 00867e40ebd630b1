"""What reading alone and embedding alone cost, for the limit. A program of its own (processes.py).

Both run with as many processes or threads as a scan has, so that they meet the machine as a scan
does: two hardware threads of one core are slower together than one after the other.
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.speed.processes import answer
from bench.speed.usage import Meter, Spent

if TYPE_CHECKING:
    from vscan.embeddings.encoder import Encoder
    from vscan.scanning import Prepared

LEAST_BATCHES = 8


def run(request: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds of reading `paths` as a scan with `settings` asks for them, the pictures dropped,
    and of embedding as many pictures."""
    from bench.speed.vscan_run import settings_of
    from vscan.scanning import prepare

    prepared = prepare(settings_of(request["settings"]))
    assert prepared.encoder is not None
    frames, reading = _read(prepared, request["paths"])
    picture_s = _embedded(prepared.encoder, frames)
    return {
        "frames": frames,
        "read_cpu_s": reading.children_cpu_s,
        "read_wall_s": reading.wall_s,
        "embed_cpu_s": picture_s[0] * frames,
        "embed_wall_s": picture_s[1] * frames,
    }


def _read(prepared: Prepared, paths: list[str]) -> tuple[int, Spent]:
    """Samples read, and what that took: of the first request of the plan, with no model."""
    from bench.speed.warm_start import tiny_clips
    from vscan.decode.workers import ReaderPool
    from vscan.sampling import GapsRequest, Known

    recipe = prepared.recipe
    with (
        tempfile.TemporaryDirectory() as folder,
        ReaderPool(prepared.workers, prepared.limits) as pool,
        ThreadPoolExecutor(prepared.workers) as threads,
    ):

        def read(path: Path) -> int:
            with pool.session(path) as session:
                request = recipe.plan.next_request(Known(session.info.duration_s))
                assert request is not None and not isinstance(request, GapsRequest)
                return sum(len(batch) for batch in session.read(request, recipe.measure))

        list(threads.map(read, tiny_clips(Path(folder), prepared.workers)))
        meter = Meter()
        frames = sum(threads.map(read, map(Path, paths)))
        pool.close()
        return frames, meter.spent()


def _embedded(encoder: Encoder, frames: int) -> tuple[float, float]:
    """CPU and wall seconds for one picture, in full batches of noise."""
    import numpy as np

    spec, size = encoder.image_spec, encoder.batch_size * encoder.calls_at_once
    shape = (size, spec.height, spec.width, 3)
    batch = np.random.default_rng(7).integers(0, 256, shape, np.uint8)
    encoder.encode_images(batch)
    count = max(LEAST_BATCHES, round(frames / size))
    meter = Meter()
    for _ in range(count):
        encoder.encode_images(batch)
    spent = meter.spent()
    return spent.own_cpu_s / (count * size), spent.wall_s / (count * size)


if __name__ == "__main__":
    sys.exit(answer(run))
