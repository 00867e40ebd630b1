"""The peer of sparse decoding: PyAV walks every frame and converts one a second.

A program of its own (see processes.py); of vscan it knows nothing.
"""

from __future__ import annotations

import sys
from typing import Any

from bench.speed.processes import answer
from bench.speed.usage import Meter


def run(request: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds of decoding all of `paths`, and how many frames were converted."""
    import av

    meter, frames = Meter(), 0
    for path in request["paths"]:
        with av.open(path) as container:
            container.streams.video[0].thread_type = "AUTO"
            wanted_s = 0.0
            for frame in container.decode(video=0):
                if frame.time is not None and frame.time >= wanted_s - 1e-6:
                    frame.to_ndarray(format="rgb24")
                    frames, wanted_s = frames + 1, wanted_s + 1.0
    spent = meter.spent()
    return {"wall_s": spent.wall_s, "cpu_s": spent.cpu_s, "frames": frames}


if __name__ == "__main__":
    sys.exit(answer(run))
