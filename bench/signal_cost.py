"""What hashes and keypoints add to a scan that embeds: CPU seconds beside ViT-B/32 at fps:1.

The index holds 10 000 exemplar frames of which nothing comes back in the videos, so that only the
looking is paid for. Weights are random: the same work. `VSCAN_CORPUS` names a folder of videos.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.scenery import drawn_scenery
from vscan.exemplars.exemplar import Exemplar, exemplar_id
from vscan.exemplars.manifest import IndexModel
from vscan.exemplars.writer import IndexWriter, create_index
from vscan.hashes.keypoints import DESCRIPTOR_BYTES, EXEMPLAR_FEATURES, find_keypoints
from vscan.indexing import search_index
from vscan.scanning.models_used import load_model
from vscan.settings import ScanSettings
from vscan.sources import Source, find_sources
from vscan.tracks import Track

SEED = 7
FRAMES = 10_000
FRAMES_EACH = 50
SCENES = 100
STEP_S = 0.5
STEPS: dict[str, tuple[str, ...]] = {
    "embedding": ("embedding",),
    "and hashes": ("embedding", "pdq"),
    "and keypoints": ("embedding", "pdq", "keypoints"),
}


def measure() -> Iterator[tuple[str, str]]:
    """Rows: CPU seconds of a search with each further signal, and what it adds to the first."""
    corpus = os.environ.get("VSCAN_CORPUS")
    if corpus is None:
        yield "signal cost", "not measured: VSCAN_CORPUS names no folder of videos"
        return
    folders = [str(Path(corpus) / "plain"), str(Path(corpus) / "near-duplicates")]
    sources = [each for each in find_sources(folders) if isinstance(each, Source)]
    with tempfile.TemporaryDirectory() as folder:
        settings = _random_weights(Path(folder))
        yield from _compared(Path(folder), settings, sources)


def _compared(
    folder: Path, settings: ScanSettings, sources: Sequence[Source]
) -> Iterator[tuple[str, str]]:
    encoder = load_model(settings)
    model = IndexModel(
        name=encoder.name,
        fingerprint=encoder.fingerprint,
        dim=encoder.dim,
        match_similarity=0.999,
    )
    spent = {}
    for name, signals in STEPS.items():
        path = folder / name.replace(" ", "-")
        _index(path, model, signals)
        # Opening the index and the model is paid once for however many videos: not counted.
        opening_s = _cpu_s(path, sources[:1], settings)
        spent[name] = _cpu_s(path, sources, settings) - opening_s
        yield f"{name}, CPU s", f"{spent[name]:.1f}"
    base = spent["embedding"]
    yield "hashes add to the scan", f"{spent['and hashes'] / base - 1:.0%} (at most 10%)"
    added = (spent["and keypoints"] - spent["and hashes"]) / base
    yield "keypoints add to the scan", f"{added:.0%} (at most 50%)"


def _cpu_s(path: Path, sources: Sequence[Source], settings: ScanSettings) -> float:
    """CPU seconds of this process and its readers for one search, opening included."""
    before = _used_s()
    for searched in search_index(path, sources, settings=settings):
        if searched.error is None and searched.matches:
            raise AssertionError(f"{searched.uri} was meant to match nothing: {searched.matches}")
    return _used_s() - before


def _used_s() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def _random_weights(folder: Path) -> ScanSettings:
    import open_clip
    from safetensors.torch import save_file

    weights = folder / "random.safetensors"
    save_file(open_clip.create_model("ViT-B-32").state_dict(), weights)
    return ScanSettings(model="ViT-B-32", weights=str(weights), workers=2)


def _index(path: Path, model: IndexModel, signals: tuple[str, ...]) -> None:
    """FRAMES exemplar frames: random hashes and vectors, features of drawn sceneries that differ
    in some bits each time, so that they lie as those of videos do."""
    rng = np.random.default_rng(SEED)
    drawn = [
        find_keypoints(drawn_scenery(seed), "exemplar", EXEMPLAR_FEATURES) for seed in range(SCENES)
    ]
    create_index(path, name="known", model=model, signals=signals)
    times_s = np.arange(FRAMES_EACH) * STEP_S
    with IndexWriter(path) as writer:
        made = []
        for number in range(FRAMES // FRAMES_EACH):
            sha256 = f"{number:064x}"
            exemplar = Exemplar(
                id=exemplar_id(sha256),
                source=f"{number}.mp4",
                sha256=sha256,
                policy="bench.known",
                opinion="violating",
                added_at="2026-01-01T00:00:00Z",
                duration_s=FRAMES_EACH * STEP_S,
            )
            made.append((exemplar, _tracks(rng, model.dim, drawn, times_s, signals)))
        writer.change(add=made)


def _tracks(
    rng: np.random.Generator,
    dim: int,
    drawn: list[np.ndarray],
    times_s: np.ndarray,
    signals: tuple[str, ...],
) -> dict[str, Track]:
    count = len(times_s)
    vectors = rng.normal(size=(count, dim))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hashes = rng.integers(0, 256, (count, 32), np.uint8)
    quality = np.full(count, 90, np.uint8)
    tracks = {
        "embedding": Track("embedding", times_s, vectors.astype(np.float16)),
        "pdq": Track("pdq", times_s, hashes, quality),
    }
    if "keypoints" in signals:
        slots = np.stack([drawn[k] for k in rng.integers(0, len(drawn), count)])
        noise = rng.random((*slots.shape[:2], DESCRIPTOR_BYTES * 8)) < 0.25
        slots[:, :, :DESCRIPTOR_BYTES] ^= np.packbits(noise, axis=2)
        tracks["keypoints"] = Track("keypoints", times_s, slots.reshape(count, -1))
    return {signal: track for signal, track in tracks.items() if signal in signals}
