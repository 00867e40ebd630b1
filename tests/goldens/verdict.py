"""One video with everything a verdict can hold, judged by a model that sees only colours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tests.colour_encoder import ColourEncoder, tinted
from tests.media_factory import Rgb, scene_frames, write_video
from vscan.decode.limits import ReadLimits
from vscan.embeddings.prompt_cache import PromptCache
from vscan.embeddings.prompts import pack_prompts
from vscan.exemplars.exemplar import Opinion
from vscan.exemplars.index import ExemplarIndex
from vscan.indexing import Label, add_exemplars, new_index
from vscan.matching.prompt_scores import PromptScorer
from vscan.policies import parse_pack
from vscan.recipe import Recipe
from vscan.rules import Rules
from vscan.sampling import parse_sampling
from vscan.scanning import Prepared, run_scan
from vscan.settings import ScanSettings
from vscan.sources import Source, find_sources
from vscan.verdicts import Provenance

GOLDEN = Path(__file__).parent / "verdict.json"
PACK = b"""\
schema = "vscan.pack/1"
name = "golden"
version = "1"
templates = ["{}"]
neutral = ["grey"]

[[policy]]
id = "warm.red"
title = "Red"
severity = "critical"
prompts = ["red", "red grey"]
contrast = ["green", "blue"]
[policy.thresholds]
review = 0.6
remove = 0.9

[[policy]]
id = "cold.green"
title = "Green"
severity = "low"
prompts = ["green"]
contrast = ["red", "blue"]
[policy.thresholds]
review = 0.6

[[policy]]
id = "hoax"
title = "A known clip"
severity = "high"
indexes = ["known"]
match_action = "escalate"
"""
BY_HASH = ScanSettings(signals=("pdq",), workers=1)
_MASKED = {"id", "sha256", "md5", "bytes", "exemplar", "vscan"}
"""What depends on the encoder that made the video, or changes with every release."""


def verdict_record(folder: Path) -> dict[str, Any]:
    """The record of that video, made in `folder`, with what may differ masked."""
    index = folder / "index"
    hoax, lawn = _scene(1, "grey"), _scene(2, "green")
    new_index(index, name="known", settings=BY_HASH)
    _know(index, _video(folder / "hoax.mp4", hoax), "hoax", "violating")
    _know(index, _video(folder / "lawn.mp4", lawn), "cold.green", "benign")
    mirrored = [np.ascontiguousarray(frame[:, ::-1]) for frame in hoax]
    frames = [*_scene(3, "grey")[:20], *mirrored, *_scene(4, "red")[:20], *lawn]
    path = _video(folder / "upload.mp4", frames)
    source = Source("uploads/upload.mp4", path, {"market": "DE", "views": 1200})
    (verdict,) = run_scan(_prepared(folder, ExemplarIndex.open(index)), [source])
    assert verdict is not None
    masked: dict[str, Any] = _masked(orjson.loads(verdict.to_line()))
    return masked


def _prepared(folder: Path, index: ExemplarIndex) -> Prepared:
    encoder = ColourEncoder()
    pack = parse_pack(PACK, file="golden.toml")
    prompts = pack_prompts(pack, encoder, cache=PromptCache(encoder.fingerprint, folder))
    signals = ("embedding", "pdq")
    return Prepared(
        recipe=Recipe(parse_sampling("fps:2"), signals, encoder.image_spec, encoder.fingerprint),
        rules=Rules(
            pack,
            PromptScorer(prompts),
            [index],
            Provenance(
                vscan="0",
                pack=pack.ref,
                model=encoder.fingerprint,
                precision="fp32 on cpu",
                sampling="fps:2",
                signals=signals,
                indexes={index.name: index.digest},
            ),
        ),
        encoder=encoder,
        workers=1,
        limits=ReadLimits(),
        notes=(),
    )


def _scene(seed: int, colour: str) -> list[Rgb]:
    frames = scene_frames(seed=seed, count=30, width=160, height=120, motion=3)
    return [tinted(frame, colour) for frame in frames]


def _video(path: Path, frames: list[Rgb]) -> Path:
    return write_video(path, frames, fps=10, options={"crf": "20", "threads": "1"})


def _know(index: Path, clip: Path, policy: str, opinion: Opinion) -> None:
    label = Label(policy=policy, opinion=opinion)
    (added,) = add_exemplars(index, find_sources([str(clip)]), label, settings=BY_HASH)
    assert added.status == "added"


def _masked(value: Any, key: str = "") -> Any:
    """Digests, ids and versions as `…`."""
    if isinstance(value, dict):
        return {name: _masked(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, key) for each in value]
    if key in _MASKED:
        return "…"
    if isinstance(value, str):
        digits = re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", value)
        return re.sub(r" [0-9.]+$", " …", digits) if key == "reader" else digits
    return value
