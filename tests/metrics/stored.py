"""A frame store of made-up videos whose prompt scores a test chooses, and packs that judge them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vscan.digests import Digests
from vscan.embeddings.prompt_cache import PromptCache
from vscan.media import ReadReport, VideoInfo
from vscan.store.frames import FrameStore, Reading
from vscan.store.source_records import StoredSource
from vscan.store.specs import TrackSpec
from vscan.tracks import Track
from vscan.verdicts import ErrorRecord

MODEL = "made#sha256:" + "5" * 64
SCALE = 10.0
PROMPTS = ("a cigarette", "a beer", "a knife")
NEUTRAL = "nothing"
TEMPLATES = ("{}",)
SPEC = TrackSpec(
    "embedding",
    {"readers": "none", "sampling": "fps:1", "model": MODEL, "precision": "fp32 on cpu"},
)
PDQ = TrackSpec("pdq", {"readers": "none", "sampling": "fps:1", "hash": "made"})
POLICY = """
[[policy]]
id = "{id}"
title = "{id}"
severity = "medium"
prompts = ["{prompt}"]
{more}
[policy.thresholds]
{thresholds}
"""


def pack(path: Path, *policies: tuple[str, str, str], version: str = "1", more: str = "") -> str:
    """A pack of policies (id, prompt, thresholds) as a file; its path. more: keys of each."""
    head = f'schema = "vscan.pack/1"\nname = "made"\nversion = "{version}"\n'
    head += f'templates = ["{TEMPLATES[0]}"]\nneutral = ["{NEUTRAL}"]\n'
    told = [
        POLICY.format(id=name, prompt=prompt, thresholds=thresholds, more=more)
        for name, prompt, thresholds in policies
    ]
    path.write_text(head + "".join(told), "utf-8")
    return str(path)


def keep_prompts() -> None:
    """Puts the prompts' vectors where a scan would have kept them."""
    cache = PromptCache(MODEL)
    for at, prompt in enumerate((NEUTRAL, *PROMPTS)):
        cache.put(TEMPLATES, prompt, np.eye(8, dtype=np.float32)[at], SCALE)


def frame(prompt: str, score: float) -> NDArray[np.float64]:
    """(8,) a unit vector that scores about `score` on that prompt against the neutral one."""
    apart = math.log(score / (1 - score)) / SCALE
    angle = math.pi / 4 + math.asin(apart / math.sqrt(2))
    axes = np.eye(8)
    found: NDArray[np.float64] = (
        math.cos(angle) * axes[0] + math.sin(angle) * axes[1 + PROMPTS.index(prompt)]
    )
    return found


def sha256_of(name: str) -> str:
    """The SHA-256 of the content of that name."""
    return hashlib.sha256(name.encode()).hexdigest()


@dataclass(frozen=True)
class Archive:
    """A store that videos are put into."""

    store: FrameStore

    @classmethod
    def at(cls, folder: Path) -> Archive:
        """An empty one in that folder."""
        keep_prompts()
        return cls(FrameStore.open(folder, create=True))

    def add(
        self, uri: str, prompt: str = PROMPTS[0], scores: Sequence[float] = (),
        *, content: str | None = None, signal: str = "embedding", sampling: str = "fps:1",
        model: str = MODEL, meta: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """A video of a frame a second: `scores` on that prompt, then five frames of nothing.

        signal: `pdq` for one of which no embedding was measured. sampling, model, meta: what its
        record says.
        """
        count = len(scores) + 5
        vectors = np.tile(np.eye(8)[0], (count, 1))
        for at, score in enumerate(scores):
            vectors[at] = frame(prompt, score)
        times_s = np.arange(count, dtype=np.float64)
        info = VideoInfo("mp4", "h264", 640, 360, float(count))
        report = ReadReport(planned=count, read=count, end_s=float(count), reader="none")
        digests = Digests(sha256_of(content or uri), "0" * 32, 1000)
        spec = SPEC if signal == "embedding" else PDQ
        spec = TrackSpec(signal, {**spec.made_by, "sampling": sampling})
        if signal == "embedding":
            spec = TrackSpec(signal, {**spec.made_by, "model": model})
        track = (
            Track("embedding", times_s, vectors.astype(np.float16), spec={"model": model})
            if signal == "embedding"
            else Track("pdq", times_s, np.zeros((count, 256), np.uint8), np.zeros(count, np.uint8))
        )
        self.store.write(Reading(digests, info, report, times_s), track, spec)
        self.store.put_source(
            StoredSource(
                uri=uri, sha256=digests.sha256, md5=digests.md5, bytes=digests.bytes,
                meta={"market": "DE"} if meta is None else meta, info=info, report=report,
                tracks={signal: spec.key}, specs={signal: spec.made_by}, error=None,
            )
        )  # fmt: skip

    def add_error(self, uri: str) -> None:
        """A video that could not be read when it was scanned."""
        self.store.put_source(
            StoredSource(
                uri=uri, sha256=None, md5=None, bytes=None, meta={}, info=None, report=None,
                tracks={}, specs={}, error=ErrorRecord(code="decode_failed", message="no"),
            )
        )  # fmt: skip

    def damage(self, uri: str) -> None:
        """Turns one bit of a video's track."""
        path = self.track_of(uri)
        data = bytearray(path.read_bytes())
        data[-5] ^= 1
        path.write_bytes(data)

    def track_of(self, uri: str) -> Path:
        """The file of a video's track."""
        (path,) = Path(self.store.root).rglob(f"{sha256_of(uri)}-*.safetensors")
        return path
