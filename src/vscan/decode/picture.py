"""From a full frame to the picture a model takes, bit for bit as open_clip's preprocessing does.

The arithmetic is open_clip's `image_transform` for inference (`transform.py`: torchvision's Resize
and CenterCrop, `ResizeKeepRatio`, `CenterCropOrPad`) up to where it normalises, on Pillow alone, so
that the reader process needs no torch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vscan.media import ImageSpec

_FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
}


def model_picture(rgb: NDArray[np.uint8], spec: ImageSpec) -> NDArray[np.uint8]:
    """The (spec.height, spec.width, 3) picture that the model takes of a frame (H, W, 3)."""
    image = Image.fromarray(rgb)
    keeps_ratio = spec.resize_mode == "shortest" and spec.width != spec.height
    # open_clip does not hand its interpolation on in that one case
    resampling = _FILTERS["bicubic" if keeps_ratio else spec.interpolation]
    resized = image.resize(resized_size(image.width, image.height, spec), resampling)
    return framed(np.asarray(resized), spec)


def framed(rgb: NDArray[np.uint8], spec: ImageSpec) -> NDArray[np.uint8]:
    """The model's picture of a frame that was scaled to `resized_size`, by whatever means."""
    if spec.resize_mode == "longest":
        rgb = _padded(rgb, spec, spec.fill)
    return _centre_crop(rgb, spec)


def resized_size(width: int, height: int, spec: ImageSpec) -> tuple[int, int]:
    """(width, height) to which a frame is scaled before it is cropped or padded."""
    if spec.resize_mode == "squash":
        return spec.width, spec.height
    if spec.resize_mode == "shortest" and spec.width == spec.height:
        # torchvision.transforms.Resize(int) truncates the long side
        side = spec.width
        if width <= height:
            return side, int(side * height / width)
        return int(side * width / height), side
    across, down = width / spec.width, height / spec.height
    ratio = max(across, down) if spec.resize_mode == "longest" else min(across, down)
    return max(1, round(width / ratio)), max(1, round(height / ratio))


def _padded(rgb: NDArray[np.uint8], spec: ImageSpec, fill: int) -> NDArray[np.uint8]:
    """`rgb` in the middle of a canvas at least as large as the picture."""
    height, width = rgb.shape[:2]
    missing_x, missing_y = max(0, spec.width - width), max(0, spec.height - height)
    if missing_x == 0 and missing_y == 0:
        return rgb
    canvas = np.full((height + missing_y, width + missing_x, 3), fill, np.uint8)
    top, left = missing_y // 2, missing_x // 2
    canvas[top : top + height, left : left + width] = rgb
    return canvas


def _centre_crop(rgb: NDArray[np.uint8], spec: ImageSpec) -> NDArray[np.uint8]:
    """The middle of `rgb`; what lies outside it is black, as torchvision's CenterCrop pads.

    Pixels of its own, so that a picture that is kept does not keep the whole frame.
    """
    padded = _padded(rgb, spec, 0)
    top = round((padded.shape[0] - spec.height) / 2.0)
    left = round((padded.shape[1] - spec.width) / 2.0)
    return padded[top : top + spec.height, left : left + spec.width].copy()
