"""What people have ruled on the findings of verdicts, by the decisions that stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from vscan.decisions.decision import Decision
from vscan.decisions.standing import UNDECIDED, disagreements, standing
from vscan.store.browse import Record

State = Literal["upheld", "overturned", "open", "undecided"]
"""`open`: escalated, or two looks differ and nothing has settled it; `undecided`: nobody ruled."""
STATES: tuple[State, ...] = get_args(State)
STATE_WORDS: Mapping[State, str] = {
    "upheld": "upheld",
    "overturned": "overturned",
    "open": "left open",
    "undecided": "not decided yet",
}
"""The states for people."""
SETTLED: tuple[State, ...] = ("upheld", "overturned")


@dataclass(frozen=True, kw_only=True)
class RuledPolicy:
    """How the findings under one policy were ruled on."""

    policy: str
    states: Mapping[State, int]
    """Findings by state; a state without any is left out."""


class Rulings:
    """The decisions of a log, asked for by verdict and policy."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        """decisions: all of a log, in its order."""
        every = list(decisions)
        self._stands = standing(every)
        self._on: dict[str, list[Decision]] = {}
        for one in sorted(self._stands.values(), key=lambda each: each.policy or ""):
            self._on.setdefault(one.verdict, []).append(one)
        self._open = {(one.verdict, one.policy) for one, _ in disagreements(every)}

    @property
    def verdicts(self) -> set[str]:
        """Ids of all verdicts that a standing decision is on."""
        return set(self._on)

    def on(self, verdict: str) -> list[Decision]:
        """Every standing decision on a verdict, that on the whole first, then by policy."""
        return self._on.get(verdict, [])

    def of(self, verdict: str, policy: str | None) -> Decision | None:
        """What stands for a finding: the ruling under its policy, else that on the whole verdict.

        policy: None asks for the whole verdict alone.
        """
        return self._stands.get((verdict, policy)) or self._stands.get((verdict, None))

    def state(self, verdict: str, policy: str | None) -> State:
        """In which state a finding is."""
        ruling = self.of(verdict, policy)
        if ruling is None:
            return "undecided"
        if ruling.ruling == UNDECIDED or (verdict, ruling.policy) in self._open:
            return "open"
        return "upheld" if ruling.ruling == "uphold" else "overturned"

    def states(self, record: Record) -> dict[str | None, State]:
        """By policy of each finding, its state; under None where the verdict has no finding."""
        policies: list[Any] = [finding["policy"] for finding in record["findings"]] or [None]
        return {policy: self.state(record["id"], policy) for policy in policies}

    def is_settled(self, record: Record) -> bool:
        """Whether somebody has ruled on all of a verdict, and nothing of it is open."""
        return all(state in SETTLED for state in self.states(record).values())


@dataclass(frozen=True, kw_only=True)
class Ruled:
    """How far people have got with the verdicts of a report."""

    states: Mapping[State, int]
    """Findings of the report by state, and verdicts without one that a person should look at."""
    policies: tuple[RuledPolicy, ...]
    """Those that fired, by id."""
    elsewhere: int
    """Verdicts that were ruled on and are not in the report's files."""


def ruled(records: Iterable[Record], rulings: Rulings) -> Ruled:
    """Counts what was ruled on everything that is not clear."""
    policies: dict[str, Counter[State]] = {}
    every: Counter[State] = Counter()
    seen: set[str] = set()
    for record in records:
        seen.add(record["id"])
        if record["outcome"] == "clear" and record["id"] not in rulings.verdicts:
            continue
        for policy, state in rulings.states(record).items():
            every[state] += 1
            if policy is not None:
                policies.setdefault(policy, Counter())[state] += 1
    return Ruled(
        states=every,
        policies=tuple(RuledPolicy(policy=p, states=policies[p]) for p in sorted(policies)),
        elsewhere=len(rulings.verdicts - seen),
    )
