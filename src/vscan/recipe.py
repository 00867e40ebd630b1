"""The recipe of a measurement: which samples are taken of every source, and what they become."""

from __future__ import annotations

from dataclasses import dataclass

from vscan.halving import VERSION
from vscan.hashes.keypoints import EXEMPLAR_FEATURES, SOURCE_FEATURES
from vscan.media import DecodeMode, ImageSpec, Measure, Role
from vscan.sampling import Plan

FOLLOWED = " for "
"""Stands in `sampling` before the digest of the rules that a plan followed."""


@dataclass(frozen=True)
class Recipe:
    """What is measured on every source, and how: all that a track depends on."""

    plan: Plan
    signals: tuple[str, ...]
    """Of `embedding`, `pdq` and `keypoints`."""
    image: ImageSpec | None
    """The picture the model takes; None where no embedding is measured."""
    model: str | None
    """Fingerprint of the model; None where no embedding is measured."""
    precision: str | None = None
    """How the model computes, as `fp32 on cpu`; None where no embedding is measured."""
    decode: DecodeMode = "exact"
    rules: str = ""
    """Digest of pack and indexes, where the plan follows what they find; else empty."""
    role: Role = "source"
    """Whether what is measured will be looked up, or looked for."""

    @property
    def sampling(self) -> str:
        """Which frames are taken, as records and stored tracks say it: `fps:1`, `fps:1 fast`,
        `adaptive:2 halving/3 for 0123…`."""
        said = f"{self.plan.spec} fast" if self.decode == "fast" else self.plan.spec
        return f"{said} {VERSION}{FOLLOWED}{self.rules}" if self.plan.follows else said

    @property
    def looks_up(self) -> bool:
        """Whether keypoints are measured to be looked up, and not to be found."""
        return "keypoints" in self.signals and self.role == "source"

    @property
    def measure(self) -> Measure:
        """What the reader process makes of every frame."""
        features = SOURCE_FEATURES if self.role == "source" else EXEMPLAR_FEATURES
        return Measure(
            image=self.image,
            pdq="pdq" in self.signals,
            keypoints=features if "keypoints" in self.signals else 0,
            role=self.role,
            decode=self.decode,
        )
