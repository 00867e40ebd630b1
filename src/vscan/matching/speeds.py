"""At which speeds a source may play an exemplar: read off pairs of frames that agree.

Two samples of a copy that lie dt apart agree with exemplar frames that lie speed * dt apart. So
every two hits vote for a speed (a Hough transform over slopes), longer stretches for more, and the
speeds with the most votes are tried by chains.py beside speed 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPEEDS = (0.5, 2.0)
"""Slowest and fastest playing that is looked for."""
_MARGIN = 1.06
_BIN = 0.04
"""Width of a vote's bin, in natural logarithms of the speed: four per cent."""
_MOST = 3
"""Speeds tried beside 1."""
_LEAST_APART_S = 1.5
"""Seconds between two samples from which on they say something of speed."""
_HITS = 256
"""Hits that vote, the best ones."""
_NEAR_BEST = 0.1
"""Share of the largest difference by which a hit may be worse than its sample's best."""
_MOMENT_S = 2.0
"""Seconds of the exemplar with which a sample may agree and still tell a moment."""
_SURE = 3.0
"""Standard errors from which on another slope than the one expected is believed."""
_NEAR_ONE = 0.025
"""Speeds nearer to 1 are 1: a sample's time is not known better over a few seconds."""


def likely_speeds(
    source_s: NDArray[np.float64], exemplar_s: NDArray[np.float64], difference: NDArray[np.float64]
) -> tuple[float, ...]:
    """Speeds to try, 1.0 first, for hits at source_s (H,) and exemplar_s (H,) seconds.

    difference: (H,) of the hits; the smallest vote.
    """
    telling = _telling(source_s, exemplar_s, difference)
    source_s, exemplar_s, difference = source_s[telling], exemplar_s[telling], difference[telling]
    if len(source_s) > _HITS:
        kept = np.argsort(difference, kind="stable")[:_HITS]
        source_s, exemplar_s = source_s[kept], exemplar_s[kept]
    passed, shown = (times[None] - times[:, None] for times in (source_s, exemplar_s))
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = shown / passed
    low, high = SPEEDS[0] / _MARGIN, SPEEDS[1] * _MARGIN
    votes = (passed >= _LEAST_APART_S) & (speed >= low) & (speed <= high)
    speed, weight = speed[votes], passed[votes]
    if not len(speed):
        return (1.0,)
    bins = np.round(np.log(speed) / _BIN).astype(np.int64)
    bins -= bins.min()
    total = np.bincount(bins, weight)
    smooth = np.convolve(total, (0.5, 1.0, 0.5))[1:-1]
    found = [1.0]
    for at in np.argsort(-smooth, kind="stable"):
        if total[at] == 0 or len(found) > _MOST:
            break
        near = np.abs(bins - at) <= 1
        likely = float(np.average(speed[near], weights=weight[near]))
        if all(abs(likely / known - 1.0) > 1.5 * _BIN for known in found[1:]) and (
            abs(likely - 1.0) > _NEAR_ONE
        ):
            found.append(min(max(likely, SPEEDS[0]), SPEEDS[1]))
    return tuple(found)


def _telling(
    source_s: NDArray[np.float64], exemplar_s: NDArray[np.float64], difference: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(H,) the best hits of samples that agree with one moment of the exemplar.

    A picture that stands still agrees with many: it fits every speed, and says nothing of it.
    """
    _, sample = np.unique(source_s, return_inverse=True)
    count = int(sample.max(initial=-1)) + 1
    best, first, last = np.full(count, np.inf), np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(best, sample, difference)
    near = difference <= best[sample] + _NEAR_BEST * difference.max(initial=0.0)
    np.minimum.at(first, sample[near], exemplar_s[near])
    np.maximum.at(last, sample[near], exemplar_s[near])
    moment: NDArray[np.bool_] = near & (last - first <= _MOMENT_S)[sample]
    return moment


def fitted_speed(
    source_s: NDArray[np.float64], exemplar_s: NDArray[np.float64], near: float, step_s: float
) -> float:
    """The speed that the hits of one chain fit best, by least squares; `near` where they are too
    few to tell the two apart.

    step_s: seconds between the exemplar's samples. A hit is at the sample next to the right time,
    off by up to half a step: by 0.29 steps in the mean of squares.
    """
    if len(source_s) < 3 or np.ptp(source_s) < _LEAST_APART_S:
        return near
    slope = float(np.polyfit(source_s, exemplar_s, 1)[0])
    doubt = 0.29 * step_s / float(np.sqrt(np.square(source_s - source_s.mean()).sum()))
    if not SPEEDS[0] / _MARGIN <= slope <= SPEEDS[1] * _MARGIN:
        return near
    if abs(slope / near - 1.0) > 2 * _BIN and abs(slope - near) < _SURE * doubt:
        return near
    if abs(slope - 1.0) <= max(_NEAR_ONE, doubt):
        return 1.0
    return min(max(slope, SPEEDS[0]), SPEEDS[1])
