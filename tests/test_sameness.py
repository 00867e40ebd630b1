"""Neighbours that look the same share one vector; what differs, however little of it, does not."""

from __future__ import annotations

import os
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media_factory import write_video
from vscan.decode.workers import ReaderPool
from vscan.demo.scenes import FPS, Scene
from vscan.embeddings.openclip import load_encoder
from vscan.engines.batching import SharedBatches
from vscan.errors import SourceError
from vscan.media import Measure
from vscan.sameness import BLOCKS, MOST_APART, Sameness, looks_same
from vscan.sampling import TimesRequest
from vscan.scanning import scan
from vscan.settings import ScanSettings

CORPUS = os.environ.get("VSCAN_CORPUS")
QUARTERS = TimesRequest(tuple(k / 4 for k in range(16)))


def noisy(picture: NDArray[np.uint8], level: int, seed: int) -> NDArray[np.uint8]:
    """The picture with noise of up to so many levels."""
    noise = np.random.default_rng(seed).integers(-level, level + 1, picture.shape)
    return np.clip(picture.astype(int) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [64, 224, 378])
def test_a_small_thing_counts(side: int) -> None:
    """Noise is the same scene; a spot of a twenty-fifth of the side is another."""
    rng = np.random.default_rng(2)
    picture = rng.integers(60, 200, (side, side, 3), np.uint8)
    assert looks_same(picture, noisy(picture, 4, 3))
    spotted = picture.copy()
    spot = max(1, side // 25)
    at = side // 3
    spotted[at : at + spot, at : at + spot] = np.where(picture[at, at] > 128, 0, 255)
    assert not looks_same(picture, spotted)


def plainly_same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """The rule as it is said: the mean difference of every block, one block after the other."""
    apart = np.abs(one.astype(int) - other.astype(int))
    rows, columns = (
        np.unique(np.append(np.linspace(0, side, BLOCKS, endpoint=False).astype(int), side))
        for side in one.shape[:2]
    )
    return all(
        apart[top:bottom, left:right].mean() <= MOST_APART
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    )


def test_the_quick_rule_is_the_plain_one() -> None:
    """On pictures of any size that are nearly as far apart as they may be both say the same."""
    rng, agreed = np.random.default_rng(5), []
    for k in range(400):
        picture = rng.integers(0, 256, (*rng.integers(1, 70, 2), 3), np.uint8)
        other = noisy(picture, int(rng.integers(3, 9)), k)
        agreed.append(looks_same(picture, other))
        assert agreed[-1] == plainly_same(picture, other)
    assert 50 < sum(agreed) < 350


def test_each_is_held_against_the_last_that_was_embedded() -> None:
    """A scene that changes slowly is embedded again before it has drifted far, in whatever batches
    its pictures come."""
    slow = np.stack([np.full((16, 16, 3), 100 + k, np.uint8) for k in range(12)])
    whole, parts = Sameness(), Sameness()
    new, places = whole.places(slow)
    split = [parts.places(part) for part in (slow[:5], slow[5:6], slow[6:])]
    assert [0, 4, 8] == np.flatnonzero(new).tolist()
    assert [0] * 4 + [1] * 4 + [2] * 4 == places.tolist()
    np.testing.assert_array_equal(np.concatenate([each for _, each in split]), places)
    np.testing.assert_array_equal(np.concatenate([each for each, _ in split]), new)


def test_a_still_scene_is_judged_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a still that fires an adaptive scan embeds one picture, and finds what fps:1 finds in it,
    with a sample for each time as ever."""
    frame = next(Scene(1.0, ("kitchen knife",), seed=42, size=0.7).frames())
    film = write_video(tmp_path / "still.mp4", [frame] * (9 * FPS), fps=FPS, options={"g": "12"})
    embedded: list[int] = []
    submit = SharedBatches.submit

    def counted(batches: SharedBatches, images: NDArray[np.uint8]) -> Future[NDArray[np.float32]]:
        embedded.append(len(images))
        return submit(batches, images)

    monkeypatch.setattr(SharedBatches, "submit", counted)
    found, counts = [], []
    for sampling in ("adaptive", "fps:1"):
        (verdict,) = scan(
            [film], settings=ScanSettings(policy="demo", model="builtin", sampling=sampling)
        )
        assert verdict.samples is not None
        counts.append((verdict.samples.read, sum(embedded)))
        embedded.clear()
        found.append([finding.policy for finding in verdict.findings])
    assert found[0] == found[1] != []
    assert [(5, 1), (9, 9)] == counts


@pytest.mark.skipif(CORPUS is None, reason="needs VSCAN_CORPUS")
def test_the_error_on_real_footage() -> None:
    """Where frames a quarter of a second apart look the same, their vectors have a cosine of 0.999
    or more."""
    encoder, shared, lowest = load_encoder("builtin"), 0, 1.0
    measure = Measure(image=encoder.image_spec)
    with ReaderPool(2) as pool:
        for path in sorted((Path(CORPUS or "") / "plain").glob("*.*")):
            try:
                with pool.session(path) as video:
                    parts = [each.images for each in video.read(QUARTERS, measure)]
            except SourceError:
                continue
            images = np.concatenate(parts)
            new, places = Sameness().places(images)
            vectors = encoder.encode_images(images)
            cosines = np.einsum("td,td->t", vectors, vectors[new][places])
            shared += int((~new).sum())
            lowest = min(lowest, float(cosines.min()))
    assert shared > 0
    assert lowest >= 0.999
