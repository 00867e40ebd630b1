"""What a calibration found, as one object: schema `vscan.calibration/1`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vscan.metrics.labelled import Rate
from vscan.metrics.thresholds.probabilities import Method
from vscan.metrics.thresholds.reliability import Reliability
from vscan.verdicts import ActionName

Target = Literal["precision", "recall"]
TestName = Literal["binomial", "betting"]


@dataclass(frozen=True, kw_only=True)
class LabelsUsed:
    """What came of the labels."""

    file: str
    sha256: str
    """Of the file, as `sha256:…`."""
    of_policy: int
    """Labels of this policy in the file: what follows down to `used` are parts of it."""
    unmatched: int
    """They meet no video of the store that could be judged, by any of their names, or one that
    another label speaks of more exactly."""
    unscored: int
    """Of videos of which no prompts were scored."""
    matched: int
    """Of videos that an exemplar flags at any threshold: they are no question of the threshold."""
    purposive: int
    """Of videos that were picked for what they show."""
    repeated: int
    """Of content that another label speaks of under another name."""
    contradicted: int
    """Of content of which other labels say the opposite: all of them."""
    used: int
    positives: int
    """Of `used`, those that violate."""
    flagged: int
    """Of `used`, those that the policy's prompts flag under the pack as it is."""
    undecided: int
    """Rulings of the file, on whatever policy, that say nothing of whether the policy was kept."""
    weighted: bool
    """Whether some stand for more videos than others."""


@dataclass(frozen=True, kw_only=True)
class Certified:
    """The threshold, and the test that it rests on."""

    threshold: float
    """0..1: the prompts recommend the action where a video's score is this or more."""
    target: Target
    at_least: float
    """What precision or recall is at least, 0..1."""
    confidence: float
    """The chance 0..1, over draws of the labels, that this is right."""
    method: TestName
    seed: int
    fitted: int
    """Labels that the order of the tests was taken from; 0 for recall, whose order is fixed."""
    tested: int
    """Labels that it was tested on."""
    tests: int
    """Thresholds that were tested in turn."""
    p: float
    """Of the test of this threshold."""


@dataclass(frozen=True, kw_only=True)
class AtThreshold:
    """What the tested labels say of one threshold; labels of different weights give no interval."""

    threshold: float
    precision: Rate
    recall: Rate


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a threshold gives people to do: every video that the policy flags with the action."""

    threshold: float | None
    """Null where the action has none."""
    flagged: int
    """Videos of the store, by prompts or exemplars."""
    by_exemplar: int
    """Of these, those that an exemplar flags at any threshold."""
    of: int
    """Videos of the store that could be judged."""
    share: float
    low: float
    """Of Wilson's 95 % interval of the share, for other videos like these."""
    high: float
    hours: float
    """Of the store's flagged videos, at the minutes per review that were assumed."""
    per_day: float | None = None
    """Flagged of a day's videos; null where nobody said how many there are."""
    per_day_low: float | None = None
    per_day_high: float | None = None
    hours_per_day: float | None = None
    hours_per_day_low: float | None = None
    hours_per_day_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class ProbabilityReport:
    """What a score means as a probability on videos like those that were labelled."""

    method: Method
    fitted: int
    """Labels that it was fitted on; `reliability` is of the others."""
    slope: float | None
    """Of Platt's sigmoid over the score's log-odds; null for isotonic regression."""
    intercept: float | None
    even_at: float | None
    """The score from which a violation is as likely as not; null where it is at none."""
    curve: tuple[tuple[float, float], ...]
    """Some scores, ascending, with their probabilities."""
    reliability: Reliability


@dataclass(frozen=True, kw_only=True)
class CalibrationReport:
    """A threshold that was certified, and what it was certified on."""

    schema: Literal["vscan.calibration/1"] = "vscan.calibration/1"
    vscan: str
    store: str
    pack: str
    """As in a verdict's provenance: name, version and digest."""
    policy: str
    action: ActionName
    model: str
    """Fingerprint of the model that made the embeddings."""
    indexes: Mapping[str, str]
    labels: LabelsUsed
    certified: Certified
    old: AtThreshold | None
    """The threshold that the pack has; null where the action has none."""
    new: AtThreshold
    minutes_per_review: float
    videos_per_day: float | None
    old_load: Load
    new_load: Load
    probabilities: ProbabilityReport | None
    """Null where the labels to fit on are all of one class."""
    unjudged: Mapping[str, int]
    """Videos of the store that could not be judged, by code."""
    notes: tuple[str, ...]
    """What whoever reads this should know."""

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self)


def calibration_json_schema() -> str:
    """JSON Schema (2020-12) of a calibration's report, as text."""
    import vscan.metrics.labelled
    import vscan.metrics.thresholds.reliability
    from vscan.metrics.record_schema import json_schema

    rooms = (vars(vscan.metrics.labelled), vars(vscan.metrics.thresholds.reliability), globals())
    parts = [each for room in rooms for each in room.values() if dataclasses.is_dataclass(each)]
    return json_schema(CalibrationReport, [each for each in parts if isinstance(each, type)])
