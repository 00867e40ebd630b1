"""How often the demo pack fires on frames of real videos, which the model was not made for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.builtin.scoring import Scorer

Pixels = npt.NDArray[np.uint8]
PER_SECOND = 4.0
SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")


def frames(path: Path, per_second: float = PER_SECOND) -> Iterator[Pixels]:
    """Yield RGB frames at or after each target time; what cannot be decoded is left out."""
    import av

    target = 0.0
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in decoded:
                if frame.time is not None and frame.time >= target:
                    target = frame.time + 1 / per_second
                    yield frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def fired(scorer: Scorer, folder: Path) -> dict[str, Any]:
    """Return the share of frames on which each policy reaches its review threshold."""
    videos = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    rows = [scorer.embed(list(frames(video))) for video in videos]
    vectors = np.concatenate(rows)
    shares = {}
    for policy in scorer.pack.policies:
        scores = scorer.policy(vectors, policy)
        limit = policy.thresholds.review or 1.0
        shares[policy.id] = round(float((scores >= limit).mean()), 4)
    return {"videos": len(videos), "frames": len(vectors), "fired": shares}
