"""What people have said already: of labels and of the rulings of a decision log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vscan.decisions.decision import Decision
from vscan.decisions.standing import UNDECIDED, standing
from vscan.metrics.labels import KINDS, OTHER_REASONS, Labels
from vscan.metrics.picking.candidates import Candidate


@dataclass
class Answered:
    """Videos that are answered under a policy, by every name that the answer has for them.

    Unlike a label's use for figures, an answer holds for every copy of the content.
    """

    _said: dict[tuple[str, str, str], tuple[str, str | None]] = field(default_factory=dict)
    """(kind of name, name, policy) to the answer and the content that it names."""
    _whole: set[tuple[str, str]] = field(default_factory=set)
    """(kind of name, name) of anything that was said, under whatever policy."""

    def add_labels(self, labels: Labels) -> None:
        """Takes in what a file of labels says."""
        for label in labels.said:
            word = "violating" if label.violates else "benign"
            self._add(label.names.items(), label.policy, f"labelled {word}")

    def add_decisions(self, decisions: Iterable[Decision]) -> None:
        """Takes in the rulings that stand; what is escalated, or overturned for a reason that says
        nothing of the policy, is no answer."""
        for (_, policy), decision in standing(decisions).items():
            open_still = decision.ruling == UNDECIDED or decision.reason in OTHER_REASONS
            if policy is None or open_still:
                continue
            names = [("verdict", decision.verdict), ("uri", decision.uri)]
            if decision.sha256 is not None:
                names.append(("sha256", decision.sha256))
            word = "upheld" if decision.ruling == "uphold" else "overturned"
            self._add(names, policy, f"{word} by {decision.reviewer}")

    def _add(self, names: Iterable[tuple[str, str]], policy: str, said: str) -> None:
        told = dict(names)
        for kind, name in told.items():
            self._said[kind, name, policy] = (said, told.get("sha256"))
            self._whole.add((kind, name))

    def of(self, candidate: Candidate) -> str | None:
        """What was said of it, in words; None where nobody has. Without a policy: of any."""
        names = {"verdict": candidate.verdict, "sha256": candidate.sha256, "uri": candidate.uri}
        for kind in KINDS:
            name = names[kind]
            if name is None:
                continue
            if candidate.policy is None and (kind, name) in self._whole:
                return "answered under some policy"
            found = self._said.get((kind, name, candidate.policy or ""))
            if found is not None:
                said, content = found
                if content is None or candidate.sha256 in (None, content):
                    return said
        return None
