"""Which cases a reviewer is asked to decide, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vscan.decisions.decision import Decision, Kind
from vscan.decisions.standing import Case, standing
from vscan.store.browse import Record

SEVERITIES = ("critical", "high", "medium", "low")
"""The most severe first."""


@dataclass(frozen=True, kw_only=True)
class QueuedCase:
    """A verdict under one policy, or as a whole, that somebody is asked to decide."""

    record: Record
    """The verdict's line as plain values."""
    policy: str | None
    """None for the whole verdict."""
    kind: Kind = "first"
    about: str | None = None
    """Id of the first decision, for a second look."""

    @property
    def case(self) -> Case:
        """By what the log tells cases apart."""
        return self.record["id"], self.policy

    @property
    def finding(self) -> Mapping[str, Any] | None:
        """What the policy found; None where it did not fire, and for a whole verdict."""
        found = (each for each in self.record["findings"] if each["policy"] == self.policy)
        return next(found, None)


def urgency(case: QueuedCase) -> tuple[int, float, str, str, str]:
    """Sorts the most severe first, of equally severe ones the least certain: uncertainty sampling
    by the distance of the score from its threshold (Lewis and Gale 1994, "A sequential algorithm
    for training text classifiers"). What has no finding comes last; ties by URI, verdict, policy.
    """
    finding, record = case.finding, case.record
    rank, distance = len(SEVERITIES) + 1, 0.0
    if finding is not None:
        severe = finding["severity"]
        rank = SEVERITIES.index(severe) if severe in SEVERITIES else len(SEVERITIES)
        distance = abs(finding["score"] - finding["threshold"])
    return rank, round(distance, 6), record["source"]["uri"], record["id"], case.policy or ""


def first_looks(records: Iterable[Record], decisions: Iterable[Decision]) -> list[QueuedCase]:
    """Every flagged policy of every verdict on which nothing stands yet, by `urgency`.

    A verdict that wants review without any finding (an error, or a video that was seen in part) is
    one case as a whole.
    """
    stands = standing(decisions)
    found = []
    for record in records:
        policies: list[str | None] = [each["policy"] for each in record["findings"]]
        if not policies and record["outcome"] != "clear":
            policies = [None]
        found += [QueuedCase(record=record, policy=policy) for policy in policies]
    return sorted((each for each in found if each.case not in stands), key=urgency)


def picked_looks(
    records: Iterable[Record], picks: Sequence[Case], decisions: Iterable[Decision]
) -> tuple[list[QueuedCase], int]:
    """The picked cases on which nothing stands yet, in the order of `picks`, each once; and how
    many name a verdict that is not among the records."""
    by_id = {record["id"]: record for record in records}
    stands = standing(decisions)
    unknown = sum(verdict not in by_id for verdict, _ in picks)
    cases = [
        QueuedCase(record=by_id[verdict], policy=policy)
        for verdict, policy in dict.fromkeys(picks)
        if verdict in by_id and (verdict, policy) not in stands
    ]
    return cases, unknown


def second_looks(
    records: Iterable[Record], decisions: Iterable[Decision], reviewer: str
) -> list[QueuedCase]:
    """Cases that somebody else has looked at first, and nobody since, by `urgency`."""
    by_id = {record["id"]: record for record in records}
    firsts: dict[Case, Decision] = {}
    followed: set[Case] = set()
    for each in decisions:
        case = (each.verdict, each.policy)
        if each.kind == "first":
            firsts[case] = each
        elif each.kind != "gold":
            followed.add(case)
    cases = [
        QueuedCase(record=by_id[case[0]], policy=case[1], kind="second", about=first.id)
        for case, first in firsts.items()
        if case not in followed and case[0] in by_id and first.reviewer != reviewer
    ]
    return sorted(cases, key=urgency)
