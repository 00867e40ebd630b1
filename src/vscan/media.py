"""What passes between a reader and the rest: a probed video, the picture a model takes, frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


Role = Literal["source", "exemplar"]
"""What frames are measured for: to be looked up, or to be found. The dear side is paid once: an
exemplar is hashed with crops, a source in eight orientations."""


DecodeMode = Literal["exact", "fast"]
"""`fast`: frames that no other refers to are never taken, the one after them stands in; and H.264's
and HEVC's loop filter runs on keyframes alone. See docs/speed.md for what that changes."""


@dataclass(frozen=True)
class Measure:
    """What the reader process makes of every frame."""

    image: ImageSpec | None = None
    """The picture that a model takes; None: no pictures."""
    pdq: bool = False
    keypoints: int = 0
    """Features of a frame; 0: none are looked for."""
    role: Role = "source"
    decode: DecodeMode = "exact"


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Samples of one video in presentation order, as the reader process sends them."""

    times_s: NDArray[np.float64]
    """(N,) presentation times in seconds from the stream's start, ascending."""
    images: NDArray[np.uint8]
    """(N, H, W, 3) RGB pictures in the size of the model; H = W = 0 if not asked for."""
    pdq: NDArray[np.uint8]
    """(M, 8, 32) PDQ hashes as DIHEDRAL_FORMS, one row for each region hashed; M = 0 if none."""
    pdq_quality: NDArray[np.uint8]
    """(M,) PDQ quality 0..100 of that region."""
    pdq_sample: NDArray[np.int32]
    """(M,) the sample that each row is of, ascending."""
    pdq_region: NDArray[np.uint8]
    """(M,) the region of the frame, see hashes/regions.py; 0 is the whole frame."""
    keypoints: NDArray[np.uint8]
    """(N, K, W) features, see hashes/keypoints.py; K = 0 if none."""

    def __post_init__(self) -> None:
        n, m = len(self.times_s), len(self.pdq)
        if self.times_s.shape != (n,) or self.times_s.dtype != np.float64:
            raise ValueError(f"times_s must be float64 (N,), got {self.times_s.shape}")
        if self.images.ndim != 4 or self.images.shape[0] != n or self.images.shape[3] != 3:
            raise ValueError(f"images must be (N={n}, H, W, 3), got {self.images.shape}")
        if self.pdq.shape != (m, len(DIHEDRAL_FORMS), 32):
            raise ValueError(f"pdq must be (M, 8, 32), got {self.pdq.shape}")
        for name in ("pdq_quality", "pdq_sample", "pdq_region"):
            if (shape := getattr(self, name).shape) != (m,):
                raise ValueError(f"{name} must be (M={m},), got {shape}")
        if self.keypoints.ndim != 3 or self.keypoints.shape[0] != n:
            raise ValueError(f"keypoints must be (N={n}, K, W), got {self.keypoints.shape}")

    def __len__(self) -> int:
        return len(self.times_s)

    def __repr__(self) -> str:
        span = f"{self.times_s[0]:.3f}..{self.times_s[-1]:.3f} s" if len(self) else "empty"
        return (
            f"FrameBatch({len(self)} samples, {span}, images={self.images.shape},"
            f" pdq={self.pdq.shape}, keypoints={self.keypoints.shape})"
        )


@dataclass(frozen=True)
class Part:
    """Where one of several video streams stands on the timeline of its file, in seconds."""

    stream: int
    """Its number in the container, as `ffmpeg -map 0:N` counts."""
    start_s: float
    end_s: float
    coverage: float
    """Share 0..1 of the samples planned of it that were read."""


BATCH_FRAMES = 32
"""Samples in a batch at most."""
MAX_GAPS = 1000
"""Gaps beyond this many are joined to the last one, so that no file makes a record without end."""
PARTLY_SEEN = frozenset({"stream_not_decoded", "ended_by_errors", "content_not_read"})
"""Warnings that say that something was not seen, of which no plan says how much."""


def least_coverage(
    coverage: float, parts: Iterable[float] = (), warnings: Iterable[str] = ()
) -> float:
    """What is held against a pack's least coverage: that of the stream of which least was seen, and
    0 where nobody knows."""
    return 0.0 if PARTLY_SEEN.intersection(warnings) else min(coverage, *parts, 1.0)


@dataclass(frozen=True)
class ReadReport:
    """How the reading of one request ended: what stands under `samples` in a record."""

    planned: int
    """Samples that the request asked for, given how long the video turned out to be, or how long it
    would be if nothing of what its container promises were missing."""
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
    cost_s: Mapping[str, float] = field(default_factory=dict, compare=False)
    """CPU seconds that each signal took in the reader process, and under `decode` all else that was
    done for the file there; in no record."""
    parts: tuple[Part, ...] = ()
    """Its video streams on the timeline, one after the other, where there are several."""

    @property
    def coverage(self) -> float:
        """Share 0..1 of the planned samples that were read."""
        return 1.0 if self.planned == 0 else min(1.0, self.read / self.planned)

    @property
    def least_coverage(self) -> float:
        """As `least_coverage` of this report."""
        return least_coverage(self.coverage, (part.coverage for part in self.parts), self.warnings)

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
            cost_s=added_up(self.cost_s, later.cost_s),
            parts=max(self.parts, later.parts, key=len),
        )


def added_up(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Both costs together, by signal."""
    return {each: one.get(each, 0.0) + other.get(each, 0.0) for each in {**one, **other}}


def one_after_another(parts: Sequence[Part], reports: Sequence[ReadReport]) -> ReadReport:
    """The streams of one file as one: each report is in its stream's own times, parts on the file's
    timeline."""
    gaps = [
        (round(part.start_s + start_s, 3), round(part.start_s + end_s, 3))
        for part, report in zip(parts, reports, strict=True)
        for start_s, end_s in report.gaps_s
    ]
    end_s = max(part.end_s for part in parts)
    if len(gaps) > MAX_GAPS:
        gaps[MAX_GAPS:] = [(gaps[MAX_GAPS][0], end_s)]
    return ReadReport(
        planned=sum(report.planned for report in reports),
        read=sum(report.read for report in reports),
        end_s=end_s,
        reader=reports[0].reader,
        skipped_packets=sum(report.skipped_packets for report in reports),
        gaps_s=tuple(gaps),
        warnings=tuple(dict.fromkeys(code for report in reports for code in report.warnings)),
        parts=tuple(parts),
    )
