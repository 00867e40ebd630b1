"""What people said of a case, found by verdict, content or name: from labels and from decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vscan.decisions.decision import Decision
from vscan.metrics.labels import KINDS, OTHER_REASONS, Labels

MISSED = "missed_segment"
ANY = ""
"""Stands for the policy where a video was found clear under all of them."""


@dataclass(frozen=True)
class Names:
    """What a case's video is known by."""

    verdict: str
    sha256: str | None
    uri: str

    def of(self, kind: str) -> str | None:
        """The name of that kind of KINDS."""
        return {"verdict": self.verdict, "sha256": self.sha256, "uri": self.uri}[kind]


@dataclass
class Answers:
    """Whether cases violate their policy. What was added last under a name counts."""

    _said: dict[tuple[str, str, str], tuple[bool, str | None]] = field(default_factory=dict)

    @classmethod
    def of_labels(cls, labels: Labels) -> Answers:
        """From labels, each under every name that it has."""
        made = cls()
        for label in labels.said:
            for kind, name in label.names.items():
                content = label.names.get("sha256")
                made._said[kind, name, label.policy] = (label.violates, content)
        return made

    @classmethod
    def of_decisions(cls, standing: Iterable[Decision], *, flagged: bool) -> Answers:
        """From the decisions that stand, where they say whether the policy is violated.

        flagged: whether they are asked about videos that the policy fires on; see
        `rules_on_unflagged` for what they say of others, and on other verdicts than the one asked
        about: there the policy may not have fired.
        """
        made = cls()
        for decision in standing:
            if flagged and decision.policy is None:
                continue
            for kind in KINDS:
                name = getattr(decision, kind)
                same = kind == "verdict"
                violates = (
                    rules(decision)
                    if flagged and same
                    else rules_on_unflagged(decision, same_verdict=same)
                )
                if name is not None and violates is not None:
                    place = (kind, name, decision.policy or ANY)
                    made._said[place] = (violates, decision.sha256)
        return made

    def find(self, names: Names, policy: str) -> bool | None:
        """Whether it violates the policy; None where nobody said. The most exact name counts; one
        that was said of other content under the same name does not."""
        for kind in KINDS:
            for asked in (policy, ANY):
                said = self._said.get((kind, names.of(kind) or "", asked))
                if said is not None:
                    violates, content = said
                    if content is None or names.sha256 is None or content == names.sha256:
                        return violates
        return None


def rules(decision: Decision) -> bool | None:
    """Whether a decision says that its policy is violated by what was flagged; None where it leaves
    that open: escalated, or overturned for a technical reason or a missed segment."""
    if decision.ruling == "uphold":
        return True
    if decision.ruling == "overturn" and decision.reason not in OTHER_REASONS:
        return False
    return None


def rules_on_unflagged(decision: Decision, *, same_verdict: bool) -> bool | None:
    """What a decision says where the policy does not fire; None where it leaves that open.

    It was overturned for a missed segment: it violates. What another verdict flagged was upheld: it
    violates. That nothing was flagged was upheld, under the policy or as a whole: it does not.
    same_verdict: whether it rules on the very verdict in which the policy is silent. One on another
    verdict, upheld without segments, does not say whether these were left out.
    """
    if decision.ruling == "overturn" and decision.reason == MISSED:
        return None if decision.policy is None else True
    if decision.ruling == "uphold" and (same_verdict or not decision.segments):
        return False if same_verdict or decision.policy is None else None
    return None if decision.policy is None else rules(decision)
