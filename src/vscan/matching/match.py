"""A match: a part of a source that agrees with a part of an exemplar, and how strongly."""

from __future__ import annotations

from dataclasses import dataclass

from vscan.exemplars.exemplar import Opinion, Severity
from vscan.hashes.pdq import MATCH_DISTANCE
from vscan.intervals import Interval


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
    """`pdq` or `embedding`; `sha256` where the files are the same byte for byte."""
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
    speed: float = 1.0
    """Exemplar seconds that pass in one source second; other speeds than 1 are not looked for."""
    transform: str = "identity"
    """What was done to the exemplar to make the source, of media.DIHEDRAL_FORMS. Told by `pdq`
    alone: an embedding hardly changes when a picture is mirrored, and always says `identity`."""
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


def _strength(share: float) -> float:
    return max(0.0, 1.0 - 0.5 * share * share)
