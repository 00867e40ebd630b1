"""The model's picture equals open_clip's own preprocessing, bit for bit."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from PIL import Image

from vscan.decode.picture import model_picture
from vscan.media import ImageSpec

SPECS = [
    ImageSpec(64, 64, "shortest", "bicubic"),
    ImageSpec(64, 64, "shortest", "bilinear"),
    ImageSpec(64, 48, "shortest", "bilinear"),
    ImageSpec(48, 64, "squash", "bicubic"),
    ImageSpec(64, 64, "longest", "bicubic", fill=0),
    ImageSpec(64, 40, "longest", "bilinear", fill=127),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_equals_open_clip(spec: ImageSpec) -> None:
    """On frames of random sizes, larger and smaller than the picture, odd ones among them."""
    transform = pytest.importorskip("open_clip.transform")
    cfg = transform.PreprocessCfg(
        size=(spec.height, spec.width),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        interpolation=spec.interpolation,
        resize_mode=spec.resize_mode,
        fill_color=spec.fill,
    )
    reference = transform.image_transform_v2(cfg, is_train=False)
    rng = np.random.default_rng(7)
    for _ in range(20):
        height, width = (int(side) for side in rng.integers(20, 300, 2))
        frame = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        expected = (reference(Image.fromarray(frame)) * 255).round().byte().numpy()
        actual = model_picture(frame, spec)
        assert (spec.height, spec.width, 3) == actual.shape
        np.testing.assert_array_equal(expected.transpose(1, 2, 0), actual)


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_extreme_shapes(mode: Literal["shortest", "longest", "squash"]) -> None:
    """A frame one pixel high or wide still gives a picture of the right size."""
    for shape in [(1, 500, 3), (500, 1, 3), (1, 1, 3)]:
        picture = model_picture(np.zeros(shape, np.uint8), ImageSpec(32, 32, mode))
        assert (32, 32, 3) == picture.shape
