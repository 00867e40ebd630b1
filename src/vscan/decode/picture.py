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
    return _framed(resized, spec)


def framed(rgb: NDArray[np.uint8], spec: ImageSpec) -> NDArray[np.uint8]:
    """The model's picture of a frame that was scaled to `resized_size` by other means."""
    return _framed(Image.fromarray(rgb), spec)


def _framed(resized: Image.Image, spec: ImageSpec) -> NDArray[np.uint8]:
    if spec.resize_mode == "longest":
        resized = _padded(resized, spec, spec.fill)
    return np.asarray(_centre_crop(resized, spec))


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


def _padded(image: Image.Image, spec: ImageSpec, fill: int) -> Image.Image:
    """`image` in the middle of a canvas at least as large as the picture."""
    missing_x, missing_y = max(0, spec.width - image.width), max(0, spec.height - image.height)
    if missing_x == 0 and missing_y == 0:
        return image
    size = (image.width + missing_x, image.height + missing_y)
    canvas = Image.new("RGB", size, (fill, fill, fill))
    canvas.paste(image, (missing_x // 2, missing_y // 2))
    return canvas


def _centre_crop(image: Image.Image, spec: ImageSpec) -> Image.Image:
    """The middle of `image`; what lies outside it is black, as torchvision's CenterCrop pads."""
    padded = _padded(image, spec, 0)
    top = round((padded.height - spec.height) / 2.0)
    left = round((padded.width - spec.width) / 2.0)
    return padded.crop((left, top, left + spec.width, top + spec.height))
