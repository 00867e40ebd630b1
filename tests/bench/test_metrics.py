"""Pair micro-AP and the segment metric: against cases worked by hand, and against slow ones."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from bench.copies.metrics import average_precision, pair_scores, segment_metric
from bench.copies.set_files import Segment


def segment(
    query: str, ref: str, times: tuple[float, float, float, float], score: float = 1.0
) -> Segment:
    """A row of a matching CSV."""
    return Segment(query, ref, *times, score)


def test_a_pair_scores_as_its_best_segment() -> None:
    """The score of a pair is the highest of its segments', also where all are negative."""
    rows = [
        segment("Q1", "R1", (0, 1, 0, 1), 0.2),
        segment("Q1", "R1", (2, 3, 2, 3), 0.7),
        segment("Q2", "R1", (0, 1, 0, 1), -3.0),
    ]
    assert pair_scores(rows) == {("Q1", "R1"): 0.7, ("Q2", "R1"): -3.0}


def test_average_precision_by_hand() -> None:
    """True, false, true, and one true pair never found: (1/1 + 2/3) / 3."""
    truth = {("Q1", "R1"), ("Q2", "R2"), ("Q3", "R3")}
    scores = {("Q1", "R1"): 0.9, ("Q9", "R1"): 0.8, ("Q2", "R2"): 0.7}
    assert average_precision(scores, truth) == pytest.approx((1 + 2 / 3) / 3)


def test_equal_scores_count_together() -> None:
    """Of two pairs with one score, one false, the true one has precision 1/2 in either order."""
    truth = {("Q1", "R1")}
    either = {("Q1", "R1"): 0.5, ("Q2", "R1"): 0.5}
    other = dict(reversed(either.items()))
    assert average_precision(either, truth) == average_precision(other, truth) == 0.5


def test_average_precision_as_a_slow_one() -> None:
    """For random scores the value is that of precision looked up anew at every true pair."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        pairs = [(f"Q{k}", f"R{k % 3}") for k in range(30)]
        scores = dict(zip(pairs, rng.integers(0, 8, 30).tolist(), strict=True))
        truth = {pair for pair in pairs if rng.random() < 0.4} | {("Q0", "R0"), ("QX", "R0")}
        slow = 0.0
        for pair in truth & set(scores):
            above = [other for other in pairs if scores[other] >= scores[pair]]
            slow += sum(other in truth for other in above) / len(above) / len(truth)
        assert average_precision(scores, truth) == pytest.approx(slow)


def test_segment_metric_by_hand() -> None:
    """One prediction twice as long as the truth in the query, half as long in the reference."""
    truth = [segment("Q1", "R1", (10, 20, 0, 10))]
    predicted = [segment("Q1", "R1", (5, 25, 5, 10), 0.9)]
    score = segment_metric(truth, predicted)
    assert score.precision == pytest.approx(sqrt(0.5 * 1.0))
    assert score.recall == pytest.approx(sqrt(1.0 * 0.5))
    assert score.average_precision == pytest.approx(score.precision * score.recall)
    assert score.f1 == pytest.approx(sqrt(0.5))


def test_a_truth_that_is_met_on_one_axis_alone_is_not_hit() -> None:
    """The right seconds of the query with the wrong ones of the reference are worth nothing."""
    truth = [segment("Q1", "R1", (0, 10, 0, 10))]
    score = segment_metric(truth, [segment("Q1", "R1", (0, 10, 20, 30))])
    assert (score.precision, score.recall, score.average_precision) == (0.0, 0.0, 0.0)


def test_false_pairs_cost_precision_after_their_score() -> None:
    """AP sums precision at each gain: the true half at 1, the rest after a false pair's time."""
    truth = [segment("Q1", "R1", (0, 5, 0, 5)), segment("Q2", "R1", (0, 5, 0, 5))]
    predicted = [
        segment("Q1", "R1", (0, 5, 0, 5), 0.9),
        segment("Q3", "R1", (0, 5, 0, 5), 0.5),
        segment("Q2", "R1", (0, 5, 0, 5), 0.3),
    ]
    score = segment_metric(truth, predicted)
    assert score.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == pytest.approx(1.0)


def test_segment_metric_as_a_slow_one() -> None:
    """For random boxes on a grid the totals are those of counting every cell of both axes."""
    rng = np.random.default_rng(5)

    def boxes(count: int) -> list[Segment]:
        rows = []
        for _ in range(count):
            a, c = (int(v) for v in rng.integers(0, 20, 2))
            b, d = a + int(rng.integers(1, 8)), c + int(rng.integers(1, 8))
            pair = (f"Q{rng.integers(2)}", f"R{rng.integers(2)}")
            rows.append(segment(*pair, (a, b, c, d), float(rng.random())))
        return rows

    for _ in range(25):
        truth, predicted = boxes(5), boxes(6)
        score = segment_metric(truth, predicted)
        precision, recall = _counted(truth, predicted)
        assert score.precision == pytest.approx(precision)
        assert score.recall == pytest.approx(recall)


def _counted(truth: list[Segment], predicted: list[Segment]) -> tuple[float, float]:
    """Precision and recall by sets of one-second cells."""

    def cells(rows: list[Segment], query_side: bool) -> set[tuple[str, str, int]]:
        found = set()
        for row in rows:
            a, b = (row.query_start, row.query_end) if query_side else (row.ref_start, row.ref_end)
            assert a is not None and b is not None
            found |= {(row.query_id, row.ref_id, k) for k in range(int(a), int(b))}
        return found

    def area(row: Segment) -> set[tuple[str, str, int, int]]:
        query, ref = cells([row], True), cells([row], False)
        return {(q, r, x, y) for q, r, x in query for _, _, y in ref}

    claimed = set().union(*(area(row) for row in predicted))
    met = [row for row in truth if area(row) & claimed]
    precision = recall = 1.0
    for side in (True, False):
        hit = len(cells(met, side) & cells(predicted, side))
        precision *= hit / len(cells(predicted, side))
        recall *= hit / len(cells(truth, side))
    return sqrt(precision), sqrt(recall)
