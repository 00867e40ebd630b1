"""Halving: which frames between samples show where a rule begins or ceases to fire."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VERSION = "halving/3"
"""Stands in records and stored tracks: other versions take other samples."""
FIRES, STAYS, NEAR = 1.0, 0.8, 0.5
"""Interest from which a policy fires; to which it may fall before it ceases; from which on it is
near to firing."""
RESOLUTION_S = 0.25
"""To which it is learnt where a policy begins and ceases to fire, but for the length of a frame."""
NEAR_STEP_S = 1.0
"""Between samples around one that is near to firing, at most."""
GAP_SLACK = 0.05
"""Share of the largest gap by which one may be longer: at 30000/1001 frames a second keyframes that
are meant to be 2 s apart are 2.002."""
READ_AT_ONCE_S = 3.0
"""Between samples: of a wider gap the middle alone is read, for there may be keyframes in it, and
then only the half that matters has to be decoded."""


@dataclass(frozen=True)
class Gap:
    """What lies between two neighbouring samples, and how closely it is read."""

    start_s: float
    stop_s: float
    step_s: float
    """Between the frames that are read, at most."""

    @property
    def times_s(self) -> tuple[float, ...]:
        """Of the frames that are read, ascending: those from which halving takes its samples."""
        return tuple(spread(self.start_s, self.stop_s, self.step_s, GAP_SLACK))


def spread(start_s: float, stop_s: float, step_s: float, slack: float) -> list[float]:
    """Times between both that divide what lies between them into equal steps of at most step_s, or
    longer by that share of it."""
    steps = math.ceil((stop_s - start_s) / step_s - slack)
    return [start_s + (stop_s - start_s) * k / steps for k in range(1, steps)]


def steps_wanted(
    times_s: NDArray[np.float64], interest: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(T - 1,) seconds to which samples should stand between each two; infinite where they do.

    times_s: (T,) of the samples, ascending. interest: (T, P) of each, see sampling.Known.
    """
    here, there = interest[:-1], interest[1:]
    crosses = np.any([((here >= at) != (there >= at)).any(axis=1) for at in (FIRES, STAYS)], axis=0)
    near = ((np.maximum(here, there) >= NEAR) & (here < FIRES)).any(axis=1)
    steps_s = np.where(crosses, RESOLUTION_S, np.where(near, NEAR_STEP_S, math.inf))
    # Infinity times anything is no gap: such a step is never exceeded.
    steps_s[~(np.diff(times_s) > steps_s * (1 + GAP_SLACK))] = math.inf
    return steps_s


def gaps_wanted(
    times_s: NDArray[np.float64], interest: NDArray[np.float64], looked: Sequence[Gap]
) -> list[Gap]:
    """Gaps, ascending, of which frames should be read: those that are too wide.

    looked: that were read before. What is not in them now is not there at all.
    """
    steps_s = steps_wanted(times_s, interest)
    read = np.array([(gap.start_s, gap.stop_s, gap.step_s) for gap in looked]).reshape(-1, 3)
    wanted = []
    for k in np.flatnonzero(np.isfinite(steps_s)):
        start_s, stop_s, step_s = float(times_s[k]), float(times_s[k + 1]), float(steps_s[k])
        if stop_s - start_s > READ_AT_ONCE_S:
            step_s = max(step_s, (stop_s - start_s) / 2)
        known = (read[:, 0] <= start_s) & (read[:, 1] >= stop_s) & (read[:, 2] <= step_s)
        if not known.any():
            wanted.append(Gap(start_s, stop_s, step_s))
    return wanted


def halves(
    times_s: NDArray[np.float64], interest: NDArray[np.float64], held_s: NDArray[np.float64]
) -> list[int]:
    """Which of the frames held (H,), ascending, become samples next: in each gap between samples
    that is too wide the one nearest to its middle, the earlier of two."""
    chosen = []
    for k in np.flatnonzero(np.isfinite(steps_wanted(times_s, interest))):
        first = int(np.searchsorted(held_s, times_s[k], "right"))
        last = int(np.searchsorted(held_s, times_s[k + 1], "left"))
        if first < last:
            middle_s = (times_s[k] + times_s[k + 1]) / 2
            chosen.append(first + int(np.abs(held_s[first:last] - middle_s).argmin()))
    return chosen


def in_portions(gaps: Iterable[Gap], most: int) -> Iterator[list[Gap]]:
    """The gaps in their order, together as long as they have no more frames than that to read; one
    that has more is alone."""
    portion: list[Gap] = []
    count = 0
    for gap in gaps:
        frames = len(gap.times_s)
        if portion and count + frames > most:
            yield portion
            portion, count = [], 0
        portion.append(gap)
        count += frames
    if portion:
        yield portion
