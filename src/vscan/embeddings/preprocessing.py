"""How a model wants its pictures: size, resize rule, mean and standard deviation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from vscan.media import ImageSpec, ResizeMode

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
"""The channel statistics of the original CLIP, which open_clip takes where nothing else is said."""


@dataclass(frozen=True)
class Preprocessing:
    """open_clip's `preprocess_cfg`, checked. Values are RGB, mean and std on the scale 0..1."""

    width: int
    height: int
    mean: tuple[float, ...] = OPENAI_MEAN
    std: tuple[float, ...] = OPENAI_STD
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"
    fill: int = 0

    def __post_init__(self) -> None:
        numbers = (*self.mean, *self.std)
        if len(self.mean) != 3 or len(self.std) != 3 or not all(map(math.isfinite, numbers)):
            raise ValueError(f"mean and std must be 3 finite numbers, got {self.mean}, {self.std}")
        if min(self.std) <= 0:
            raise ValueError(f"std must be above 0, got {self.std}")
        if self.interpolation not in ("bicubic", "bilinear"):
            raise ValueError(f"interpolation must be bicubic or bilinear: {self.interpolation!r}")
        if self.resize_mode not in get_args(ResizeMode):
            raise ValueError(f"resize_mode must be one of {get_args(ResizeMode)}")
        _ = self.image_spec

    @property
    def image_spec(self) -> ImageSpec:
        """The part that the reader process does."""
        return ImageSpec(
            self.width,
            self.height,
            cast(ResizeMode, self.resize_mode),
            "bilinear" if self.interpolation == "bilinear" else "bicubic",
            self.fill,
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any], size: Any) -> Preprocessing:
        """From open_clip's `preprocess_cfg`; `size` (one side, or height and width) if it has none.

        Raises ValueError or TypeError where a value cannot be used.
        """
        if config.get("mode", "RGB") != "RGB":
            raise ValueError(f"pictures must be RGB, not {config['mode']!r}")
        height, width = _sides(config.get("size") or size)
        # open_clip itself takes `random` (a training setting) as bicubic when it only infers.
        interpolation = str(config.get("interpolation") or "bicubic").replace("random", "bicubic")
        return cls(
            width,
            height,
            _three(config.get("mean") or OPENAI_MEAN),
            _three(config.get("std") or OPENAI_STD),
            interpolation,
            str(config.get("resize_mode") or "shortest"),
            int(config.get("fill_color") or 0),
        )


def _sides(size: Any) -> tuple[int, int]:
    if isinstance(size, (list, tuple)):
        height, width = (size[0], size[-1]) if len(size) in (1, 2) else (0, 0)
        return int(height), int(width)
    return int(size), int(size)


def _three(value: Any) -> tuple[float, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(float(number) for number in value)
    return (float(value),) * 3
