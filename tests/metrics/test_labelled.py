"""Errors and rates on labelled videos, and when no rate is given."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from vscan.metrics.backtest.tables import label_remarks
from vscan.metrics.labelled import LEAST, LabelCount, LabelReport, labelled_policy
from vscan.metrics.labels import load_labels
from vscan.metrics.proportions import Paired, mcnemar, paired_difference, wilson
from vscan.verdicts import Finding, Provenance, SourceRecord, Verdict

PROVENANCE = Provenance(vscan="0.1.0", pack="p@1#sha256:0", sampling="fps:1")


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


def _verdict(number: int, *policies: str) -> Verdict:
    findings = tuple(
        Finding(policy=each, severity="high", action="review", score=0.9, threshold=0.5,
                segments=(), evidence=())
        for each in policies
    )  # fmt: skip
    return Verdict(
        id=f"v_{number}", source=SourceRecord(uri=f"{number}.mp4"),
        outcome="review" if findings else "clear", action="review" if findings else "allow",
        findings=findings, samples=None, provenance=PROVENANCE,
    )  # fmt: skip


def test_together_each_video_counts_once(tmp_path: Path) -> None:
    """Twelve videos with three labels each are twelve videos for all policies together, also for
    intervals and tests; one label of violation makes a video a violating one."""
    rows = [
        f"{number}.mp4,{policy},{'violating' if policy == 'a' and number < 10 else 'benign'}\n"
        for number in range(12) for policy in "abc"
    ]  # fmt: skip
    (tmp_path / "labels.csv").write_text(f"uri,policy,label\n{''.join(rows)}", "utf-8")
    count = LabelCount(load_labels(tmp_path / "labels.csv"))
    for number in range(12):
        # Under old: 0..5 for what they violate, 6 for another policy, 10 for two, 11 for an
        # unlabelled one. Under new: only 0..9 for what they violate.
        old = ["a"] if number < 6 else {6: ["b"], 10: ["b", "c"], 11: ["d"]}.get(number, [])
        new = ["a"] if number < 10 else []
        count.see(_verdict(number, *old), _verdict(number, *new), judged=True)
    report = count.report("labels.csv", {"a", "b", "c", "d"})
    together, a, *_ = report.policies
    assert 36 == report.used == report.labels
    assert (None, 10, 2) == (together.policy, together.violating, together.benign)
    assert (7, 1, 3, 1) == _errors(together.old)
    assert (10, 0, 0, 2) == _errors(together.new)
    assert (6, 0, 4, 2) == _errors(a.old)
    table = Paired(both=7, before=0, after=3, neither=0)
    recall = together.recall_change
    assert (10, 0.3) == (recall.of, recall.value)
    expected = paired_difference(table)
    assert (recall.low, recall.high, recall.p) == pytest.approx(
        (expected.low, expected.high, mcnemar(table)), abs=1e-4
    )


def test_a_policy_may_have_rates_where_all_together_have_none(tmp_path: Path) -> None:
    """Videos benign for one policy but violating for another are no benign videos: the remark on
    too few labels comes only where no row has a rate."""
    rows = "".join(f"{n}.mp4,z,benign\n{n}.mp4,a{n % 3},violating\n" for n in range(12))
    (tmp_path / "labels.csv").write_text(f"uri,policy,label\n{rows}", "utf-8")
    count = LabelCount(load_labels(tmp_path / "labels.csv"))
    for number in range(12):
        count.see(_verdict(number), _verdict(number), judged=True)
    report = count.report("labels.csv", {"z"})
    rates = {each.policy: each.false_positive_rate_change.value for each in report.policies}
    assert rates[None] is None and rates["z"] == 0.0
    few = LabelReport(**{**vars(report), "policies": report.policies[1:2]})
    told = [
        [line for line in label_remarks(SimpleNamespace(labels=each)) if "too few" in line]  # type: ignore[arg-type]  # all that is read
        for each in (report, few)
    ]
    assert [[], ["too few labels for any rate: each needs 10"]] == told


def test_too_few_labels_give_no_rate() -> None:
    """One label less than needed: counts stand, the rate does not, and the reason is told."""
    found = labelled_policy(None, {(True, True, True): LEAST - 1, (False, False, False): LEAST})
    assert LEAST - 1 == found.old.true_positives
    for each in (found.old.recall, found.old.precision, found.recall_change):
        assert each.value is None and each.low is None and each.p is None
        assert f": {LEAST - 1}, and {LEAST} are needed" in (each.withheld or "")
    assert found.false_positive_rate_change.value == 0.0
