"""What PDQ costs beside the decoding that it rides on."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vscan.hashes.pdq import pdq_dihedral

SEED = 7
FRAMES = 60
SIZE = (1280, 720)


def measure() -> Iterator[tuple[str, str]]:
    """Rows: milliseconds a frame for decoding to RGB and for hashing, and their ratio."""
    import av

    width, height = SIZE
    rng = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "noise.mp4")
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=30)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for _ in range(FRAMES):
                coarse = rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
                frame = np.repeat(np.repeat(coarse, 16, 0), 16, 1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        decode_s, hash_s = 0.0, 0.0
        with av.open(path) as container:
            begun = time.process_time()
            for decoded in container.decode(video=0):
                rgb = np.asarray(decoded.to_ndarray(format="rgb24"), np.uint8)
                between = time.process_time()
                decode_s += between - begun
                pdq_dihedral(rgb)
                begun = time.process_time()
                hash_s += begun - between
    yield f"decode to RGB, CPU ms a frame ({width}x{height})", f"{1000 * decode_s / FRAMES:.1f}"
    yield "PDQ in eight forms, CPU ms a frame", f"{1000 * hash_s / FRAMES:.1f}"
    yield "hashing / decoding", f"{hash_s / decode_s:.2f}"
