"""How near each sample of a source is to making a rule fire: what adaptive sampling follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vscan.exemplars.index import ExemplarIndex
from vscan.halving import FIRES, NEAR, STAYS
from vscan.matching.prompt_scores import PolicyScores
from vscan.matching.search import SourceTracks, operating_similarity, search

WIDER = 0.05
"""Cosine below an index's operating point from which on a sample is near to a match."""


def interest(
    source: SourceTracks,
    scores: Sequence[PolicyScores],
    limits: Mapping[str, tuple[float | None, float | None]],
    indexes: Sequence[ExemplarIndex],
) -> NDArray[np.float64]:
    """(T, P) interest of each sample to each policy with prompts, and to each index.

    limits: by policy, the score from which it fires and that below which it ceases to. Interest is
    FIRES at the first, STAYS at the second, in proportion below and between; of an index FIRES
    where the sample agrees with an exemplar, NEAR where it nearly does, else 0.
    """
    columns = [
        _of_policy(each.scores, *fires)
        for each in scores
        if (fires := _told(limits.get(each.policy_id))) is not None
    ]
    columns += [_of_index(source, index) for index in indexes]
    if not columns:
        return np.zeros((len(source.times_s), 0))
    return np.stack(columns, axis=1)


def _told(limits: tuple[float | None, float | None] | None) -> tuple[float, float] | None:
    if limits is None or limits[0] is None or limits[1] is None:
        return None
    return limits[0], limits[1]


def _of_policy(scores: NDArray[np.float64], enter: float, leave: float) -> NDArray[np.float64]:
    # As judge rounds them before they meet a threshold.
    found: NDArray[np.float64] = np.interp(
        np.round(scores, 4), (0.0, leave, max(enter, leave + 1e-9)), (0.0, STAYS, FIRES)
    )
    return found


def _of_index(source: SourceTracks, index: ExemplarIndex) -> NDArray[np.float64]:
    found = np.zeros(len(source.times_s))
    for signal in index.signals:
        if signal == "keypoints":
            hits = source.keypoint_hits.get(index.name)
            if hits is not None:
                found[hits.sample] = FIRES
        elif signal in source.tracks:
            if signal == "embedding":
                wider = operating_similarity(index) - WIDER
                near = search(index, signal, source, match_similarity=wider)
                np.maximum.at(found, near.sample, NEAR)
            np.maximum.at(found, search(index, signal, source).sample, FIRES)
    return found
