"""What copy detection must reach, and whether scores reach it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.copies.scoring import GroupScore, Scores
from vscan.sampling import GridRequest, Known, parse_sampling

MICRO_AP = {"plain": 0.99, "hard": 0.95}
"""Least pair micro-AP by group; false pairs of traps count."""
SEGMENT = 0.9
"""Least precision and recall of segments, in each of these groups."""
ROUNDING_S = 1e-6
"""Times are written with six decimals."""


@dataclass(frozen=True)
class Gate:
    """One thing to reach."""

    about: str
    met: bool | None
    """None where the scores do not say: no such edits in the set, or predictions without times."""


def gates(scores: Scores, step_s: float | None) -> Iterator[Gate]:
    """Every gate, always the same ones in the same order.

    step_s: seconds between samples, which no boundary is known better than; None where samples
    are not that far apart everywhere, and boundaries have no gate to meet.
    """
    groups = {group.name: group for group in scores.groups}
    for name, least in MICRO_AP.items():
        group = groups.get(name)
        yield Gate(
            f"{name} pair micro-AP >= {least:g}", None if group is None else group.micro_ap >= least
        )
    yield Gate("false pairs == 0", not scores.false_pairs)
    for name in MICRO_AP:
        yield from _segment_gates(name, groups.get(name))
    medians = [spread.median for spread in scores.boundaries.values()]
    yield Gate(
        "median boundary error <= sampling step, each of the four boundaries",
        max(medians) <= step_s + ROUNDING_S if step_s is not None and medians else None,
    )


def sampling_step_s(sampling: str) -> float | None:
    """Seconds between samples; None for a plan that keeps no such step.

    Raises SamplingError where there is no such sampling.
    """
    request = parse_sampling(sampling).next_request(Known(duration_s=None))
    return request.step_s if isinstance(request, GridRequest) else None


def _segment_gates(name: str, group: GroupScore | None) -> Iterator[Gate]:
    segments = None if group is None else group.segments
    for side in ("precision", "recall"):
        met = None if segments is None else float(getattr(segments, side)) >= SEGMENT
        yield Gate(f"{name} segment {side} >= {SEGMENT:g}", met)
