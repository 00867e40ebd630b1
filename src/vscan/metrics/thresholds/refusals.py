"""Labels that certify nothing: what is wrong with them, and how many it would take."""

from __future__ import annotations

import math

import numpy as np

from vscan.errors import UsageError
from vscan.metrics.binomial import least_at, least_flawless
from vscan.metrics.thresholds.certifying import Chain, LabelledScores, flagged_at
from vscan.metrics.thresholds.report import Target

PICK = "vscan pick --strategy stratified draws videos to label, with their weights"


def refuse_mixed_models(models: list[str], store: str) -> None:
    """Raises UsageError where the store has embeddings of none or of several models."""
    digests = {model.partition("#")[2] for model in models}
    if not digests:
        raise UsageError(
            f"{store}: no video of it has embeddings, so no prompts can be scored",
            remedy="scan the videos with --store and a model first",
        )
    if len(digests) > 1:
        raise UsageError(
            f"{store}: its embeddings were made by {len(digests)} models: {', '.join(models)}; a"
            " score of one is not that of another",
            remedy="calibrate on a store that one model filled: scan all videos into a new one",
        )


def refuse_labels(
    labelled: LabelledScores,
    flagged: int,
    *,
    policy: str,
    target: Target,
    purposive: int,
    mostly_flagged: bool,
) -> None:
    """Raises UsageError where no test is worth making: no labels, one class, or for recall labels
    of flagged videos alone, or of far more of them than chance would draw (mostly_flagged)."""
    if not len(labelled):
        told = f"; {purposive} were picked for what they show, and no rate rests on such"
        raise UsageError(
            f"no label of {policy} can be used{told if purposive else ''}",
            remedy=f"check that its names are those of the store's videos; {PICK}",
        )
    if labelled.positives in (0, len(labelled)):
        kind = "violating" if labelled.positives else "benign"
        other = "benign" if labelled.positives else "violating"
        raise UsageError(
            f"all {len(labelled)} labelled videos of {policy} are {kind}: nothing tells a"
            " threshold from another",
            remedy=f"label {other} ones too; {PICK}",
        )
    if target == "recall" and flagged == len(labelled):
        raise UsageError(
            f"all {len(labelled)} labels of {policy} are of videos that the pack flags: what it"
            " misses was never looked at, so nothing is known of recall",
            remedy=f"label some that are not flagged as well; {PICK}",
        )
    if target == "recall" and mostly_flagged:
        raise UsageError(
            f"{flagged} of {len(labelled)} labels of {policy} are of videos that the pack flags,"
            " far more than of the store, and they have no weights: recall would seem higher than"
            " it is",
            remedy=f"label more that are not flagged, or give weights; {PICK}",
        )


def too_few(
    tested: Chain,
    labelled: LabelledScores,
    certify: LabelledScores,
    *,
    target: Target,
    at_least: float,
    confidence: float,
) -> UsageError:
    """What to say where no threshold could be certified. labelled: all labels."""
    flawless = least_flawless(at_least, confidence)
    wanted = f"{target} {at_least:g} at confidence {confidence:g}"
    if labelled.is_weighted:
        return UsageError(
            f"no threshold could be certified for {wanted}: of {len(labelled)} labels with"
            f" weights, {labelled.positives} violate",
            remedy="label more of the strata with the largest weights, where one label counts most;"
            f" at equal weights {flawless} would do if not one of them were wrong",
        )
    if target == "recall":
        return _too_few_for_recall(labelled, at_least, confidence, flawless, wanted)
    (right, of), (_, of_all) = (
        (0, 0) if tested.first is None else flagged_at(each, [tested.first])[0]
        for each in (certify, labelled)
    )
    observed, share = right / max(1, of), of_all / len(labelled)
    needed = least_at(observed, at_least, confidence)
    more = f"none would do at the precision of {observed:.2f} that they show"
    remedy = "a threshold cannot mend that: change prompts and contrast, or ask for less"
    if needed is None and of < flawless:
        more, needed = "these are too few to tell how many more", flawless
    elif needed is not None:
        needed = max(needed, flawless)
        more = f"about {needed} would do at the precision of {observed:.2f} that they show"
    if needed is not None and share:
        total = math.ceil(2 * needed / share / 10) * 10
        remedy = f"label about {total} videos drawn as these were, or fewer by strata; {PICK}"
    begin = (
        "none scores above 0" if tested.first is None else f"{of} score {tested.first:g} or more"
    )
    return UsageError(
        f"too few labels for {wanted}: of the {len(certify)} that certify, {begin}, and {right} of"
        f" these violate; it takes {flawless} of which every one violates, and {more}",
        remedy=remedy,
    )


def _too_few_for_recall(
    labelled: LabelledScores,
    at_least: float,
    confidence: float,
    flawless: int,
    wanted: str,
) -> UsageError:
    found = int(np.count_nonzero(labelled.scores[labelled.violates] > 0.0))
    observed = found / labelled.positives
    needed = least_at(min(observed, 1.0 - 1e-12), at_least, confidence)
    reach = f"{found} of {labelled.positives} violating videos score above 0"
    if observed == 1.0:
        needed, reach = flawless, f"{labelled.positives} labels violate"
    if needed is None:
        return UsageError(
            f"no threshold reaches {wanted}: {reach}",
            remedy="the prompts do not see the others: change them, or ask for less",
        )
    share = labelled.positives / len(labelled)
    return UsageError(
        f"too few labels for {wanted}: {reach}; it takes {flawless} violating ones of which not one"
        f" is missed, and about {max(needed, flawless)} at what these show",
        remedy=f"label about {math.ceil(max(needed, flawless) / share / 10) * 10} videos drawn as"
        f" these were; {PICK}",
    )
