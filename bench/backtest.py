"""How long a backtest of a stored archive takes, and where the time goes.

The store is made here: random unit vectors as embeddings, random hashes, and a small share of
videos that look like a prompt of the pack, so that something is flagged and some of it flips.
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

VIDEOS, FRAMES = 10_000, 20
SEED = 11
LIKE_A_PROMPT = 0.1
"""Share of the videos that show, for a few frames, something near a prompt of the pack."""
OLD = "baseline"
CHANGES = (("review = 0.85", "review = 0.45"), ("a person aiming", "somebody aiming"))
"""Of the pack's text, wherever it stands; the threshold is one that the made-up videos reach."""


def measure() -> Iterator[tuple[str, str]]:
    """Rows: the store, seconds in all, and the shares of reading, scoring, judging and writing."""
    from vscan.embeddings.openclip import load_encoder
    from vscan.embeddings.prompts import pack_prompts
    from vscan.policies import load_pack
    from vscan.shipped import locate

    encoder = load_encoder("builtin", weights=None, device="cpu", precision="fp32")
    pack = load_pack(OLD)
    prompts = pack_prompts(pack, encoder)
    with TemporaryDirectory(prefix="vscan-bench-") as name:
        folder = Path(name)
        text = locate("policies", OLD).read_text("utf-8")
        for before, after in CHANGES:
            if before not in text:
                raise ValueError(f"pack {OLD} does not say {before!r} any more")
            text = text.replace(before, after)
        new = folder / "changed.toml"
        new.write_text(text, "utf-8")
        pack_prompts(load_pack(str(new)), encoder)
        begun = time.perf_counter()
        looks = np.concatenate([each.vectors for each in prompts.policies])
        looks -= looks.mean(axis=0)  # what sets a prompt apart from the others
        fill_store(folder / "store", encoder.fingerprint, looks, videos=VIDEOS, frames=FRAMES)
        yield f"store of {VIDEOS:,} videos of {FRAMES} frames made, s", _told(begun)
        for what, pair in (("thresholds and a prompt", (OLD, str(new))), ("nothing", (OLD, OLD))):
            yield from _backtest(what, pair, folder)


def _backtest(what: str, packs: tuple[str, str], folder: Path) -> Iterator[tuple[str, str]]:
    from vscan import rules
    from vscan.matching.prompt_scores import PromptScorer
    from vscan.metrics.backtest.backtesting import BacktestSettings, prepare_backtest
    from vscan.settings import ScanSettings
    from vscan.store.frames import FrameStore

    clock: dict[str, float] = {"read": 0.0, "score": 0.0, "judge and score": 0.0, "write": 0.0}
    settings = BacktestSettings(old=packs[0], new=packs[1], sample=20)
    begun = time.perf_counter()
    with ExitStack() as stack:
        for place, name, share in (
            (FrameStore, "read", "read"),
            (PromptScorer, "score", "score"),
            (rules, "judge_source", "judge and score"),
        ):
            timed = _timed(getattr(place, name), clock, share)
            stack.enter_context(patch.object(place, name, timed))
        running = prepare_backtest(settings, ScanSettings(store=str(folder / "store")))
        prepared = time.perf_counter() - begun
        with (folder / "flips.jsonl").open("wb") as file:
            write = _timed(lambda flip: file.write(flip.to_line()), clock, "write")
            for _ in running.steps(write):
                pass
        report = running.report()
    total = time.perf_counter() - begun
    judged = clock["judge and score"] - clock["score"]
    shares = {
        "to prepare": prepared,
        "read tracks": clock["read"],
        "score": clock["score"],
        "judge": judged,
        "write flips": clock["write"],
    }
    shares["read records, compare, count"] = total - sum(shares.values())
    yield f"{what} changed: total, s ({os.cpu_count()} cores)", f"{total:.1f}"
    yield f"{what} changed: flips", f"{report.flips.total} of {report.sources.compared}"
    for name, seconds in shares.items():
        yield f"{what} changed: {name}", f"{seconds:.1f} s, {seconds / total:.0%}"


def _timed(call: Callable[..., Any], clock: dict[str, float], share: str) -> Callable[..., Any]:
    @functools.wraps(call)
    def timed(*arguments: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        try:
            return call(*arguments, **named)
        finally:
            clock[share] += time.perf_counter() - begun

    return timed


def _told(begun: float) -> str:
    return f"{time.perf_counter() - begun:.1f}"


def fill_store(
    where: Path, model: str, looks: NDArray[np.float32], *, videos: int, frames: int
) -> None:
    """A frame store of made-up videos of one frame a second.

    model: fingerprint that the embeddings carry. looks: (P, D) directions that some of them show.
    """
    from vscan.digests import Digests
    from vscan.media import ReadReport, VideoInfo
    from vscan.store.frames import FrameStore, Reading
    from vscan.store.source_records import StoredSource
    from vscan.store.specs import TrackSpec
    from vscan.tracks import Track

    rng = np.random.default_rng(SEED)
    store = FrameStore.open(where, create=True)
    read = {"readers": "none: made up", "sampling": "fps:1"}
    image = "224x224 shortest bicubic 0"
    specs = {
        "embedding": TrackSpec(
            "embedding", read | {"model": model, "precision": "fp32 on cpu", "image": image}
        ),
        "pdq": TrackSpec("pdq", read | {"hash": "none", "regions": "none"}),
    }
    info = VideoInfo("mp4", "h264", 1280, 720, float(frames), 0)
    report = ReadReport(planned=frames, read=frames, end_s=float(frames), reader="none")
    times_s = np.arange(frames, dtype=np.float64)
    for number in range(videos):
        vectors = rng.normal(size=(frames, looks.shape[1]))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        if rng.random() < LIKE_A_PROMPT:
            first = int(rng.integers(0, frames - 4))
            look = looks[rng.integers(0, len(looks))]
            vectors[first : first + 4] += rng.uniform(0, 4) * look / np.linalg.norm(look)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        digests = Digests(hashlib.sha256(str(number).encode()).hexdigest(), "0" * 32, 1_000_000)
        reading = Reading(digests, info, report, times_s)
        hashes = rng.integers(0, 256, (frames, 8 * 32), np.uint8)
        tracks = (
            Track("embedding", times_s, vectors.astype(np.float16), spec={"model": model}),
            Track("pdq", times_s, hashes, np.full(frames, 100, np.uint8)),
        )
        for track in tracks:
            store.write(reading, track, specs[track.signal])
        store.put_source(
            StoredSource(
                uri=f"archive/{number:06}.mp4",
                sha256=digests.sha256,
                md5=digests.md5,
                bytes=digests.bytes,
                meta={},
                info=info,
                report=report,
                tracks={signal: spec.key for signal, spec in specs.items()},
                specs={signal: dict(spec.made_by) for signal, spec in specs.items()},
                error=None,
            )
        )
