"""Score normalisation of embeddings: how near a sample lies to frames that match nothing.

A cosine means more for a picture that resembles nothing else than for one that resembles much. So
each sample has a bias, its mean similarity to the nearest frames of a background set, and needs a
higher cosine the higher that is (Jégou, Harzallah, Schmid: "A contextual dissimilarity measure
for accurate and efficient image search", CVPR 2007; as in Pizzi et al.: "The 2023 Video Similarity
Dataset and Challenge", CVIU 2024, where beta is 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from vscan.errors import ExemplarIndexError
from vscan.exemplars.index import ExemplarIndex
from vscan.exemplars.vectors import unit_rows

BETA = 0.5
"""Share of its bias by which a sample needs a higher cosine. Measured on bench/copies."""
NEAREST = 3
"""Background vectors, the most similar ones, whose mean similarity is the bias."""
NEAR_DUPLICATE = 0.98
"""Cosine from which two background vectors say the same."""
SHARED = 0.97
"""Cosine from which a background frame shows an exemplar's picture: no chance, and not learnt."""
MARGIN = 0.01
"""Beyond the nearest background frame, where the operating point is set."""
FEW = 1e-4
"""Share of the background frames that may agree with an exemplar by chance."""
LEAST_POINT, MOST_POINT = 0.5, 0.995
"""Between which an operating point is learnt."""
_AT_ONCE = 4096
_DECIMALS = 6
"""To which a bias is rounded: a float64 product may differ beyond them with the batch's shape."""


@dataclass(frozen=True, eq=False)
class Background:
    """Embeddings of frames that match nothing, and how similar frames are to them."""

    vectors: NDArray[np.float64]
    """(B, D) unit vectors."""
    typical: float
    """The median bias of its own vectors among the others: a sample that lies as near needs just
    the cosine of the operating point."""

    @classmethod
    def of(cls, values: NDArray[np.float16] | NDArray[np.float32]) -> Background:
        """The background of stored vectors (B, D). Raises ValueError where there are too few."""
        if len(values) <= NEAREST:
            raise ValueError(f"a background needs more than {NEAREST} vectors, got {len(values)}")
        vectors = unit_rows(values).astype(np.float64)
        bias = _bias(vectors, vectors, np.arange(len(vectors)), np.arange(len(vectors)))
        return cls(vectors, round(float(np.median(bias)), 3))

    def bias(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """(Q,) how similar unit vectors (Q, D) are to the background, -1..1."""
        return _bias(samples.astype(np.float64), self.vectors)

    def limits(self, samples: NDArray[np.float32], match_similarity: float) -> NDArray[np.float64]:
        """(Q,) the largest 1 - cosine at which each of the samples (Q, D) agrees with an exemplar.

        match_similarity: the operating point, as the cosine that a typical sample needs. At 0 and
        below a sample agrees with nothing: it cannot be told from the background.
        """
        needed = match_similarity + BETA * (self.bias(samples) - self.typical)
        return np.asarray(1.0 - needed, np.float64)


def background_of(index: ExemplarIndex) -> Background | None:
    """The background of an index, made once; None where it has none: cosines are as they are."""
    if index.background is None:
        return None
    if index not in _MADE:
        _MADE[index] = Background.of(index.background)
    return _MADE[index]


_MADE: WeakKeyDictionary[ExemplarIndex, Background] = WeakKeyDictionary()


def thinned(
    values: NDArray[np.float16] | NDArray[np.float32], most: int, *, seed: int
) -> NDArray[np.int64]:
    """Positions, ascending, of at most `most` of the vectors (N, D), no two near-duplicates.

    Which ones, `seed` decides.
    """
    rows = unit_rows(values)
    chosen: list[int] = []
    kept = np.empty((min(most, len(rows)), rows.shape[1]), np.float32)
    for at in np.random.default_rng(seed).permutation(len(rows)):
        if len(chosen) == len(kept):
            break
        if not chosen or float((kept[: len(chosen)] @ rows[at]).max()) < NEAR_DUPLICATE:
            kept[len(chosen)] = rows[at]
            chosen.append(int(at))
    return np.array(sorted(chosen), np.int64)


@dataclass(frozen=True)
class LearntPoint:
    """The operating point that background videos teach."""

    match_similarity: float
    """Cosine that a typical sample needs; see Background.limits."""
    frames: int
    """It was learnt from."""
    shared: NDArray[np.int64]
    """Positions of the frames that show an exemplar's picture, and were left out."""
    nearest: int
    """Position of the frame that set the point."""


def learnt_point(
    background: Background,
    video_of: NDArray[np.int64],
    frames: NDArray[np.float32],
    frame_video: NDArray[np.int64],
    exemplars: NDArray[np.float32],
) -> LearntPoint:
    """Where so few background frames agree with an exemplar that it is chance: FEW of them.

    Each frame is normalised by the background's other videos, as a new video would be.
    video_of: (B,) the video of each background vector. frames: (F, D) unit vectors of all frames of
    those videos, frame_video (F,) theirs. exemplars: (R, D) unit vectors of an index's rows.
    Raises ExemplarIndexError where there is nothing to learn from.
    """
    if not len(exemplars) or not len(frames):
        raise ExemplarIndexError(
            "there is nothing to learn the operating point from",
            remedy="add exemplars to the index first, and name videos that can be read",
        )
    if len(np.unique(video_of)) < 2 or _fewest_others(video_of) < NEAREST:
        raise ExemplarIndexError(
            "the background videos are too few or too short",
            remedy=f"name two at least, which have {NEAREST} different pictures without each other",
        )
    cosine = np.concatenate(
        [
            (frames[k : k + _AT_ONCE] @ exemplars.T).max(axis=1)
            for k in range(0, len(frames), _AT_ONCE)
        ]
    )
    chance = cosine < SHARED
    if not chance.any():
        raise ExemplarIndexError(
            "every background frame shows a picture of an exemplar",
            remedy="name videos that have nothing in common with the exemplars",
        )
    bias = _bias(
        frames[chance].astype(np.float64), background.vectors, frame_video[chance], video_of
    )
    reached = cosine[chance] - BETA * (bias - background.typical)
    last = np.argsort(-reached, kind="stable")[int(FEW * len(reached))]
    point = min(max(float(reached[last]) + MARGIN, LEAST_POINT), MOST_POINT)
    shared = np.flatnonzero(~chance)
    return LearntPoint(round(point, 4), len(reached), shared, int(np.flatnonzero(chance)[last]))


def _fewest_others(video_of: NDArray[np.int64]) -> int:
    """Vectors that are left without the video that has the most."""
    return len(video_of) - int(np.unique(video_of, return_counts=True)[1].max())


def _bias(
    samples: NDArray[np.float64],
    background: NDArray[np.float64],
    group: NDArray[np.int64] | None = None,
    background_group: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """(Q,) mean of the NEAREST highest cosines with the background, but for those of the same group
    (Q,) and (B,)."""
    found = np.empty(len(samples))
    for start in range(0, len(samples), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        cosine = samples[part] @ background.T
        if group is not None and background_group is not None:
            cosine[group[part, None] == background_group[None]] = -np.inf
        nearest = np.partition(cosine, cosine.shape[1] - NEAREST, axis=1)[:, -NEAREST:]
        found[part] = np.sort(nearest, axis=1).mean(axis=1)
    return np.asarray(np.round(found, _DECIMALS), np.float64)
