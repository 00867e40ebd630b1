"""Thresholds that meet a target with confidence: fixed-sequence tests on labelled scores.

"Learn then Test" of Angelopoulos, Bates, Candès, Jordan and Lei (arXiv:2110.01052, 2021), with one
chain of hypotheses. Thresholds are put in an order that does not depend on the labels that they are
then tested on; each in turn is held against "it misses the target", and the first that cannot be
ruled out at 1 - confidence ends the chain (fixed-sequence testing; Wiens, Biometrics 59, 2003). The
chance that any threshold before it misses the target is at most 1 - confidence.

Labels of equal weight are tested by the exact binomial tail. For labels that stand for different
numbers of videos that tail does not hold; see `evidence.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vscan.metrics.binomial import upper_tail
from vscan.metrics.thresholds.evidence import precision_p, recall_p

MOST_TRIED = 100
"""Thresholds in a chain for precision: more make it no better, and each may end it by chance."""


@dataclass(frozen=True, eq=False)
class LabelledScores:
    """Labelled videos as numbers; each content once."""

    scores: NDArray[np.float64]
    """(N,) 0..1: a threshold t flags those of t and above."""
    violates: NDArray[np.bool_]
    """(N,)"""
    weights: NDArray[np.float64]
    """(N,) above 0: how many videos each stands for, up to a factor that all share."""

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def is_weighted(self) -> bool:
        """Whether some stand for more videos than others."""
        return len(self) > 0 and bool((self.weights != self.weights[0]).any())

    @property
    def positives(self) -> int:
        """Those that violate."""
        return int(self.violates.sum())

    def at(self, places: NDArray[np.intp]) -> LabelledScores:
        """Some of them."""
        return LabelledScores(self.scores[places], self.violates[places], self.weights[places])


@dataclass(frozen=True, kw_only=True)
class Chain:
    """What came of a chain of tests."""

    threshold: float | None
    """The last threshold that was certified, 0..1; None where the first test failed."""
    tried: int
    """Tests that were made, the failed one included."""
    first: float | None
    """The threshold that the chain began with; None where there was none to try."""
    p: float | None
    """Of `threshold`, or of `first` where none was certified."""
    exact: bool = True
    """Whether that p is of the exact binomial tail; else of betting on weighted labels."""


def halves(labelled: LabelledScores, seed: int) -> tuple[LabelledScores, LabelledScores]:
    """Two parts by chance: one to fit on, one to certify on, which is the larger by at most one for
    each weight.

    Each weight is split for itself, for a weight is a stratum that was drawn from; where its number
    is odd its certifying part is weighted up, so that the stratum keeps its share of the whole. The
    parts are not balanced by label: then the number of violating ones in one part would tell that
    in the other, and a binomial tail would not hold.
    """
    order = np.random.default_rng(seed).permutation(len(labelled))
    fit: list[NDArray[np.intp]] = []
    certify: list[NDArray[np.intp]] = []
    factors: list[NDArray[np.float64]] = []
    for weight in np.unique(labelled.weights):
        own = order[labelled.weights[order] == weight]
        part = len(own) // 2
        fit.append(own[:part])
        certify.append(own[part:])
        factor = len(own) / (len(own) - part) if labelled.is_weighted else 1.0
        factors.append(np.full(len(own) - part, factor))
    kept = labelled.at(np.concatenate(certify))
    return (
        labelled.at(np.concatenate(fit)),
        replace(kept, weights=kept.weights * np.concatenate(factors)),
    )


def cuts(labelled: LabelledScores, edges: Iterable[float]) -> list[float]:
    """Those of the edges at which strata were cut, as far as weights tell: no weight stands for
    labels on both sides of one.

    A stratum that goes over an edge may hold videos above it of which none was drawn. A sample from
    verdict files, or one that was drawn under another threshold, is cut elsewhere.
    """
    found = []
    for edge in edges:
        above = labelled.scores >= edge
        if not np.isin(labelled.weights[above], labelled.weights[~above]).any():
            found.append(edge)
    return found


def certify_precision(
    fit: LabelledScores,
    certify: LabelledScores,
    *,
    target: float,
    confidence: float,
    floor: float = 0.0,
    edges: Sequence[float] = (),
) -> Chain:
    """The lowest threshold of a chain whose precision is at least `target`, with `confidence`.

    The chain begins where the fitting part's own test is surest, and goes down from there through
    the scores of that part, since a lower threshold finds more. floor: no threshold below it.
    edges: scores at which strata that were drawn from are cut (`cuts`); from an edge on, labels
    below it say nothing, and their weights do not make the test more careful.
    """
    tried = _candidates(fit.scores, floor)
    if not len(tried):
        return Chain(threshold=None, tried=0, first=None, p=None)
    surest = _precision_p(fit, tried, target, edges)
    begin = len(surest) - 1 - int(np.argmin(surest[::-1]))  # of equal ones the lowest threshold
    chain = tried[begin:]
    found = _chained(chain, _precision_p(certify, chain, target, edges), 1.0 - confidence)
    at = found.first if found.threshold is None else found.threshold
    edge = max((each for each in edges if at is not None and each <= at), default=0.0)
    return replace(found, exact=not _from(certify, edge).is_weighted)


def certify_recall(
    labelled: LabelledScores, *, target: float, confidence: float, floor: float = 0.0
) -> Chain:
    """The highest threshold of which recall is at least `target`, with `confidence`.

    The chain goes up from the lowest threshold, an order that depends on no label, so that no part
    of the labels has to be set aside; and p only grows on its way, so that scores between which no
    violating video lies need no test of their own. floor: no threshold below it.
    """
    found = labelled.scores[labelled.violates]
    chain = np.unique(found[(found >= floor) & (found > 0.0)])
    if not len(chain):
        return Chain(threshold=None, tried=0, first=None, p=None)
    if labelled.is_weighted:
        p = recall_p(labelled.scores, labelled.violates, labelled.weights, chain, target)
    else:
        flagged = len(found) - np.searchsorted(np.sort(found), chain, side="left")
        p = np.array([upper_tail(int(each), len(found), target) for each in flagged])
    return replace(_chained(chain, p, 1.0 - confidence), exact=not labelled.is_weighted)


def _candidates(scores: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """Descending thresholds to try: scores, each of which flags a few percent more than the one
    before, so that they lie close where few videos make the difference."""
    ordered = np.sort(scores[(scores >= floor) & (scores > 0.0)])[::-1]
    if not len(ordered):
        return ordered
    places = np.unique(np.geomspace(1, len(ordered), MOST_TRIED).round().astype(np.intp)) - 1
    return np.unique(ordered[places])[::-1]


def _precision_p(
    labelled: LabelledScores,
    thresholds: NDArray[np.float64],
    target: float,
    edges: Sequence[float],
) -> NDArray[np.float64]:
    """(K,) p-values of "precision at that threshold is below `target`"."""
    p = np.ones(len(thresholds))
    bounds = np.array([0.0, *sorted(edges)])
    at = np.searchsorted(bounds, thresholds, side="right") - 1
    for place in np.unique(at):
        above = _from(labelled, float(bounds[place]))
        asked = thresholds[at == place]
        if above.is_weighted:
            found = precision_p(above.scores, above.violates, above.weights, asked, target)
        else:
            found = np.array([upper_tail(*each, target) for each in flagged_at(above, asked)])
        p[at == place] = found
    return p


def _from(labelled: LabelledScores, edge: float) -> LabelledScores:
    """Those that score `edge` or more."""
    return labelled.at(np.flatnonzero(labelled.scores >= edge))


def flagged_at(labelled: LabelledScores, thresholds: Iterable[float]) -> list[tuple[int, int]]:
    """By threshold: (violating ones that it flags, all that it flags)."""
    every, right = np.sort(labelled.scores), np.sort(labelled.scores[labelled.violates])
    asked = np.asarray(list(thresholds), dtype=np.float64)
    of = len(every) - np.searchsorted(every, asked, side="left")
    good = len(right) - np.searchsorted(right, asked, side="left")
    return [(int(one), int(all_)) for one, all_ in zip(good, of, strict=True)]


def _chained(chain: NDArray[np.float64], p: NDArray[np.float64], most: float) -> Chain:
    failed = np.flatnonzero(p > most)
    passed = int(failed[0]) if len(failed) else len(chain)
    last = max(0, passed - 1)
    return Chain(
        threshold=float(chain[last]) if passed else None,
        tried=min(passed + 1, len(chain)),
        first=float(chain[0]),
        p=float(p[last]),
    )
