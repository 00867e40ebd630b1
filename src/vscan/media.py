"""What passes between a reader and the rest: a probed video, the picture a model takes, frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vscan.intervals import Interval, union

ResizeMode = Literal["shortest", "longest", "squash"]
"""open_clip's words: `shortest` fits the short side and centre-crops, `longest` fits the long side
and pads, `squash` ignores the aspect ratio."""

DIHEDRAL_FORMS = (
    "identity",
    "rotated_90",
    "rotated_180",
    "rotated_270",
    "mirrored",
    "flipped",
    "transposed",
    "transversed",
)
"""The eight symmetries of a square, in the order in which a sample's PDQ hashes stand.

`rotated_*` are clockwise; `mirrored` swaps left and right, `flipped` top and bottom, `transposed`
reflects along the main diagonal, `transversed` along the other. Form k is the hash of the frame
after that transform.
"""


@dataclass(frozen=True)
class VideoInfo:
    """What a probe learns of a video before any frame is decoded."""

    container: str
    """FFmpeg's short name of the container, as `mov,mp4,m4a,3gp,3g2,mj2`."""
    codec: str
    """FFmpeg's name of the video codec, as `h264`."""
    width: int
    """Pixels of a frame as shown (after rotation)."""
    height: int
    """Pixels of a frame as shown (after rotation)."""
    duration_s: float | None
    """Seconds as the container claims them; None where it does not say."""
    rotation: int = 0
    """Degrees clockwise by which the stored frame is turned to be shown: 0, 90, 180 or 270."""
    warnings: tuple[str, ...] = ()
    """Codes of what the probe found odd."""


@dataclass(frozen=True)
class ImageSpec:
    """The picture a model takes: what the reader makes of every frame, as open_clip would."""

    width: int
    height: int
    resize_mode: ResizeMode = "shortest"
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    fill: int = 0
    """Padding value 0..255 for `longest`."""

    def __post_init__(self) -> None:
        if not (1 <= self.width <= 4096 and 1 <= self.height <= 4096):
            raise ValueError(f"image size out of range: {self.width}x{self.height}")


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Samples of one video in presentation order, as the reader process sends them."""

    times_s: NDArray[np.float64]
    """(N,) presentation times in seconds from the stream's start, ascending."""
    images: NDArray[np.uint8]
    """(N, H, W, 3) RGB pictures in the size of the model; H = W = 0 if not asked for."""
    pdq: NDArray[np.uint8]
    """(N, 8, 32) PDQ hashes of the full frame, as DIHEDRAL_FORMS; (N, 0, 32) if none."""
    pdq_quality: NDArray[np.uint8]
    """(N,) PDQ quality 0..100; zeros if no hashes were asked for."""

    def __post_init__(self) -> None:
        n = len(self.times_s)
        if self.times_s.shape != (n,) or self.times_s.dtype != np.float64:
            raise ValueError(f"times_s must be float64 (N,), got {self.times_s.shape}")
        if self.images.ndim != 4 or self.images.shape[0] != n or self.images.shape[3] != 3:
            raise ValueError(f"images must be (N={n}, H, W, 3), got {self.images.shape}")
        if self.pdq.ndim != 3 or self.pdq.shape[0] != n or self.pdq.shape[2] != 32:
            raise ValueError(f"pdq must be (N={n}, 8 or 0, 32), got {self.pdq.shape}")
        if self.pdq_quality.shape != (n,):
            raise ValueError(f"pdq_quality must be (N={n},), got {self.pdq_quality.shape}")

    def __len__(self) -> int:
        return len(self.times_s)

    def __repr__(self) -> str:
        span = f"{self.times_s[0]:.3f}..{self.times_s[-1]:.3f} s" if len(self) else "empty"
        return f"FrameBatch({len(self)} samples, {span}, images={self.images.shape})"


@dataclass(frozen=True)
class ReadReport:
    """How the reading of one request ended: what stands under `samples` in a record."""

    planned: int
    """Samples that the request asked for, given how long the video turned out to be."""
    read: int
    """Samples delivered."""
    end_s: float
    """Presentation time at which the last frame seen ends, seconds from the stream's start."""
    reader: str
    """Name and version of the reader that served, as `decord2 3.4.0`."""
    skipped_packets: int = 0
    """Packets that could not be decoded."""
    gaps_s: tuple[tuple[float, float], ...] = ()
    """Spans (start, end) in seconds in which samples were planned and none could be read."""
    warnings: tuple[str, ...] = field(default=())
    """Codes of what went wrong without ending the reading; see docs."""

    @property
    def coverage(self) -> float:
        """Share 0..1 of the planned samples that were read."""
        return 1.0 if self.planned == 0 else min(1.0, self.read / self.planned)

    def followed_by(self, later: ReadReport) -> ReadReport:
        """Both requests to one file as one: what was planned and read adds up.

        Every request reads the file from its start, so damaged packets are the same ones again.
        """
        missing = union(Interval(*gap) for gap in (*self.gaps_s, *later.gaps_s))
        return ReadReport(
            planned=self.planned + later.planned,
            read=self.read + later.read,
            end_s=max(self.end_s, later.end_s),
            reader=", ".join(dict.fromkeys((self.reader, later.reader))),
            skipped_packets=max(self.skipped_packets, later.skipped_packets),
            gaps_s=tuple((gap.start_s, gap.end_s) for gap in missing),
            warnings=tuple(dict.fromkeys((*self.warnings, *later.warnings))),
        )
