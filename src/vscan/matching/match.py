"""A match: a part of a source that agrees with a part of an exemplar, and how strongly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.exemplar import Opinion, Severity
from vscan.hashes.pdq import MATCH_DISTANCE
from vscan.intervals import Interval

OPERATING_INLIERS = 14
"""Inliers of one sample's keypoints at the operating point."""
CHANCE_INLIERS = 6
"""Inliers that unrelated frames reach: only what goes beyond is counted."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """A part of a source that agrees with a part of an exemplar: where on both sides, and how."""

    index: str
    """Name of the exemplar index."""
    exemplar: str
    """Id of the exemplar."""
    policy: str
    opinion: Opinion
    severity: Severity | None = None
    signal: str
    """`pdq`, `keypoints` or `embedding`; `sha256` where the files are the same byte for byte."""
    source_span: Interval
    exemplar_span: Interval
    peak_s: float
    """Time in the source of the sample that agrees best, seconds."""
    score: float
    """0.5 at the signal's operating point, 1.0 where nothing differs; see match_score."""
    distance: float | None = None
    """Median over the matched samples of the Hamming distance, bits of 256; only for `pdq`."""
    similarity: float | None = None
    """Median over the matched samples of the cosine; only for `embedding`."""
    inliers: int | None = None
    """Median over the matched samples of the features that fit one transform; for `keypoints`."""
    speed: float = 1.0
    """Exemplar seconds that pass in one source second, 0.5..2."""
    transform: str = "identity"
    """What was done to the exemplar to make the source, of media.DIHEDRAL_FORMS; `keypoints` tell
    `rotated` pictures that stand askew and `inverted` ones as well. An embedding hardly changes
    when a picture is mirrored: it always says `identity`."""
    source_coverage: float
    """Share 0..1 of the source that the match spans."""
    exemplar_coverage: float
    """Share 0..1 of the exemplar that the match spans."""
    samples: int
    """Samples of the source that agree."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"a score is within 0..1, got {self.score}")


def pdq_score(distance: float) -> float:
    """Strength 0..1 of a PDQ match at `distance` bits; 0.5 at MATCH_DISTANCE.

    The same curve as for an embedding: 1 - r²/2, where r is the distance as a share of that at the
    operating point. So re-encoding (a few bits) costs next to nothing, and the score falls fast
    only where matches become doubtful: 8 bits 0.97, 16 bits 0.87, 24 bits 0.70, 31 bits 0.50.
    """
    return _strength(distance / MATCH_DISTANCE)


def similarity_score(similarity: float, operating_point: float) -> float:
    """Strength 0..1 of an embedding match of this cosine; 0.5 at `operating_point`, 1.0 at 1."""
    return _strength((1.0 - min(similarity, 1.0)) / (1.0 - operating_point))


def inliers_score(inliers: NDArray[np.float64]) -> float:
    """Strength 0..1 of a keypoints match of samples with so many inliers each (n,).

    0.5 where a single sample has just enough to be believed; samples that agree with each other
    add up, so that 14 inliers score 0.5, two samples of 14 0.83, a minute of them nearly 1.
    """
    beyond = np.maximum(inliers - CHANCE_INLIERS, 0.5)
    return _strength(min(1.0, (OPERATING_INLIERS - CHANCE_INLIERS) / float(beyond.sum())))


def _strength(share: float) -> float:
    return max(0.0, 1.0 - 0.5 * share * share)
