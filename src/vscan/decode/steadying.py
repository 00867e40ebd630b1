"""Timestamps that leap, put in order: a damaged one must not shift or hide what comes after it.

Packets stand in the file in the order in which they are decoded. Where their timestamps leap, the
file falls into runs. The heaviest chain of runs that ascend keeps its times; every other run is put
where it stands in the file, right behind the run before it.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_RUNS = 100_000
"""Runs beyond which timestamps are left as they are."""
ABSURD_SHARE = 0.1
"""Share of the packets that may lie beyond the ceiling by damage; with more the file is so long."""


@dataclass(frozen=True)
class _Run:
    first: int
    """Index of its first packet."""
    low: int
    high: int
    """Its lowest and highest timestamp, ticks."""
    weight: int
    """Packets."""


def steadied(
    ticks: NDArray[np.int64],
    *,
    leap: int,
    frame: int,
    ceiling: int,
    bridge: int | None = None,
    kept: Collection[int] = (),
) -> NDArray[np.int64] | None:
    """Timestamps (N,) in file order without leaps that cannot be; None where there are none.

    leap: ticks by which timestamps may stray from those before them without being a leap. frame:
    ticks of a frame. ceiling: few timestamps that lie so far from most are damaged ones. bridge: a
    leap forward of more ticks is closed, as players do where clocks may start anew (transport
    streams); None: it is a pause. kept: packets before which a leap forward is known to be true,
    for what lay there was lost.
    """
    runs = _runs(ticks, leap)
    if len(runs) <= 1 or len(runs) > MAX_RUNS:
        return None
    chain = _heaviest_chain(runs, _within(runs, ceiling))
    shifts = _shifts(runs, chain, frame, bridge, kept)
    if not any(shifts):
        return None
    lengths = [run.weight for run in runs]
    return ticks + np.repeat(np.array(shifts, np.int64), lengths)


def _runs(ticks: NDArray[np.int64], leap: int) -> list[_Run]:
    # A leap shows against the highest of the run so far; a first pass finds where any can be.
    if len(ticks) == 0 or int(np.abs(np.diff(ticks)).max(initial=0)) <= leap:
        return []
    runs: list[_Run] = []
    first, low, high = 0, int(ticks[0]), int(ticks[0])
    for k, tick in enumerate(ticks.tolist()):
        if abs(tick - high) > leap:
            runs.append(_Run(first, low, high, k - first))
            if len(runs) > MAX_RUNS:
                break
            first, low, high = k, tick, tick
        else:
            low, high = min(low, tick), max(high, tick)
    runs.append(_Run(first, low, high, len(ticks) - first))
    return runs


def _within(runs: Sequence[_Run], ceiling: int) -> list[int]:
    """Indices of the runs near the heaviest; of all where many are not."""
    near = max(runs, key=lambda run: run.weight).low
    close = [
        k for k, run in enumerate(runs) if max(abs(run.low - near), abs(run.high - near)) <= ceiling
    ]
    weight = sum(run.weight for run in runs)
    if sum(runs[k].weight for k in close) < (1 - ABSURD_SHARE) * weight:
        return list(range(len(runs)))
    return close


def _heaviest_chain(runs: Sequence[_Run], among: Sequence[int]) -> set[int]:
    """Indices of the runs of the heaviest sequence in which each lies after the one before.

    A heaviest increasing subsequence, with the best chains kept by where they end: O(R log R) but
    for insertions into a list.
    """
    ends: list[int] = []
    best: list[tuple[int, int]] = []
    """(weight, run) of the heaviest chain that ends at or before `ends`, both ascending."""
    before: dict[int, int] = {}
    for k in among:
        run = runs[k]
        at = bisect.bisect_left(ends, run.low)
        weight = run.weight + (best[at - 1][0] if at else 0)
        before[k] = best[at - 1][1] if at else -1
        place = bisect.bisect_left(ends, run.high)
        if place and best[place - 1][0] >= weight:
            continue
        stop = place
        while stop < len(ends) and best[stop][0] <= weight:
            stop += 1
        ends[place:stop], best[place:stop] = [run.high], [(weight, k)]
    chain = set()
    k = best[-1][1]
    while k >= 0:
        chain.add(k)
        k = before[k]
    return chain


def _shifts(
    runs: Sequence[_Run],
    chain: Collection[int],
    frame: int,
    bridge: int | None,
    kept: Collection[int],
) -> list[int]:
    """Ticks to be added to each run."""
    shifts = []
    start = min(chain)
    base, after = 0, runs[start].low - sum(run.high - run.low + frame for run in runs[:start])
    """What the chain's runs are shifted by, and where the next run may begin."""
    for k, run in enumerate(runs):
        if k not in chain:
            shift = after - run.low
        else:
            pause = run.low + base - after
            if pause < 0 or (bridge is not None and pause > bridge and run.first not in kept):
                base = after - run.low
            shift = base
        shifts.append(shift)
        after = run.high + shift + frame
    return shifts
