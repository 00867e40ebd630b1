"""The arithmetic of figures, thresholds and gates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training.builtin.calibrate import threshold, write
from training.builtin.figures import area_under_roc
from training.builtin.gates import Gate

from vscan.policies import load_pack


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [([2, 3], [0, 1], 1.0), ([0, 1], [2, 3], 0.0), ([1, 1], [1, 1], 0.5), ([1, 3], [2, 0], 0.75)],
)
def test_area_under_roc(positive: list[int], negative: list[int], expected: float) -> None:
    """The share of pairs in the right order; ties count half."""
    assert area_under_roc(np.array(positive, float), np.array(negative, float)) == expected


def test_a_threshold_keeps_both_allowances() -> None:
    """No more frames than allowed score above it, of empty frames and of others."""
    rng = np.random.default_rng(1)
    empty, other = rng.random(5000) * 0.7, rng.random(5000) * 0.9
    limit = threshold(rng.random(500), empty, other, "review")
    assert float((empty >= limit).mean()) <= 0.005
    assert 0.0 < float((other >= limit).mean()) <= 0.015


def test_a_threshold_is_as_high_as_recall_affords() -> None:
    """Where allowances are easily kept, 70 of 100 of the policy's own frames still reach review."""
    rng = np.random.default_rng(1)
    own, blank = rng.random(1000), rng.random(1000) * 0.01
    limits = [threshold(own * 0.5 + 0.5, blank, blank, a) for a in ("review", "escalate", "remove")]
    assert limits == sorted(limits)
    assert float((own * 0.5 + 0.5 >= limits[0]).mean()) == pytest.approx(0.7, abs=0.005)


def test_thresholds_are_written_into_the_pack(tmp_path: Path) -> None:
    """Only the values change: comments, prompts and the actions that a policy has stay."""
    pack = tmp_path / "demo.toml"
    source = (Path(__file__).parents[2] / "configs/policies/demo.toml").read_text("utf-8")
    pack.write_text(source, "utf-8")
    before = load_pack(str(pack))
    row = {"review": 0.61, "escalate": 0.71, "remove": 0.81}
    write(pack, {policy.id: row for policy in before.policies})
    after = load_pack(str(pack))
    assert {policy.thresholds.review for policy in after.policies} == {0.61}
    assert after.policy("weapons").thresholds.remove == 0.81
    assert after.policy("alcohol").thresholds.escalate is None
    assert [p.prompts for p in after.policies] == [p.prompts for p in before.policies]
    assert pack.read_text("utf-8").splitlines()[0] == source.splitlines()[0]


def test_a_gate_knows_its_side() -> None:
    """A recall must be at least its bound, a share of false flags at most."""
    assert Gate("recall", 0.6, 0.6, at_least=True).met
    assert not Gate("recall", 0.59, 0.6, at_least=True).met
    assert Gate("flagged", 0.01, 0.01, at_least=False).met
    assert not Gate("flagged", 0.011, 0.01, at_least=False).met
