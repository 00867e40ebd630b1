"""Which settled cases go into a pack for reviewer training, and in which order they are shown."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from vscan.errors import UsageError
from vscan.metrics.training.cases import SettledCase
from vscan.policies.actions import SEVERITIES

MARGIN_STEP = 0.05
"""Scores above their threshold count as equally near within steps of this: there the seed draws."""
WARM_UP = 5
"""Cases that a pack begins with, of the mildest on which nobody had disagreed, where there are."""
MOST_GRAVER = 2
"""Cases of GRAVER severity that follow each other, where enough milder ones are there."""
VIOLATING, BENIGN = "violating", "benign"


@dataclass(frozen=True, kw_only=True)
class Mix:
    """How a pack is put together. Raises UsageError for numbers that make no pack."""

    cases: int = 40
    share_benign: float = 0.5
    """Of the cases, 0..1, those that people found benign."""
    most_footage_s: float = 600.0
    """Seconds of flagged footage in all."""
    seed: int = 0

    def __post_init__(self) -> None:
        # Written so that what is no number fails as well.
        if self.cases < 1 or not 0.0 <= self.share_benign <= 1.0:
            raise UsageError(
                f"{self.cases} cases with a benign share of {self.share_benign:g} are no pack",
                remedy="give -n of 1 or more, and --share-benign from 0 to 1",
            )
        if not self.most_footage_s >= 0.0:
            raise UsageError(f"--most-seconds {self.most_footage_s:g} is no limit")


@dataclass(frozen=True)
class Choice:
    """The cases of a pack, in the order in which they are shown."""

    cases: tuple[SettledCase, ...]
    asked: Mapping[str, int]
    """Cases that the mix calls for, by answer: `violating`, `benign`."""
    passed_over: Mapping[str, int]
    """By why, in words: settled cases that could be used and are not in the pack."""


@dataclass
class _Taking:
    """A pack that is being filled."""

    mix: Mix
    seats: Mapping[str, int]
    """By answer."""
    taken: list[SettledCase] = field(default_factory=list)
    footage_s: float = 0.0
    contents: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    """By answer."""

    def hindrance(self, case: SettledCase) -> str | None:
        """Why the case cannot be taken."""
        if case.content in self.contents:
            return "the same content is in the pack already"
        if self.counts[said(case)] >= self.seats[said(case)]:
            return "not needed"
        if self.footage_s + case.footage_s > self.mix.most_footage_s + 1e-9:
            return "the seconds of footage are used up"
        return None

    def take(self, case: SettledCase) -> None:
        """Put it into the pack."""
        self.taken.append(case)
        self.footage_s += case.footage_s
        self.contents.add(case.content)
        self.counts[said(case)] += 1


def said(case: SettledCase) -> str:
    """The answer of a case in a word."""
    return VIOLATING if case.violates else BENIGN


def choose(cases: Sequence[SettledCase], mix: Mix) -> Choice:
    """Chooses borderline cases first, by answer and policy, and puts them in order.

    Each answer has its seats by `share_benign`. Then the most borderline case of every policy and
    answer takes its turn, the next one after it, until seats or seconds are used up: so policies
    have equal parts as far as they have cases, and of the last turn the most borderline cases. That
    is the allocation by largest remainders with equal claims. An answer never takes the seats of
    the other: a pack whose mix leans tells those who notice what to say. With equal seats nothing
    here depends on which answer is which.
    """
    benign = math.floor(mix.cases * mix.share_benign + 0.5)
    taking = _Taking(mix, {VIOLATING: mix.cases - benign, BENIGN: benign})
    passed: Counter[str] = Counter()
    for case in _turns(cases, mix.seed):
        hindrance = taking.hindrance(case)
        if hindrance is None:
            taking.take(case)
        else:
            passed[hindrance] += 1
    return Choice(
        tuple(arranged(taking.taken, mix.seed)), dict(taking.seats), dict(sorted(passed.items()))
    )


def arranged(cases: Sequence[SettledCase], seed: int) -> Iterator[SettledCase]:
    """The order in which a pack shows its cases; neither answers nor scores have a part in it.

    First up to WARM_UP of the mildest on which nobody had disagreed, then graver and milder ones
    mixed evenly: where a milder one is there for every MOST_GRAVER graver ones, no more than that
    many follow each other, and a milder one comes first. Where all are graver, those on which
    nobody had disagreed begin.
    """
    by_place = sorted(cases, key=lambda each: _place(seed, "order", each.verdict, each.policy))
    graver = [each for each in by_place if each.graver]
    milder = [each for each in by_place if not each.graver]
    # What is used up to begin with cannot stand between graver ones later.
    spare = len(milder) - max(0, -(-len(graver) // MOST_GRAVER) - 1)
    easy = sorted(
        (each for each in milder if not each.disputed), key=lambda each: _severity(each.severity)
    )[: max(0, min(WARM_UP, spare))]
    begin = easy or ([] if milder else [each for each in graver if not each.disputed][:WARM_UP])
    yield from begin
    begun = {each.key for each in begin}
    graver, milder = ([each for each in some if each.key not in begun] for some in (graver, milder))
    yield from _mixed(graver, milder, begun=bool(begin))


def _mixed(
    graver: Sequence[SettledCase], milder: Sequence[SettledCase], *, begun: bool
) -> Iterator[SettledCase]:
    """Both, the graver ones in runs of nearly the same length between the milder ones.

    begun: whether milder ones have been shown already; otherwise one of them comes first.
    """
    waiting = list(milder)
    if waiting and not begun and len(graver) <= MOST_GRAVER * len(waiting):
        yield waiting.pop(0)
    runs = len(waiting) + 1
    shown = 0
    for number in range(runs):
        until = len(graver) * (number + 1) // runs
        yield from graver[shown:until]
        shown = until
        if number < len(waiting):
            yield waiting[number]


def _turns(cases: Sequence[SettledCase], seed: int) -> Iterator[SettledCase]:
    """The most borderline case of every policy and answer, then the second of each, and so on."""
    cells: dict[tuple[str, str], list[SettledCase]] = {}
    for case in sorted(cases, key=lambda each: _borderline(each, seed)):
        cells.setdefault((said(case), case.policy), []).append(case)
    for turn in zip_longest(*cells.values()):
        row = [each for each in turn if each is not None]
        yield from sorted(row, key=lambda each: _borderline(each, seed))


def _borderline(case: SettledCase, seed: int) -> tuple[bool, int, str]:
    """Orders cases: what people had disagreed on, then what scored near its threshold, then by
    the seed."""
    step = int(case.margin / MARGIN_STEP + 1e-9)
    return (not case.disputed, step, _place(seed, "choice", case.verdict, case.policy))


def _severity(name: str) -> int:
    severities: tuple[str, ...] = SEVERITIES
    return severities.index(name)


def _place(seed: int, *names: str) -> str:
    """A place among others that follows from the seed and the names alone."""
    return hashlib.sha256("\0".join((str(seed), *names)).encode()).hexdigest()
