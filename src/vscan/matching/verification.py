"""Geometric verification: whether features of two frames agree at places that fit one transform.

Features that look alike are paired, and a similarity transform (shift, turn, scale) is sought that
as many pairs as possible fit (RANSAC: Fischler, Bolles 1981, as in OpenCV, whose random numbers
begin with the same seed each time). What fits by chance is kept out by what a copy looks like
beside the number of its inliers: they lie all over that part of the exemplar's frame which the
source shows, and not on what stands still alone while the rest moves (a logo, a template).

A frame that was filmed off a screen, or drawn out at its corners, fits a similarity transform in
one part alone. So the pairs that nearly fit it are tried with a projective one (a homography:
Hartley, Zisserman, "Multiple view geometry", 2004, chapter 4), which is kept where it explains
much more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MATCH_BITS = 64
"""Descriptors that differ by more are not paired."""
MIN_INLIERS = 8
"""Pairs that must fit before a frame counts at all; unrelated frames reach 13 at the most."""
MIN_SUPPORT = 0.25
"""Share of the cells of the exemplar's frame, of those that the source shows and that have
features, in which at least one pair fits."""
MIN_LINES = 0.6
"""Share of the rows of cells in sight, and of the columns, that must have one in which features
fit: captions fill the lower half at most."""
MIN_SPREAD = 0.4
"""How far the fitting features must be scattered along both axes, as a share of those in sight:
those of a caption lie in one line."""
MIN_SPREAD_STILL = 0.6
"""The same where features that move fit less than half as well as those that stand still."""
ENOUGH_MOVING = 12
"""Moving features that must be in sight to tell."""
MIN_CELLS = 3
"""Cells in which pairs fit: a line of them, or a spot, is no picture."""
SCALES = (0.15, 4.0)
"""Least and largest scale from exemplar to source, both in shares of their longer side."""
_TOLERANCE = 0.0125
"""Distance, in shares of the longer side, by which a pair may miss its place."""
_NEARLY = 5 * _TOLERANCE
"""Distance up to which a pair may fit the projective transform that a similarity is close to."""
_MUCH_MORE, _OF_ALL = 1.15, 0.125
"""Inliers of the projective transform, as a multiple of those of the similarity and as a share of
the exemplar's features, to be believed: the same buildings from elsewhere fit one to a tenth."""
_TELLING = 0.25
"""Share of the exemplar's features that a projective transform must fit to prove a copy alone: of
the same buildings, more than an eighth fit one in a single sample now and then."""
_NEAR_AND_FAR = 3.0
"""How much larger the nearest part of a frame may be seen than the farthest: no horizon in it."""
_CELLS = 4
"""The exemplar's frame is divided into this many cells each way."""
_CELL_SHARE = 0.1
"""Share of a cell's features in sight that must fit for it to agree."""
_CELL_FEATURES = 2
"""Features in sight from which on a cell counts."""


@dataclass(frozen=True, eq=False)
class Features:
    """Features of one frame."""

    descriptors: NDArray[np.uint8]
    """(n, 32)."""
    places: NDArray[np.float32]
    """(n, 2) in shares of the frame's longer side."""

    def __len__(self) -> int:
        return len(self.descriptors)


@dataclass(frozen=True, eq=False)
class Verified:
    """How the features of two frames agree."""

    inliers: int
    affine: NDArray[np.float32]
    """(2, 3) from places in the exemplar's frame to places in the source's: the similarity, also
    where a projective transform fits better."""
    support: float
    """Share 0..1 of the cells in sight in which features fit."""
    spread: float
    """How far the fitting features are scattered, as a share of how far those in sight are, along
    the axis along which that is less."""
    moving: tuple[int, int]
    """(fitting, in sight) of the exemplar's features that move."""
    still: tuple[int, int]
    """The same of those that stand still."""
    telling: bool
    """Whether this proves a copy by itself, without samples beside it that say the same."""

    @property
    def agrees(self) -> bool:
        """Whether this is how a copy looks, and not what two pictures share by chance."""
        least = MIN_SPREAD if self.moves_along else MIN_SPREAD_STILL
        sane = SCALES[0] <= self.scale <= SCALES[1]
        return sane and self.support >= MIN_SUPPORT and self.spread >= least

    @property
    def moves_along(self) -> bool:
        """Whether features that move fit at least half as well as those that stand still do."""
        (moving, moving_seen), (still, still_seen) = self.moving, self.still
        return moving_seen < ENOUGH_MOVING or 2 * moving * still_seen >= still * moving_seen

    @property
    def scale(self) -> float:
        """Length in the source's frame of what has length 1 in the exemplar's."""
        return float(np.hypot(self.affine[0, 0], self.affine[1, 0]))

    @property
    def turn_deg(self) -> float:
        """Degrees 0..360 clockwise by which the exemplar's frame was turned."""
        return float(np.degrees(np.arctan2(self.affine[1, 0], self.affine[0, 0])) % 360.0)


def verify(
    source: Features, exemplar: Features, moving: Callable[[], NDArray[np.bool_]]
) -> Verified | None:
    """How a source's features fit an exemplar's; None where fewer than MIN_INLIERS do.

    Whether that is a copy, `Verified.agrees` says. moving: tells which of the exemplar's features
    (n,) are not where they are in the frames beside it; asked for only where enough fit.
    """
    import cv2

    pairs = _pairs(source, exemplar)
    if len(pairs) < MIN_INLIERS:
        return None
    there, here = exemplar.places[pairs[:, 0]], source.places[pairs[:, 1]]
    affine, fits = cv2.estimateAffinePartial2D(
        there,
        here,
        method=cv2.RANSAC,
        ransacReprojThreshold=_TOLERANCE,
        maxIters=400,
        confidence=0.995,
    )
    if affine is None or np.count_nonzero(fits) < MIN_INLIERS:
        return None
    similarity = affine.astype(np.float32)
    telling = True
    fit, transform = fits.ravel().astype(np.bool_), np.vstack((similarity, (0.0, 0.0, 1.0)))
    projective = _projective(there, here, similarity)
    if projective is not None and not _is_a_view(projective[1], exemplar.places):
        projective = None
    least = max(_MUCH_MORE * np.count_nonzero(fit), _OF_ALL * len(exemplar))
    if projective is not None and np.count_nonzero(projective[0]) >= least:
        fit, transform = projective
        telling = bool(np.count_nonzero(fit) >= _TELLING * len(exemplar))
    fitting = np.zeros(len(exemplar), np.bool_)
    fitting[pairs[fit, 0]] = True
    return replace(
        _judged(similarity, transform, fitting, source, exemplar, moving()), telling=telling
    )


def _projective(
    there: NDArray[np.float32], here: NDArray[np.float32], similarity: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]] | None:
    """(n,) which pairs fit the homography (3, 3) that most of those near the similarity fit."""
    import cv2

    apart = np.linalg.norm(there @ similarity[:, :2].T + similarity[:, 2] - here, axis=1)
    near = np.flatnonzero(apart <= _NEARLY)
    if len(near) < MIN_INLIERS:
        return None
    homography, fits = cv2.findHomography(
        there[near], here[near], cv2.RANSAC, _TOLERANCE, maxIters=400, confidence=0.995
    )
    if homography is None or fits is None:
        return None
    fit = np.zeros(len(there), np.bool_)
    fit[near[fits.ravel().astype(np.bool_)]] = True
    return fit, np.asarray(homography, np.float64)


def _is_a_view(homography: NDArray[np.float64], places: NDArray[np.float32]) -> bool:
    """Whether a frame with features at these places (n, 2) can be seen so: from one side, whole."""
    depth = places @ homography[2, :2] + homography[2, 2]
    if depth[0] < 0:
        depth = -depth
    return bool(depth.min() > 0 and depth.max() <= _NEAR_AND_FAR * depth.min())


def _pairs(source: Features, exemplar: Features) -> NDArray[np.int64]:
    """(n, 2) features of the exemplar and of the source that are each other's nearest."""
    import cv2

    if min(len(source), len(exemplar)) < MIN_INLIERS:
        return np.empty((0, 2), np.int64)
    found = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(
        exemplar.descriptors, source.descriptors
    )
    near = [(pair.queryIdx, pair.trainIdx) for pair in found if pair.distance <= MATCH_BITS]
    return np.array(near, np.int64).reshape(-1, 2)


def _across(agreeing: NDArray[np.bool_], counted: NDArray[np.bool_]) -> bool:
    """Whether most rows of cells, and most columns, have one that agrees, of those that count.

    Asked only where the source shows all of them: of a crop, few are left.
    """
    for axis in (0, 1):
        lines = [each.reshape(_CELLS, _CELLS).any(axis=axis) for each in (agreeing, counted)]
        if lines[1].all() and lines[0].sum() < MIN_LINES * _CELLS:
            return False
    return True


def _judged(
    affine: NDArray[np.float32],
    transform: NDArray[np.float64],
    fitting: NDArray[np.bool_],
    source: Features,
    exemplar: Features,
    moving: NDArray[np.bool_],
) -> Verified:
    """What of the exemplar the source shows under a transform (3, 3), and how much of it fits."""
    shown = exemplar.places @ transform[:2, :2].T + transform[:2, 2]
    shown = shown / (exemplar.places @ transform[2, :2] + transform[2, 2])[:, None]
    low, high = source.places.min(axis=0), source.places.max(axis=0)
    in_sight = np.all((shown >= low) & (shown <= high), axis=1) | fitting
    first, last = exemplar.places.min(axis=0), exemplar.places.max(axis=0)
    share = (exemplar.places - first) / np.maximum(last - first, 1e-6)
    at = np.minimum((share * _CELLS).astype(np.int64), _CELLS - 1)
    cell = at[:, 1] * _CELLS + at[:, 0]
    features = np.bincount(cell[in_sight], minlength=_CELLS**2)
    agreeing = np.bincount(cell[fitting], minlength=_CELLS**2) >= np.maximum(
        1, _CELL_SHARE * features
    )
    counted = (features >= _CELL_FEATURES) | agreeing
    cells = int(agreeing.sum()) if _across(agreeing, counted) else 0
    spread = exemplar.places[fitting].std(axis=0) / np.maximum(
        exemplar.places[in_sight].std(axis=0), 1e-6
    )
    return Verified(
        inliers=int(fitting.sum()),
        affine=affine,
        spread=float(spread.min()),
        support=cells / max(1, int(counted.sum())) if cells >= MIN_CELLS else 0.0,
        moving=(int((moving & fitting).sum()), int((moving & in_sight).sum())),
        still=(int((~moving & fitting).sum()), int((~moving & in_sight).sum())),
        telling=True,
    )
