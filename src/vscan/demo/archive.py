"""An archive of drawn videos whose truth is known: for thresholds, figures and picks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from vscan.demo.scenes import FPS, Scene, play
from vscan.demo.story import write_video
from vscan.embeddings import builtin
from vscan.errors import UsageError
from vscan.storage import output_error

SUBJECT = "weapons"
"""The policy that a third of the videos are about, so that its figures rest on something."""
MARKETS = ("DE", "FR", "BR")
EVERY = 3
"""One of so many of a scene's frames is encoded: they are made to be scanned, not to be watched."""
_BEGINS = datetime(2026, 11, 2, tzinfo=UTC)
_DAYS = 28


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One video of the archive."""

    name: str
    scenes: tuple[Scene, ...]
    policies: frozenset[str]
    """Those whose pictograms it shows."""
    meta: dict[str, Any]


@dataclass(frozen=True)
class Archive:
    """What was written."""

    videos: int
    source_list: Path
    """For `vscan scan --from-file`: JSON lines with market, day of upload, views, and whether
    somebody had reported it."""
    truth: Path
    """Labels: for each video and policy whether it violates."""


def write_archive(folder: Path, videos: int, *, seed: int = 0) -> Archive:
    """Draw so many videos into `folder/videos`, with their list and the truth about them.

    The same number and seed always make the same archive. Raises UsageError for less than one
    video and for a folder that holds something, OutputError where it cannot be written.
    """
    if videos < 1:
        raise UsageError(f"an archive of {videos} videos", remedy="give 1 or more")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: holds other files", remedy="name an empty or new folder")
    policies = sorted({sprite.policy for sprite in builtin.sprites() if sprite.policy})
    made = Archive(videos, folder / "list.jsonl", folder / "truth.jsonl")
    listed, truth = [], []
    try:
        for drawn in drawn_videos(videos, seed):
            path = folder / "videos" / drawn.name
            write_video(path, islice(play(drawn.scenes), None, None, EVERY), fps=FPS // EVERY)
            listed.append({"uri": str(path), **drawn.meta})
            truth += [
                {
                    "source": str(path),
                    "policy": policy,
                    "label": "violating" if policy in drawn.policies else "benign",
                }
                for policy in policies
            ]
        for file, lines in ((made.source_list, listed), (made.truth, truth)):
            file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    except OSError as error:
        raise output_error(folder, error) from error
    return made


def drawn_videos(count: int, seed: int) -> Iterator[Drawn]:
    """What each video shows: two scenes, one of which may be of a policy, large or small."""
    rng = np.random.default_rng(seed)
    sprites = list(builtin.sprites())
    benign = [each.name for each in sprites if not each.policy]
    subject = [each.name for each in sprites if each.policy == SUBJECT]
    others = [each for each in sprites if each.policy and each.policy != SUBJECT]
    for number in range(count):
        kind = rng.choice(("subject", "other", "benign"), p=(0.35, 0.25, 0.4))
        policies = frozenset[str]()
        shown = str(rng.choice(benign))
        if kind == "subject":
            shown, policies = str(rng.choice(subject)), frozenset((SUBJECT,))
        elif kind == "other":
            other = others[int(rng.integers(len(others)))]
            shown, policies = other.name, frozenset((other.policy or "",))
        # Small pictograms are hard to name: their scores come to lie on both sides of a threshold.
        size = float(rng.uniform(0.12, 0.6))
        place = int(rng.integers(2**31))
        scenes = [
            Scene(2.0, (str(rng.choice(benign)),), seed=place),
            Scene(2.0, (shown,), seed=place + 1, size=size),
        ]
        yield Drawn(
            name=f"{number:05}.mp4",
            scenes=tuple(scenes),
            policies=policies,
            meta={
                "market": str(rng.choice(MARKETS, p=(0.5, 0.3, 0.2))),
                "uploaded_at": (
                    _BEGINS + timedelta(days=math.floor(rng.uniform(0, _DAYS)))
                ).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "views": round(math.exp(rng.normal(6.0, 1.5))),
                "reported": bool(policies) and bool(rng.random() < 0.2),
            },
        )
