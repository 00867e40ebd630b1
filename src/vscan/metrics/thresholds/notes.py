"""What whoever reads a calibration should know: of whom its guarantee is, what moves with it."""

from __future__ import annotations

from collections.abc import Iterator

from vscan.metrics.binomial import upper_tail
from vscan.metrics.scored import WORDS, Scoring
from vscan.metrics.thresholds.certifying import LabelledScores
from vscan.metrics.thresholds.gathered import Gathered
from vscan.policies import Policy
from vscan.policies.drift import opens_at

NO_CHANCE = 0.001
"""How unlikely the share of flagged videos among labels of equal weight must be, had they been
drawn from the store alike, before it is said that they were not."""


def notes_on(
    scoring: Scoring,
    gathered: Gathered,
    policy: Policy,
    labelled: LabelledScores,
    *,
    flagged: int,
) -> Iterator[str]:
    """Notes, the most general first. flagged: labelled videos that the pack's prompts flag."""
    yield from scoring.rejudging.notes
    yield from _on_labels(gathered, labelled, flagged)
    if gathered.by_exemplar:
        yield (
            f"{gathered.by_exemplar} videos are flagged by an exemplar whatever the threshold: they"
            " count in the workload, and precision and recall are of the others"
        )
    action = gathered.action
    graver = [
        word
        for each, word in WORDS.items()
        if each > action and policy.thresholds.of(each) is not None
    ]
    if graver and opens_at(policy, WORDS[action]) is None:
        yield (
            f"segments open at the lowest threshold: with another {WORDS[action]},"
            f" {' and '.join(graver)} may be recommended for other videos than before"
        )
    for signal, videos in sorted(scoring.rejudging.missing.items()):
        yield f"{videos} videos have no {signal} in the store (signal_not_stored)"
    samplings = sorted({way.sampling for way in scoring.rejudging.scored if way.model})
    if len(samplings) > 1:
        yield (
            f"the store's videos were sampled in {len(samplings)} ways ({', '.join(samplings)}): a"
            " video's score depends on it"
        )


def _on_labels(gathered: Gathered, labelled: LabelledScores, flagged: int) -> Iterator[str]:
    if flagged == len(labelled):
        yield (
            "every label is of what the pack flags: no threshold below the one it has could be"
            " tested, and nothing is known of what it misses"
        )
    elif _is_biased(labelled, flagged, gathered):
        among, of_store = flagged / len(labelled), gathered.flagged / len(gathered.scores)
        yield (
            f"{among:.0%} of the labelled videos are flagged now, and {of_store:.0%} of the store:"
            " they are no random sample of it, and the guarantee is of videos like the labelled"
            " ones alone; what `vscan pick` draws has weights that mend that"
        )
    if flagged < len(labelled) and mostly_flagged(labelled, flagged, gathered):
        yield (
            "too few of the labels are of what the pack does not flag: no threshold below the one"
            " it has is tried, and recall seems higher than it is"
        )
    if labelled.is_weighted:
        yield (
            "weights are taken to be 1 over the chance of being drawn, each weight one stratum, and"
            " strata to be cut by score where the pack's lowest threshold and its release are, as"
            " `vscan pick` cuts them; where one weight stands on both sides of such a score it is"
            " taken not to be cut there, which asks for more labels"
        )


def mostly_flagged(labelled: LabelledScores, flagged: int, gathered: Gathered) -> bool:
    """Whether labels of equal weight are of flagged videos more often than chance would have it, as
    a review queue's are: of the others they show too few. flagged: of the labels."""
    share = _flagged_share(gathered)
    if labelled.is_weighted or share is None:
        return False
    return upper_tail(flagged, len(labelled), share) < NO_CHANCE


def _is_biased(labelled: LabelledScores, flagged: int, gathered: Gathered) -> bool:
    """Whether so many flagged labels of equal weight, or so few, hardly come by chance."""
    of, share = len(labelled), _flagged_share(gathered)
    if labelled.is_weighted or share is None:
        return False
    fewer = upper_tail(of - flagged, of, 1.0 - share)
    return mostly_flagged(labelled, flagged, gathered) or fewer < NO_CHANCE


def _flagged_share(gathered: Gathered) -> float | None:
    """Of the store's videos, 0..1; None where it is all or nothing."""
    share = gathered.flagged / len(gathered.scores)
    return share if 0.0 < share < 1.0 else None
