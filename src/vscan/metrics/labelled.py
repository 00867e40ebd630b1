"""What a change of the pack means for labelled videos: errors, precision, recall, intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from vscan.metrics.labels import Labels, LabelUse
from vscan.metrics.proportions import Estimate, Paired, mcnemar, paired_difference, wilson
from vscan.verdicts import Verdict

LEAST = 10
"""Labelled videos below which no rate is given: its interval may take in more than half of 0..1."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A proportion with its 95 % interval, or why none is given."""

    value: float | None = None
    """0..1; -1..1 for a change."""
    low: float | None = None
    high: float | None = None
    of: int
    """Labelled videos that it rests on."""
    p: float | None = None
    """Only for a change: two-sided p of the exact McNemar test."""
    withheld: str | None = None
    """Why there is none."""


@dataclass(frozen=True, kw_only=True)
class Errors:
    """How often one pack is right and wrong on labelled videos."""

    true_positives: int
    false_positives: int
    """Benign ones that it flags."""
    false_negatives: int
    """Violating ones that it does not flag."""
    true_negatives: int
    precision: Rate
    """Share of the flagged ones that violate."""
    recall: Rate
    """Share of the violating ones that are flagged."""


@dataclass(frozen=True, kw_only=True)
class LabelledPolicy:
    """One policy on the videos that are labelled for it, under both packs."""

    policy: str | None
    """Null for all policies together, where each labelled video counts once: it violates where any
    of its labels says so, and is flagged where any policy that it is labelled for flags it, be it
    another one than it violates. Labels of one video are not independent, so the intervals and
    tests are of videos here too."""
    violating: int
    benign: int
    old: Errors
    new: Errors
    false_positives_change: int
    false_negatives_change: int
    recall_change: Rate
    """New less old share of the violating ones that are flagged, the same videos under both."""
    false_positive_rate_change: Rate
    """New less old share of the benign ones that are flagged, the same videos under both."""


@dataclass(frozen=True, kw_only=True)
class LabelReport:
    """What came of the labels."""

    file: str
    labels: int
    """Different ones, by video and policy."""
    used: int
    unmatched: int
    """Labels that meet no video of the store by any of their names."""
    unjudged: int
    """Labels of videos that could not be judged under both packs."""
    undecided: int
    """Rulings that were escalated: no label."""
    replaced: int
    """Labels that a later line of the file replaces."""
    overruled: int
    """Labels of a video under a policy of which another one speaks by a more exact name, or
    later. With `used`, `unmatched` and `unjudged` these are all `labels`."""
    in_neither_pack: tuple[str, ...]
    """Labelled policies that neither pack has: nothing can be flagged under them."""
    policies: tuple[LabelledPolicy, ...]
    """All together first."""
    notes: tuple[str, ...]


@dataclass
class LabelCount:
    """Counts labelled videos as they are judged."""

    labels: Labels
    use: LabelUse = field(init=False)
    unjudged: int = 0
    counts: dict[str, Counter[tuple[bool, bool, bool]]] = field(default_factory=dict)
    """By policy, in videos: (violates, flagged under old, flagged under new)."""
    videos: Counter[tuple[bool, bool, bool]] = field(default_factory=Counter)
    """The same of all policies together; see LabelledPolicy.policy."""

    def __post_init__(self) -> None:
        self.use = LabelUse(self.labels)

    def see(self, old: Verdict, new: Verdict, *, judged: bool) -> None:
        """Count one video; judged: whether it could be judged under both packs."""
        found = self.use.of(new.source, (old.id, new.id))
        if not judged:
            self.unjudged += len(found)
            return
        before = {finding.policy for finding in old.findings}
        after = {finding.policy for finding in new.findings}
        for policy, label in found.items():
            counts = self.counts.setdefault(policy, Counter())
            counts[label.violates, policy in before, policy in after] += 1
        if found:
            violates = any(label.violates for label in found.values())
            self.videos[violates, not before.isdisjoint(found), not after.isdisjoint(found)] += 1

    def report(self, file: str, known: set[str]) -> LabelReport:
        """What was counted. known: the policies of both packs."""
        each = [labelled_policy(policy, self.counts[policy]) for policy in sorted(self.counts)]
        return LabelReport(
            file=file,
            labels=len(self.labels),
            used=sum(counts.total() for counts in self.counts.values()),
            unmatched=self.use.unmatched,
            unjudged=self.unjudged,
            undecided=self.labels.undecided,
            replaced=self.labels.replaced,
            overruled=self.use.overruled,
            in_neither_pack=tuple(sorted(self.labels.policies - known)),
            policies=(labelled_policy(None, self.videos), *each) if each else (),
            notes=tuple(self._notes()),
        )

    def _notes(self) -> list[str]:
        together: Counter[tuple[bool, bool, bool]] = Counter()
        for counts in self.counts.values():
            together += counts
        notes = []
        if any(label.weight != 1.0 for label in self.labels.said):
            notes.append(
                "the weights of the labels are not used here: every figure is of the labelled"
                " videos, not of those they were drawn from"
            )
        flagged = sum(count for (_, old, _), count in together.items() if old)
        if together and flagged == together.total():
            notes.append(
                "every label is of what the old pack flags: its recall is 1 by choice, and what"
                " both packs miss is not counted; label some videos that nothing flags"
            )
        elif self.labels.rulings:
            notes.append(
                "rulings are made on what was flagged: what no one looked at is not counted among"
                " the false negatives"
            )
        return notes


def labelled_policy(
    policy: str | None, counts: Mapping[tuple[bool, bool, bool], int]
) -> LabelledPolicy:
    """The figures of one policy. counts: by (violates, flagged under old, flagged under new)."""
    violating, benign = _paired(counts, violating=True), _paired(counts, violating=False)
    old = _errors(violating, benign, "old")
    new = _errors(violating, benign, "new")
    return LabelledPolicy(
        policy=policy,
        violating=violating.total,
        benign=benign.total,
        old=old,
        new=new,
        false_positives_change=new.false_positives - old.false_positives,
        false_negatives_change=new.false_negatives - old.false_negatives,
        recall_change=_change(violating, "violating"),
        false_positive_rate_change=_change(benign, "benign"),
    )


def _paired(counts: Mapping[tuple[bool, bool, bool], int], *, violating: bool) -> Paired:
    return Paired(
        both=counts.get((violating, True, True), 0),
        before=counts.get((violating, True, False), 0),
        after=counts.get((violating, False, True), 0),
        neither=counts.get((violating, False, False), 0),
    )


def _errors(violating: Paired, benign: Paired, pack: str) -> Errors:
    right, wrong = (
        table.both + (table.before if pack == "old" else table.after)
        for table in (violating, benign)
    )
    return Errors(
        true_positives=right,
        false_positives=wrong,
        false_negatives=violating.total - right,
        true_negatives=benign.total - wrong,
        precision=_rate(right, right + wrong, f"labelled videos that the {pack} pack flags"),
        recall=_rate(right, violating.total, "videos labelled violating"),
    )


def _rate(part: int, of: int, what: str) -> Rate:
    return _withheld(of, what) if of < LEAST else _told(wilson(part, of), of)


def _change(table: Paired, what: str) -> Rate:
    of = table.total
    if of < LEAST:
        return _withheld(of, f"videos labelled {what}")
    return _told(paired_difference(table), of, p=mcnemar(table))


def _withheld(of: int, what: str) -> Rate:
    return Rate(of=of, withheld=f"too few {what}: {of}, and {LEAST} are needed")


def _told(estimate: Estimate, of: int, p: float | None = None) -> Rate:
    return Rate(
        value=round(estimate.value, 4),
        low=round(estimate.low, 4),
        high=round(estimate.high, 4),
        of=of,
        p=None if p is None else round(p, 4),
    )
