"""A calibration: scores of a frame store and labels into a threshold that meets a target."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vscan.errors import UsageError
from vscan.metrics.backtest.volumes import MINUTES_PER_REVIEW
from vscan.metrics.labels import load_labels
from vscan.metrics.scored import WORDS, ScoredVideo, Scoring, prepare_scoring
from vscan.metrics.thresholds.certifying import (
    LabelledScores,
    certify_precision,
    certify_recall,
    cuts,
    halves,
)
from vscan.metrics.thresholds.figures import at_threshold, load, probabilities_of
from vscan.metrics.thresholds.gathered import Gathered
from vscan.metrics.thresholds.notes import mostly_flagged, notes_on
from vscan.metrics.thresholds.refusals import refuse_labels, refuse_mixed_models, too_few
from vscan.metrics.thresholds.report import CalibrationReport, Certified, LabelsUsed, Target
from vscan.policies import Action, Policy
from vscan.policies.checks import threshold_contradictions
from vscan.policies.drift import opens_at
from vscan.provenance import version
from vscan.rescanning import models_of
from vscan.runs import without_secrets
from vscan.settings import ScanSettings


@dataclass(frozen=True, kw_only=True)
class CalibrateSettings:
    """What a calibration is told beside what judging is told (ScanSettings)."""

    labels: Path
    policy: str
    """The policy whose threshold is set."""
    target: Target
    at_least: float
    """What precision or recall has to be, above 0 and below 1."""
    action: str = "review"
    """The action whose threshold is set: review, escalate or remove."""
    confidence: float = 0.95
    """Above 0.5 and below 1."""
    seed: int = 0
    minutes_per_review: float = MINUTES_PER_REVIEW
    videos_per_day: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.at_least < 1.0:
            raise UsageError(
                f"target {self.target} must be above 0 and below 1, not {self.at_least:g}",
                remedy="a share as 0.9; no number of labels proves a share of 1",
            )
        if not 0.5 <= self.confidence < 1.0:
            raise UsageError(
                f"confidence must be from 0.5 to below 1, not {self.confidence:g}",
                remedy="a share as 0.95; no number of labels makes it certain",
            )
        for name in ("minutes_per_review", "videos_per_day"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value < float("inf"):
                told = name.replace("_", " ")
                raise UsageError(
                    f"{told} must be a number from 0 on, not {value:g}",
                    remedy="give what you have measured, or leave it out",
                )
        if self.action not in ("review", "escalate", "remove"):
            raise UsageError(
                f"{self.action!r} is no action with a threshold",
                remedy="one of: review, escalate, remove",
            )


@dataclass(eq=False)
class Calibrating:
    """A calibration under way: `steps` scores the store, `report` says what came of it."""

    settings: CalibrateSettings
    scoring: Scoring
    gathered: Gathered
    policy: Policy
    labels_sha256: str
    model: str

    def steps(self) -> Iterator[ScoredVideo | None]:
        """Scores each source of the store; None for one that could not be judged."""
        for video in self.scoring.videos():
            if video is not None:
                self.gathered.see(video)
            yield video

    def report(self) -> CalibrationReport:
        """The threshold. Raises UsageError where the labels certify none, with what it takes."""
        settings, gathered = self.settings, self.gathered
        labelled, flagged = gathered.labelled()
        used = self._used(labelled, flagged)
        refuse_labels(
            labelled,
            flagged,
            policy=settings.policy,
            target=settings.target,
            purposive=used.purposive,
            mostly_flagged=mostly_flagged(labelled, flagged, gathered),
        )
        fit, certify = halves(labelled, settings.seed)
        tested_on = labelled if settings.target == "recall" else certify
        certified = self._certified(labelled, fit, certify, flagged)
        self._refuse_descending(certified.threshold)
        provenance = next(iter(self.scoring.rejudging.rules.values())).provenance
        old = self.policy.thresholds.of(self._action)
        only_flagged = flagged == len(labelled)
        minutes, per_day = settings.minutes_per_review, settings.videos_per_day
        return CalibrationReport(
            vscan=version(),
            store=without_secrets(str(self.scoring.rejudging.store.root)),
            pack=self.scoring.rejudging.pack.ref,
            policy=settings.policy,
            action=WORDS[self._action],
            model=self.model,
            indexes=provenance.indexes,
            labels=used,
            certified=certified,
            old=None if old is None else at_threshold(tested_on, old, only_flagged=only_flagged),
            new=at_threshold(tested_on, certified.threshold, only_flagged=only_flagged),
            minutes_per_review=minutes,
            videos_per_day=per_day,
            old_load=load(gathered, old, minutes, per_day),
            new_load=load(gathered, certified.threshold, minutes, per_day),
            probabilities=probabilities_of(fit, certify),
            unjudged=dict(sorted(self.scoring.unjudged.items())),
            notes=tuple(notes_on(self.scoring, gathered, self.policy, labelled, flagged=flagged)),
        )

    @property
    def _action(self) -> Action:
        return Action.of(self.settings.action)

    def _used(self, labelled: LabelledScores, flagged: int) -> LabelsUsed:
        left_out = self.gathered.left_out
        known = {
            reason: left_out[reason]
            for reason in ("unscored", "matched", "purposive", "repeated", "contradicted")
        }
        return LabelsUsed(
            file=str(self.settings.labels),
            sha256=self.labels_sha256,
            of_policy=self.gathered.of_policy,
            unmatched=self.gathered.of_policy - len(labelled) - sum(known.values()),
            used=len(labelled),
            positives=labelled.positives,
            flagged=flagged,
            undecided=self.gathered.labels.undecided,
            weighted=labelled.is_weighted,
            **known,
        )

    def _certified(
        self, labelled: LabelledScores, fit: LabelledScores, certify: LabelledScores, flagged: int
    ) -> Certified:
        settings, lowest = self.settings, self.policy.thresholds.lowest
        floor = opens_at(self.policy, settings.action) or 0.0
        asked = {"target": settings.at_least, "confidence": settings.confidence}
        if settings.target == "recall":
            tested = certify_recall(labelled, floor=floor, **asked)
        else:
            unseen = flagged == len(labelled) or mostly_flagged(labelled, flagged, self.gathered)
            if unseen and lowest is not None:
                floor = max(floor, lowest)  # below it hardly anybody looked
            asked_at = (self.policy.release_score, lowest)
            edges = cuts(labelled, [e for e in asked_at if e is not None])
            tested = certify_precision(fit, certify, floor=floor, edges=edges, **asked)
        if tested.threshold is None or tested.p is None:
            raise too_few(
                tested,
                labelled,
                certify,
                target=settings.target,
                at_least=settings.at_least,
                confidence=settings.confidence,
            )
        precision = settings.target == "precision"
        return Certified(
            threshold=tested.threshold,
            target=settings.target,
            at_least=settings.at_least,
            confidence=settings.confidence,
            method="binomial" if tested.exact else "betting",
            seed=settings.seed,
            fitted=len(fit) if precision else 0,
            tested=len(certify) if precision else len(labelled),
            tests=tested.tried,
            p=float(f"{tested.p:.3g}"),
        )

    def _refuse_descending(self, threshold: float) -> None:
        """Raises UsageError where the threshold would not lie between its neighbours."""
        given = self.policy.thresholds.model_dump(exclude_none=True)
        for clash in threshold_contradictions(given | {self.settings.action: threshold}):
            raise UsageError(
                f"{self.settings.policy}: the threshold {threshold:g} was certified for"
                f" {self.settings.action}, but {clash.message}",
                remedy=f"{clash.hint}; set the other one first (--action), or ask for another"
                " target",
            )


def prepare_calibration(settings: CalibrateSettings, judging: ScanSettings) -> Calibrating:
    """Load the pack `judging.policy`, the indexes and the labels, and open `judging.store`.

    Raises UsageError where one of them cannot be used, or the policy has no prompts.
    """
    labels = load_labels(settings.labels)
    digest = hashlib.sha256(settings.labels.read_bytes()).hexdigest()
    action = Action.of(settings.action)
    scoring = prepare_scoring(judging, {settings.policy: action})
    policy = scoring.rejudging.pack.policy(settings.policy)
    if not policy.prompts:
        raise UsageError(
            f"{settings.policy} has no prompts: exemplars flag at any threshold",
            remedy="calibrate a policy with prompts; for matches see vscan index calibrate",
        )
    models = models_of(scoring.rejudging.scored)
    refuse_mixed_models(models, str(judging.store))
    gathered = Gathered(labels, settings.policy, action)
    return Calibrating(settings, scoring, gathered, policy, f"sha256:{digest}", models[0])
