"""Scores of a small set: groups, thresholds, ignored pairs, boundaries; and the files of a set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bench.copies.scoring import score_predictions
from bench.copies.set_files import (
    CopySet,
    Query,
    Reference,
    Segment,
    read_segments,
    read_set,
    write_segments,
    write_set,
)
from bench.copies.tables import score_tables

from vscan.errors import UsageError


def query(number: int, kind: str, edit: str, original: str = "a.mp4") -> Query:
    """A row of queries.csv; a trap carries the logo."""
    parameters = '{"over":"logo"}' if kind == "trap" else '{"steps":[["x",{"y":1}]]}'
    return Query(f"Q{number}", f"queries/{number}.mp4", original, edit, kind, parameters, 9.5)


def whole(number: int, score: float, *, ref: str = "R1", off: float = 0.0) -> Segment:
    """Ten seconds of a query, matched to the reference's, the query's side moved by `off`."""
    return Segment(f"Q{number}", ref, off, 10.0 + off, 0.0, 10.0, score)


@pytest.fixture
def small(tmp_path: Path) -> CopySet:
    """Two plain queries, a hard one, a distractor, a trap and a combination of one original."""
    queries = (
        query(1, "plain", "blur"),
        query(2, "plain", "mirror"),
        query(3, "hard", "pip"),
        query(4, "distractor", "snow", ""),
        query(5, "trap", "logo", ""),
        query(6, "combination", "blur+pip"),
    )
    references = (
        Reference("R1", "references/R1.mp4", "a.mp4"),
        Reference("R2", "references/R2.mp4", "trap:logo", '{"over":"logo"}'),
        Reference("R3", "references/R3.mp4", "kin of a.mp4"),
    )
    truth = tuple(whole(number, 1.0) for number in (1, 2, 3, 6))
    ignored = frozenset({("Q1", "R3")})
    return CopySet(tmp_path, queries, references, truth, ignored)


def test_thresholds_are_those_of_false_pairs(small: CopySet) -> None:
    """Recall without a false pair counts what scores above each, with traps and without."""
    scores = score_predictions(
        small,
        [
            whole(1, 0.9),
            whole(2, 0.5),
            whole(3, 0.3),
            whole(4, 0.4),
            whole(5, 0.6, ref="R2"),
            whole(6, 0.95),
            whole(6, 0.99, ref="R2"),
        ],
    )
    assert (scores.threshold, scores.threshold_untrapped) == (0.6, 0.4)
    by_edit = {row.edit: (row.found, row.strict, row.untrapped) for row in scores.edits}
    assert by_edit["blur"] == (1, 1, 1)
    assert by_edit["mirror"] == (1, 0, 1)
    assert by_edit["pip"] == (1, 0, 0)
    assert [(each.query_id, each.ref_id) for each in scores.false_pairs] == [
        ("Q6", "R2"), ("Q5", "R2"), ("Q4", "R1"),
    ]  # fmt: skip


def test_a_trap_is_what_both_sides_share(small: CopySet) -> None:
    """A query that shares the trap's logo is trapped; one that shares nothing is plainly wrong."""
    scores = score_predictions(small, [whole(5, 0.8, ref="R2"), whole(4, 0.3, ref="R2")])
    assert (scores.threshold, scores.threshold_untrapped) == (0.8, 0.3)
    assert [each.trapped for each in scores.false_pairs] == [True, False]


def test_a_score_equal_to_a_false_pairs_is_not_above_it(small: CopySet) -> None:
    """A true pair that ties with a false one is not found without false pairs."""
    scores = score_predictions(small, [whole(1, 0.5), whole(4, 0.5)])
    assert [row.strict for row in scores.edits if row.edit == "blur"] == [0]


def test_groups_bear_the_false_pairs_of_distractors_and_traps(small: CopySet) -> None:
    """A false pair above all lowers every group's AP; another group's false pair lowers none."""
    own = [whole(1, 0.9), whole(2, 0.8), whole(3, 0.7), whole(6, 0.6)]
    clean = score_predictions(small, own)
    assert [group.micro_ap for group in clean.groups] == [1.0, 1.0, 1.0]
    trapped = score_predictions(small, [*own, whole(5, 0.95, ref="R2")])
    assert [group.micro_ap for group in trapped.groups] == pytest.approx(
        [(1 / 2 + 2 / 3) / 2, 1 / 2, 1 / 2]
    )
    hard_wrong = score_predictions(small, [*own, whole(3, 0.95, ref="R2")])
    assert [group.micro_ap for group in hard_wrong.groups] == [1.0, 0.5, 1.0]


def test_ignored_pairs_are_neither_true_nor_false(small: CopySet) -> None:
    """A pair of ignored.csv changes nothing, however strong."""
    plain = score_predictions(small, [whole(1, 0.5)])
    with_kin = score_predictions(small, [whole(1, 0.5), whole(1, 1.0, ref="R3")])
    assert with_kin == plain


def test_boundaries_are_of_all_overlapping_segments(small: CopySet) -> None:
    """Two pieces that overlap a true segment bound it together; one that misses it does not."""
    pieces = [
        Segment("Q1", "R1", 1.0, 4.0, 1.5, 4.0, 0.9),
        Segment("Q1", "R1", 6.0, 12.0, 6.0, 10.0, 0.8),
        Segment("Q1", "R1", 20.0, 30.0, 0.0, 10.0, 0.7),
    ]
    found = score_predictions(small, pieces).boundaries
    assert [found[name].median for name in ("query_start", "query_end")] == [1.0, 2.0]
    assert [found[name].p90 for name in ("ref_start", "ref_end")] == [1.5, 0.0]


def test_predictions_without_times_have_no_segment_score(small: CopySet) -> None:
    """Whoever says nothing of times is ranked by pairs alone, and the table shows a dash."""
    timeless = replace(
        whole(1, 0.9), query_start=None, query_end=None, ref_start=None, ref_end=None
    )
    scores = score_predictions(small, [timeless])
    assert all(group.segments is None for group in scores.groups)
    assert scores.groups[0].found == 1
    segment_rows = [row for row in score_tables({"x": scores}, step_s=1.0) if "segment AP" in row]
    assert segment_rows and all(row.split()[-1] == "-" for row in segment_rows)


def test_predictions_of_another_set_are_refused(small: CopySet) -> None:
    """An id that the set lacks is an error with a message, not a false pair."""
    with pytest.raises(UsageError, match="Q77"):
        score_predictions(small, [whole(77, 0.5)])


def test_a_set_comes_back_as_it_was_written(small: CopySet) -> None:
    """Queries, references, truth and ignored pairs survive their CSV files."""
    write_set(small)
    assert read_set(small.folder) == small


def test_segments_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Scores survive to the last bit, times to a microsecond, absent times as absent."""
    rows = (
        Segment("Q1", "R1", 0.1, 1.0 / 3.0, 2.0, 3.5, 0.1 + 0.2),
        Segment("Q2", "R1", None, None, None, None, 1.0),
    )
    write_segments(tmp_path / "rows.csv", rows)
    first, second = read_segments(tmp_path / "rows.csv")
    assert first == replace(rows[0], query_end=0.333333)
    assert second == rows[1]


def test_a_row_that_is_no_segment_is_named(tmp_path: Path) -> None:
    """A number that is none is an error that names file and line."""
    path = tmp_path / "rows.csv"
    write_segments(path, [whole(1, 0.5)])
    path.write_text(path.read_text("utf-8").replace("10.000000", "ten"), "utf-8")
    with pytest.raises(UsageError, match=r"rows\.csv, line 2"):
        read_segments(path)
