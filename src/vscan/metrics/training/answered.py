"""What trainees answered to the cases of a pack: gathered from their decision logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vscan.decisions.chain import Verified
from vscan.decisions.decision import Decision
from vscan.errors import UsageError
from vscan.metrics.training.cases import LOOKS
from vscan.metrics.training.files import HeldPack


@dataclass(frozen=True)
class TraineeLog:
    """A decision log that a trainee decided into."""

    name: str
    decisions: Sequence[Decision]
    """All of it, in its order."""
    chain: Verified
    """What walking its chain came to."""


@dataclass
class Answered:
    """What one trainee answered."""

    reviewer: str
    logs: list[str] = field(default_factory=list)
    """Names of the logs that it is from."""
    last: dict[int, Decision] = field(default_factory=dict)
    """By number of the case, the decision that counts: the last one."""
    seconds_viewed: dict[int, float] = field(default_factory=dict)
    """By number, over all decisions on the case; where it was measured."""
    known: frozenset[int] = frozenset()
    """Numbers of cases that the trainee had ruled on before the pack was made."""
    ignored: Counter[str] = field(default_factory=Counter)
    """By why, in words: decisions that do not count."""

    def see(self, decision: Decision, number: int | None) -> None:
        """Take in a decision. number: of the case that it is on; None where the pack has none."""
        if decision.kind not in LOOKS:
            self.ignored["neither a first nor a second look"] += 1
        elif number is None:
            self.ignored["on cases that are not in the pack"] += 1
        else:
            if decision.seconds_viewed is not None:
                before = self.seconds_viewed.get(number, 0.0)
                self.seconds_viewed[number] = before + decision.seconds_viewed
            if number in self.known:
                self.ignored["on cases that the trainee had ruled on before"] += 1
                return
            self.ignored["replaced by a later one"] += number in self.last
            self.last[number] = decision


def gather(
    pack: HeldPack, logs: Iterable[TraineeLog], reviewers: Sequence[str] = ()
) -> list[Answered]:
    """What each trainee answered, by name. Logs count in their order, each from its beginning.

    reviewers: only these; empty: everybody who decided in the logs. Raises UsageError for one who
    decided nothing, and where nobody did.
    """
    numbers = {(each.verdict, each.policy): each.number for each in pack.cases}
    found: dict[str, Answered] = {}
    for log in logs:
        for decision in log.decisions:
            name = decision.reviewer
            if name not in found:
                known = frozenset(a.number for a in pack.answers if name in a.reviewers)
                found[name] = Answered(name, known=known)
            if log.name not in found[name].logs:
                found[name].logs.append(log.name)
            number = numbers.get((decision.verdict, decision.policy or ""))
            found[name].see(decision, number)
    absent = [name for name in reviewers if name not in found]
    if absent or not found:
        there = ", ".join(sorted(found)) or "nobody"
        raise UsageError(
            f"{', '.join(absent) or 'nobody'} decided in the logs",
            remedy=f"in them decided: {there}; a trainee decides with `vscan review`",
        )
    return [found[name] for name in sorted(found) if not reviewers or name in reviewers]
