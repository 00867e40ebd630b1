"""Labels of one policy, met with the scores of their videos: each content once, as numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from vscan.metrics.labels import Label, Labels, LabelUse
from vscan.metrics.scored import ScoredVideo
from vscan.metrics.thresholds.certifying import LabelledScores
from vscan.policies import Action


@dataclass(frozen=True, slots=True)
class _Met:
    score: float
    violates: bool
    weight: float
    flagged: bool


@dataclass
class Gathered:
    """Scores of a store's videos for one action of one policy, and the labels that meet them."""

    labels: Labels
    policy: str
    action: Action
    scores: list[float] = field(default_factory=list)
    """Of every video whose prompts were scored and that no exemplar flags anyhow."""
    by_exemplar: int = 0
    """Videos that an exemplar flags with the action or a graver one, at any threshold."""
    flagged: int = 0
    """Of `scores`, videos that the policy's prompts flag under the pack as it is."""
    unscored: int = 0
    """Videos that were judged, and of which no prompts were scored."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Labels by why they are not used, as fields of `LabelsUsed`."""

    def __post_init__(self) -> None:
        self._use = LabelUse(self.labels)
        self._met: dict[str, list[_Met]] = {}
        self._said: dict[str, dict[str, bool]] = {}
        """By SHA-256 and URI what labels that name both say: of copies one alone meets a video."""
        for label in self.labels.said:
            uri, content = label.names.get("uri"), label.names.get("sha256")
            if label.policy == self.policy and not label.purposive and uri and content:
                self._said.setdefault(content, {})[uri] = label.violates

    def see(self, video: ScoredVideo) -> None:
        """Count one video that was judged."""
        of = video.policies[self.policy]
        label = self._use.of(video.source, (video.verdict,)).get(self.policy)
        if of.matched is not None and Action.of(of.matched) >= self.action:
            self.by_exemplar += 1
            self.left_out["matched"] += label is not None
        elif of.score is None:
            self.unscored += 1
            self.left_out["unscored"] += label is not None
        else:
            self.scores.append(of.score)
            self.flagged += of.by_prompts
            if label is not None:
                content = video.source.sha256 or video.source.uri
                self._meet(content, label, of.score, flagged=of.by_prompts)

    def _meet(self, content: str, label: Label, score: float, *, flagged: bool) -> None:
        if label.purposive:
            self.left_out["purposive"] += 1
        else:
            met = _Met(score, label.violates, label.weight, flagged)
            self._met.setdefault(content, []).append(met)

    def labelled(self) -> tuple[LabelledScores, int]:
        """The labels that can be used, each content once with its first weight, in an order that
        depends on contents alone; and how many of them the prompts flag as the pack is. Asked once,
        when every video was seen."""
        used = []
        for content in sorted(self._met):
            met = self._met[content]
            said = {each.violates for each in met} | {*self._said.get(content, {}).values()}
            if len(said) > 1:
                self.left_out["contradicted"] += len(met)
            else:
                self.left_out["repeated"] += len(met) - 1
                used.append(met[0])
        return LabelledScores(
            np.array([each.score for each in used], np.float64),
            np.array([each.violates for each in used], np.bool_),
            np.array([each.weight for each in used], np.float64),
        ), sum(each.flagged for each in used)

    @property
    def of_policy(self) -> int:
        """Labels of the policy in the file."""
        return sum(label.policy == self.policy for label in self.labels.said)
