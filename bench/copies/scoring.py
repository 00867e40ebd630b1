"""What predictions are worth on a set: by group of edits, by edit, and every false pair."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.copies.boundaries import Spread, boundary_gaps, spreads_of
from bench.copies.metrics import (
    Pair,
    SegmentScore,
    average_precision,
    pair_scores,
    segment_metric,
)
from bench.copies.set_files import TIMES, CopySet, Query, Segment
from bench.copies.traps import ingredients
from vscan.errors import UsageError

GROUPS = {
    "plain": ("plain", "needle5"),
    "hard": ("hard", "needle2"),
    "combination": ("combination",),
}
"""Classes that are reported together; each against its own, the distractors' and traps' pairs."""
UNMATCHED = ("distractor", "trap")


@dataclass(frozen=True)
class GroupScore:
    """One group of classes."""

    name: str
    pairs: int
    """True ones."""
    found: int
    strict: int
    """Found with a score above every false pair's."""
    untrapped: int
    """Found with a score above every false pair's but those of traps."""
    micro_ap: float
    micro_ap_untrapped: float
    """The same without the false pairs of traps."""
    segments: SegmentScore | None
    """None where predictions have no times."""


@dataclass(frozen=True)
class EditScore:
    """One edit."""

    edit: str
    kind: str
    pairs: int
    found: int
    """Predicted at all."""
    strict: int
    """Scored above every false pair, traps included."""
    untrapped: int
    """Scored above every false pair but those of traps; see FalsePair.trapped."""
    false_pairs: int
    """From the queries of this edit."""
    placed: int
    """True segments that a predicted one of their pair overlaps on both axes."""
    boundaries: dict[str, Spread]
    """By boundary (query_start …), over the segments placed."""


@dataclass(frozen=True)
class FalsePair:
    """A pair that was predicted and is not true."""

    query_id: str
    ref_id: str
    score: float
    kind: str
    edit: str
    original: str
    """Of the query; empty where it has none."""
    against: str
    """The reference's original."""
    trapped: bool
    """Whether query and reference do share what is nobody's content: a card, a logo, black …"""


@dataclass(frozen=True)
class Scores:
    """All of it. Combinations' own false pairs count in their group alone, not for thresholds."""

    groups: tuple[GroupScore, ...]
    edits: tuple[EditScore, ...]
    false_pairs: tuple[FalsePair, ...]
    """The strongest first."""
    threshold: float
    """The highest score of a false pair; 0 where there is none."""
    threshold_untrapped: float
    boundaries: dict[str, Spread]
    """Over all segments placed, combinations left out."""


def score_predictions(copies: CopySet, predictions: Sequence[Segment]) -> Scores:
    """Score a set's predictions; pairs that the set ignores are dropped first.

    Raises UsageError where a prediction names a video that the set lacks.
    """
    queries = {query.query_id: query for query in copies.queries}
    _check_ids(copies, predictions)
    kept = [p for p in predictions if (p.query_id, p.ref_id) not in copies.ignored]
    truth = {(each.query_id, each.ref_id) for each in copies.truth}
    scores = pair_scores(kept)
    false_pairs = _false_pairs(copies, scores, truth)
    gated = [each for each in false_pairs if each.kind != "combination"]
    threshold = max((each.score for each in gated), default=0.0)
    untrapped = max((each.score for each in gated if not each.trapped), default=0.0)
    trapped = {(each.query_id, each.ref_id) for each in false_pairs if each.trapped}
    timed = all(getattr(p, name) is not None for p in kept for name in TIMES)
    gaps = boundary_gaps(copies.truth, kept) if timed else []
    groups = tuple(
        _group_score(name, copies, queries, kept, timed, (threshold, untrapped), trapped)
        for name, kinds in GROUPS.items()
        if any(query.kind in kinds for query in copies.queries)
    )
    edits = _edit_scores(copies, scores, false_pairs, (threshold, untrapped), gaps)
    own = [gap for query_id, gap in gaps if queries[query_id].kind != "combination"]
    return Scores(groups, edits, false_pairs, threshold, untrapped, spreads_of(own))


def _check_ids(copies: CopySet, predictions: Sequence[Segment]) -> None:
    queries = {query.query_id for query in copies.queries}
    references = {reference.ref_id for reference in copies.references}
    for each in predictions:
        if each.query_id not in queries or each.ref_id not in references:
            raise UsageError(
                f"the set has no pair {each.query_id}, {each.ref_id}",
                remedy="score predictions that were made for this set",
            )


def _false_pairs(
    copies: CopySet, scores: dict[Pair, float], truth: set[Pair]
) -> tuple[FalsePair, ...]:
    queries = {query.query_id: query for query in copies.queries}
    references = {reference.ref_id: reference for reference in copies.references}
    found = []
    for (query_id, ref_id), score in scores.items():
        if (query_id, ref_id) not in truth:
            q, r = queries[query_id], references[ref_id]
            shared = ingredients(json.loads(q.parameters)) & ingredients(json.loads(r.parameters))
            found.append(
                FalsePair(
                    query_id, ref_id, score, q.kind, q.edit, q.original, r.original, bool(shared)
                )
            )
    return tuple(sorted(found, key=lambda each: (-each.score, each.query_id, each.ref_id)))


def _group_score(
    name: str,
    copies: CopySet,
    queries: dict[str, Query],
    kept: Sequence[Segment],
    timed: bool,
    thresholds: tuple[float, float],
    trapped: set[Pair],
) -> GroupScore:
    own, all_kinds = GROUPS[name], (*GROUPS[name], *UNMATCHED)
    truth = [each for each in copies.truth if queries[each.query_id].kind in own]
    predicted = [each for each in kept if queries[each.query_id].kind in all_kinds]
    pairs = {(each.query_id, each.ref_id) for each in truth}
    scores = pair_scores(predicted)
    got = [scores[pair] for pair in pairs if pair in scores]
    strict, untrapped = (sum(score > limit for score in got) for limit in thresholds)
    return GroupScore(
        name,
        len(pairs),
        len(got),
        strict,
        untrapped,
        average_precision(scores, pairs),
        average_precision({k: v for k, v in scores.items() if k not in trapped}, pairs),
        segment_metric(truth, predicted) if timed else None,
    )


def _edit_scores(
    copies: CopySet,
    scores: dict[Pair, float],
    false_pairs: Sequence[FalsePair],
    thresholds: tuple[float, float],
    gaps: Sequence[tuple[str, dict[str, float]]],
) -> tuple[EditScore, ...]:
    queries = {query.query_id: query for query in copies.queries}
    wrong = Counter((each.kind, _edit_name(queries[each.query_id])) for each in false_pairs)
    by_edit: dict[tuple[str, str], list[Pair]] = {}
    for query in copies.queries:
        by_edit.setdefault((query.kind, _edit_name(query)), [])
    for pair in dict.fromkeys((each.query_id, each.ref_id) for each in copies.truth):
        query = queries[pair[0]]
        by_edit[query.kind, _edit_name(query)].append(pair)
    rows = []
    for (kind, edit), pairs in by_edit.items():
        ids = {query_id for query_id, _ in pairs}
        own = [gap for query_id, gap in gaps if query_id in ids]
        got = [scores[pair] for pair in pairs if pair in scores]
        strict, untrapped = (sum(score > limit for score in got) for limit in thresholds)
        rows.append(
            EditScore(
                edit,
                kind,
                len(pairs),
                len(got),
                strict,
                untrapped,
                wrong[kind, edit],
                len(own),
                spreads_of(own),
            )
        )  # fmt: skip
    return tuple(rows)


def _edit_name(query: Query) -> str:
    """Combinations are too many for a row each."""
    return "(pairs)" if query.kind == "combination" else query.edit
