"""How far predicted boundaries lie from the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.copies.metrics import Pair, overlap
from bench.copies.set_files import TIMES, Segment


@dataclass(frozen=True)
class Spread:
    """Median and 90th percentile of absolute differences, seconds."""

    median: float
    p90: float


def boundary_gaps(
    truth: Sequence[Segment], kept: Sequence[Segment]
) -> list[tuple[str, dict[str, float]]]:
    """Query id and |predicted - true| of the four boundaries, for each true segment placed.

    The predicted boundaries are those of all overlapping predictions of the pair together.
    """
    by_pair: dict[Pair, list[tuple[float, ...]]] = {}
    for each in kept:
        by_pair.setdefault((each.query_id, each.ref_id), []).append(_four(each))
    gaps = []
    for each in truth:
        a, b, c, d = _four(each)
        met = [
            p
            for p in by_pair.get((each.query_id, each.ref_id), [])
            if overlap(((a, b), (c, d)), ((p[0], p[1]), (p[2], p[3])))
        ]
        if met:
            hull = [
                min(p[0] for p in met), max(p[1] for p in met),
                min(p[2] for p in met), max(p[3] for p in met),
            ]  # fmt: skip
            off = [abs(x - y) for x, y in zip(hull, (a, b, c, d), strict=True)]
            gaps.append((each.query_id, dict(zip(TIMES, off, strict=True))))
    return gaps


def _four(segment: Segment) -> tuple[float, ...]:
    return tuple(float(getattr(segment, name)) for name in TIMES)


def spreads_of(gaps: Sequence[dict[str, float]]) -> dict[str, Spread]:
    """Median and 90th percentile of each boundary; none where nothing was placed."""
    if not gaps:
        return {}
    spreads = {}
    for name in TIMES:
        values = [gap[name] for gap in gaps]
        spreads[name] = Spread(float(np.median(values)), float(np.percentile(values, 90)))
    return spreads
