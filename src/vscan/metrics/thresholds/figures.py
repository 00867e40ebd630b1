"""The figures of a calibration: rates and workload at a threshold, and what a score means."""

from __future__ import annotations

import numpy as np

from vscan.metrics.labelled import LEAST, Rate
from vscan.metrics.proportions import wilson
from vscan.metrics.thresholds.certifying import LabelledScores
from vscan.metrics.thresholds.gathered import Gathered
from vscan.metrics.thresholds.probabilities import fit_probabilities
from vscan.metrics.thresholds.reliability import reliability
from vscan.metrics.thresholds.report import AtThreshold, Load, ProbabilityReport

CURVE = 21
"""Scores whose probabilities a report tells: 0, 0.05, … 1."""


def at_threshold(labelled: LabelledScores, threshold: float, *, only_flagged: bool) -> AtThreshold:
    """Precision and recall as the labels show them. only_flagged: whether nobody looked at what is
    not flagged: then there is no recall."""
    flagged, violates = labelled.scores >= threshold, labelled.violates
    recall = Rate(of=labelled.positives, withheld="every label is of what the pack flags")
    if not only_flagged:
        recall = _rate(flagged & violates, violates, labelled, "videos labelled violating")
    return AtThreshold(
        threshold=threshold,
        precision=_rate(flagged & violates, flagged, labelled, "labelled videos that it flags"),
        recall=recall,
    )


def _rate(
    part: np.ndarray[tuple[int], np.dtype[np.bool_]],
    of: np.ndarray[tuple[int], np.dtype[np.bool_]],
    labelled: LabelledScores,
    what: str,
) -> Rate:
    count = int(of.sum())
    if count < LEAST:
        return Rate(of=count, withheld=f"too few {what}: {count}, and {LEAST} are needed")
    if labelled.is_weighted:
        value = float(labelled.weights[part].sum() / labelled.weights[of].sum())
        return Rate(value=round(value, 4), of=count)
    found = wilson(int(part.sum()), count)
    return Rate(
        value=round(found.value, 4), low=round(found.low, 4), high=round(found.high, 4), of=count
    )


def load(
    gathered: Gathered, threshold: float | None, minutes: float, per_day: float | None
) -> Load:
    """What a threshold gives people to do; None: exemplars alone flag."""
    by_prompts = 0
    if threshold is not None:
        by_prompts = int(np.count_nonzero(np.asarray(gathered.scores) >= threshold))
    flagged = by_prompts + gathered.by_exemplar
    of = len(gathered.scores) + gathered.by_exemplar + gathered.unscored
    share = wilson(flagged, max(1, of))
    day = {}
    if per_day is not None:
        for name, value in (("", share.value), ("_low", share.low), ("_high", share.high)):
            day[f"per_day{name}"] = round(per_day * value, 1)
            day[f"hours_per_day{name}"] = round(per_day * value * minutes / 60, 2)
    return Load(
        threshold=threshold,
        flagged=flagged,
        by_exemplar=gathered.by_exemplar,
        of=of,
        share=round(share.value, 4),
        low=round(share.low, 4),
        high=round(share.high, 4),
        hours=round(flagged * minutes / 60, 2),
        **day,
    )


def probabilities_of(fit: LabelledScores, certify: LabelledScores) -> ProbabilityReport | None:
    """What a score means, fitted on one part of the labels and held against the other; None where
    those to fit on are of one class."""
    if not 0 < fit.positives < len(fit):
        return None
    found = fit_probabilities(fit.scores, fit.violates, fit.weights)
    curve = np.arange(CURVE) / (CURVE - 1)
    values = found.of(curve)
    is_platt = found.method == "platt"
    return ProbabilityReport(
        method=found.method,
        fitted=len(fit),
        slope=round(found.slope, 6) if is_platt else None,
        intercept=round(found.intercept, 6) if is_platt else None,
        even_at=found.even_at,
        curve=tuple((float(a), round(float(b), 4)) for a, b in zip(curve, values, strict=True)),
        reliability=reliability(
            found.of(certify.scores), certify.scores, certify.violates, certify.weights
        ),
    )
