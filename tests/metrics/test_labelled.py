"""Errors and rates on labelled videos, and when no rate is given."""

from __future__ import annotations

import pytest

from vscan.metrics.labelled import LEAST, labelled_policy
from vscan.metrics.proportions import Paired, mcnemar, paired_difference, wilson


def test_counts_and_rates() -> None:
    """Worked by hand: 20 violating, 30 benign; the new pack finds 4 more, and 2 wrongly."""
    found = labelled_policy(
        "a",
        {
            (True, True, True): 10, (True, False, True): 5, (True, True, False): 1,
            (True, False, False): 4,
            (False, True, True): 3, (False, False, True): 2, (False, False, False): 25,
        },
    )  # fmt: skip
    assert (20, 30) == (found.violating, found.benign)
    assert (11, 3, 9, 27) == _errors(found.old)
    assert (15, 5, 5, 25) == _errors(found.new)
    assert (2, -4) == (found.false_positives_change, found.false_negatives_change)
    precision = wilson(15, 20)
    assert (0.75, precision.low, precision.high, 20) == pytest.approx(
        (found.new.precision.value, found.new.precision.low, found.new.precision.high,
         found.new.precision.of), abs=1e-4,
    )  # fmt: skip
    assert 0.55 == found.old.recall.value
    table = Paired(both=10, before=1, after=5, neither=4)
    assert (0.2, 20) == (found.recall_change.value, found.recall_change.of)
    assert found.recall_change.low == pytest.approx(paired_difference(table).low, abs=1e-4)
    assert found.recall_change.p == pytest.approx(mcnemar(table), abs=1e-4)
    assert found.false_positive_rate_change.value == pytest.approx(2 / 30, abs=1e-4)


def _errors(each: object) -> tuple[int, ...]:
    names = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    return tuple(getattr(each, name) for name in names)


def test_too_few_labels_give_no_rate() -> None:
    """One label less than needed: counts stand, the rate does not, and the reason is told."""
    found = labelled_policy(None, {(True, True, True): LEAST - 1, (False, False, False): LEAST})
    assert LEAST - 1 == found.old.true_positives
    for each in (found.old.recall, found.old.precision, found.recall_change):
        assert each.value is None and each.low is None and each.p is None
        assert f": {LEAST - 1}, and {LEAST} are needed" in (each.withheld or "")
    assert found.false_positive_rate_change.value == 0.0
