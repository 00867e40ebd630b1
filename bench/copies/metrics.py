"""The measures of the 2022 video similarity challenge: pair micro-AP and the segment metric.

Definitions: facebookresearch/vsc2022, vsc/metrics.py (pairs: `average_precision`; segments:
`match_metric`, after Sun et al., VCSL, 2022). Predictions of the same score count together, so
that no result depends on the order of rows; where scores differ the values are theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import sqrt

from bench.copies.set_files import Segment

Pair = tuple[str, str]
"""(query id, reference id)."""
Span = tuple[float, float]


@dataclass(frozen=True)
class SegmentScore:
    """How well segments were placed; each 0..1."""

    average_precision: float
    precision: float
    """Of all predictions together."""
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def pair_scores(segments: Iterable[Segment]) -> dict[Pair, float]:
    """The highest score of each pair's segments."""
    scores: dict[Pair, float] = {}
    for segment in segments:
        pair = (segment.query_id, segment.ref_id)
        scores[pair] = max(segment.score, scores.get(pair, segment.score))
    return scores


def average_precision(scores: Mapping[Pair, float], truth: Collection[Pair]) -> float:
    """Micro-AP over all pairs: the sum of precision times what recall gains, 0..1; no truth: 0."""
    correct = wanted = 0
    total = 0.0
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    for _, tied in groupby(ranked, key=lambda item: item[1]):
        pairs = [pair for pair, _ in tied]
        hits = sum(pair in truth for pair in pairs)
        correct, wanted = correct + hits, wanted + len(pairs)
        total += hits * correct / wanted
    return total / len(truth) if truth else 0.0


def segment_metric(truth: Sequence[Segment], predictions: Sequence[Segment]) -> SegmentScore:
    """The matching track's metric; predictions without times are a ValueError.

    On each axis, precision is the predicted time that is true over the predicted time, recall the
    same over the true time, each summed over all pairs; precision and recall are the geometric
    means over both axes. Of the true segments of a pair only those count as hit that overlap a
    predicted one on both axes at once.
    """
    pairs: dict[Pair, _PairState] = defaultdict(_PairState)
    for segment in truth:
        pairs[(segment.query_id, segment.ref_id)].truth.append(_box(segment))
    wanted = [sum(_covered(state.side(axis)) for state in pairs.values()) for axis in (0, 1)]
    hit, claimed = [0.0, 0.0], [0.0, 0.0]
    precision = recall = total = 0.0
    ranked = sorted(predictions, key=lambda each: -each.score)
    for _, tied in groupby(ranked, key=lambda each: each.score):
        for segment in tied:
            state = pairs[(segment.query_id, segment.ref_id)]
            for axis, (more_hit, more_claimed) in enumerate(state.add(_box(segment))):
                hit[axis] += more_hit
                claimed[axis] += more_claimed
        before, recall = recall, _mean(hit, wanted)
        precision = _mean(hit, claimed)
        total += precision * (recall - before)
    return SegmentScore(total, precision, recall)


def unions(spans: Iterable[Span]) -> Iterator[Span]:
    """Sorted, disjoint spans that cover the same time."""
    held: Span | None = None
    for start, end in sorted(spans):
        if held is not None and start <= held[1]:
            held = (held[0], max(held[1], end))
            continue
        if held is not None:
            yield held
        held = (start, end)
    if held is not None:
        yield held


Box = tuple[Span, Span]
"""Span of the query, span of the reference."""


@dataclass
class _PairState:
    """The segments of one pair while predictions come in, best first."""

    truth: list[Box] = field(default_factory=list)
    claims: list[Box] = field(default_factory=list)
    hit: list[float] = field(default_factory=lambda: [0.0, 0.0])
    claimed: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def side(self, axis: int) -> list[Span]:
        return [box[axis] for box in self.truth]

    def add(self, box: Box) -> list[tuple[float, float]]:
        """What one more prediction adds on each axis: to the time hit, to the time claimed."""
        self.claims.append(box)
        met = [each for each in self.truth if any(overlap(each, claim) for claim in self.claims)]
        gains = []
        for axis in (0, 1):
            claims = [claim[axis] for claim in self.claims]
            claimed = _covered(claims)
            hit = _shared(claims, [each[axis] for each in met])
            gains.append((hit - self.hit[axis], claimed - self.claimed[axis]))
            self.hit[axis], self.claimed[axis] = hit, claimed
        return gains


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes share time on both axes."""
    return all(min(a[k][1], b[k][1]) > max(a[k][0], b[k][0]) for k in (0, 1))


def _box(segment: Segment) -> Box:
    times = (segment.query_start, segment.query_end, segment.ref_start, segment.ref_end)
    a, b, c, d = times
    if a is None or b is None or c is None or d is None:
        raise ValueError("a segment without times cannot be placed")
    return (a, b), (c, d)


def _covered(spans: Iterable[Span]) -> float:
    return sum(end - start for start, end in unions(spans))


def _shared(one: Sequence[Span], other: Sequence[Span]) -> float:
    return _covered(one) + _covered(other) - _covered([*one, *other])


def _mean(parts: Sequence[float], wholes: Sequence[float]) -> float:
    shares = [part / whole if whole > 0 else 0.0 for part, whole in zip(parts, wholes, strict=True)]
    return sqrt(max(0.0, shares[0]) * max(0.0, shares[1]))
