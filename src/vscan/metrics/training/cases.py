"""Cases that people have settled firmly enough to train reviewers with, and why others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vscan.decisions.decision import Decision, Ruling
from vscan.decisions.standing import UNDECIDED, Case, disagreements, standing
from vscan.errors import UsageError
from vscan.intervals import Interval, union
from vscan.metrics.enforcement.answers import rules
from vscan.metrics.labels import OTHER_REASONS
from vscan.policies.actions import SEVERITIES
from vscan.store.browse import Record

Firmness = Literal["appeal", "adjudication", "two_looks"]
"""What settled a case, the firmest first; `two_looks`: a first and a second look by different
people that agree."""
LOOKS = ("first", "second")
GRAVER = ("high", "critical")
"""Severities of which no more than two follow each other where that can be helped."""


@dataclass(frozen=True, kw_only=True)
class SettledCase:
    """A verdict under one policy, and what people settled on."""

    verdict: str
    uri: str
    sha256: str | None
    policy: str
    severity: str
    segments: tuple[tuple[float, float], ...]
    """What the policy flags, start and end in seconds of the source."""
    footage_s: float
    """Seconds in those segments, where they overlap counted once."""
    margin: float
    """The finding's score less its threshold, 0 or more: near 0 the machine was unsure."""
    market: str | None
    pack: str
    """The policy pack that the verdict was made under, with its digest."""
    ruling: Ruling
    """`uphold` or `overturn`."""
    reason: str | None
    """Why it was overturned."""
    why: str
    """The note of the decision that stands."""
    firmness: Firmness
    looks: tuple[Ruling, ...]
    """Rulings of the first and second looks, in the order of the log."""
    reviewers: tuple[str, ...]
    """Everybody who ruled on it, by name: they know it, and cannot be trained with it."""

    @property
    def key(self) -> tuple[str, str]:
        """Verdict and policy: what tells one case from another."""
        return self.verdict, self.policy

    @property
    def violates(self) -> bool:
        """Whether the policy was found to be violated."""
        return self.ruling == "uphold"

    @property
    def disputed(self) -> bool:
        """Whether first and second looks had ruled differently."""
        return len(set(self.looks)) > 1

    @property
    def content(self) -> str:
        """What tells one video from another: its bytes, or its name where those were not read."""
        return self.sha256 or f"uri:{self.uri}"

    @property
    def graver(self) -> bool:
        """Whether its severity is among GRAVER."""
        return self.severity in GRAVER


@dataclass(frozen=True, kw_only=True)
class CasesWanted:
    """Which cases may be taken."""

    policies: tuple[str, ...] = ()
    """Ids, each taking in the ids below it; empty: all."""
    market: str | None = None
    """Only cases of this market."""
    most_severe: str = "high"
    """Cases of a graver severity are left out. Raises UsageError for what is no severity."""

    def __post_init__(self) -> None:
        if self.most_severe not in SEVERITIES:
            raise UsageError(
                f"--most-severe {self.most_severe!r} is no severity",
                remedy=f"one of: {', '.join(SEVERITIES)}",
            )


@dataclass(frozen=True)
class SettledCases:
    """The cases of a log that can be used, and how many cannot."""

    cases: tuple[SettledCase, ...]
    """By content, then verdict and policy: an order that no ruling has a part in."""
    left_out: Mapping[str, int]
    """By why, in words: cases of the log on which a ruling stands."""


def settled_cases(
    decisions: Sequence[Decision], records: Iterable[Record], wanted: CasesWanted
) -> SettledCases:
    """The cases whose standing ruling is firm. decisions: all of a log, in its order."""
    on: dict[Case, list[Decision]] = {}
    for one in decisions:
        on.setdefault((one.verdict, one.policy), []).append(one)
    unsettled = {(one.verdict, one.policy) for one, _ in disagreements(decisions)}
    gold = _gold(decisions)
    by_id = {record["id"]: record for record in records}
    left_out: Counter[str] = Counter()
    found = []
    for key, stands in standing(decisions).items():
        why = _unfit(stands, on[key], key in unsettled) or _known(stands, gold)
        case = None
        if why is None:
            case, why = _case(stands, on[key], by_id.get(stands.verdict))
        if case is not None:
            why = _unwanted(case, wanted)
        if case is None or why is not None:
            left_out[why or ""] += 1
        else:
            found.append(case)
    kept = _uncontradicted(found)
    if len(found) > len(kept):
        left_out["the same content was ruled on otherwise"] = len(found) - len(kept)
    kept.sort(key=lambda each: (each.content, each.verdict, each.policy))
    return SettledCases(tuple(kept), dict(sorted(left_out.items())))


def firmness(stands: Decision, history: Sequence[Decision]) -> Firmness | None:
    """What makes a standing decision firm; None where nothing does.

    Two looks are firm where the latest look of each of at least two people says the same, so that
    one who took a look back is heard. history: all decisions on the case, in the order of the log.
    """
    if stands.kind == "appeal":
        return "appeal"
    if stands.kind == "adjudication":
        return "adjudication"
    latest = {one.reviewer: rules(one) for one in history if one.kind in LOOKS}
    kinds = {one.kind for one in history if one.kind in LOOKS}
    agree = set(latest.values()) == {rules(stands)}
    return "two_looks" if len(latest) > 1 and len(kinds) > 1 and agree else None


def _unfit(stands: Decision, history: Sequence[Decision], unsettled: bool) -> str | None:
    """Why a case has no firm answer."""
    if stands.policy is None:
        return "ruled on as a whole verdict, not under one policy"
    if unsettled:
        return "two looks differ and nothing has settled it"
    if stands.ruling == UNDECIDED:
        return "escalated"
    if rules(stands) is None:
        return f"overturned for {' or '.join(OTHER_REASONS)}"
    if firmness(stands, history) is None:
        looks = {one.reviewer for one in history if one.kind in LOOKS}
        return "one look only" if len(looks) < 2 else "looks that do not agree or do not follow"
    return None


def _gold(decisions: Iterable[Decision]) -> set[str]:
    """Verdicts and contents of items whose answer was known: they are for measuring."""
    gold = [one for one in decisions if one.kind == "gold"]
    return {one.verdict for one in gold} | {one.sha256 for one in gold if one.sha256 is not None}


def _known(stands: Decision, gold: set[str]) -> str | None:
    return "a gold item" if {stands.verdict, stands.sha256} & gold else None


def _case(
    stands: Decision, history: Sequence[Decision], record: Record | None
) -> tuple[SettledCase | None, str | None]:
    """The case, or why it can be none."""
    if record is None:
        return None, "the verdict is not in the verdict files"
    finding = next((each for each in record["findings"] if each["policy"] == stands.policy), None)
    firm = firmness(stands, history)
    if finding is None or stands.policy is None or firm is None:
        return None, "the policy did not fire"
    source = record["source"]
    spans = [Interval(each["start_s"], each["end_s"]) for each in finding["segments"]]
    said = source.get("meta", {}).get("market")
    return SettledCase(
        verdict=stands.verdict,
        uri=source["uri"],
        sha256=source["sha256"],
        policy=stands.policy,
        severity=finding["severity"],
        segments=tuple((each.start_s, each.end_s) for each in sorted(spans)),
        footage_s=round(sum(each.length_s for each in union(spans)), 3),
        margin=max(0.0, finding["score"] - finding["threshold"]),
        market=stands.market or (said if isinstance(said, str) and said else None),
        pack=record["provenance"]["pack"],
        ruling=stands.ruling,
        reason=stands.reason,
        why=stands.note,
        firmness=firm,
        looks=tuple(one.ruling for one in history if one.kind in LOOKS),
        reviewers=tuple(sorted({one.reviewer for one in history})),
    ), None


def _unwanted(case: SettledCase, wanted: CasesWanted) -> str | None:
    """Why nobody asked for it."""
    if wanted.policies and not any(
        case.policy == each or case.policy.startswith(f"{each}.") for each in wanted.policies
    ):
        return "under another policy"
    if wanted.market is not None and case.market != wanted.market:
        return "of another market"
    severities: tuple[str, ...] = SEVERITIES
    # A severity that this version does not know may be worse than all that it knows.
    if case.severity not in severities or severities.index(case.severity) > severities.index(
        wanted.most_severe
    ):
        return f"graver than {wanted.most_severe}"
    return None


def _uncontradicted(cases: Iterable[SettledCase]) -> list[SettledCase]:
    """Without those whose content was ruled on both ways under one policy: no answer is right."""
    every = list(cases)
    said: dict[tuple[str, str], set[bool]] = {}
    for each in every:
        said.setdefault((each.content, each.policy), set()).add(each.violates)
    return [each for each in every if len(said[each.content, each.policy]) == 1]
