"""The packs that ship keep the promises that their descriptions make."""

from __future__ import annotations

import pytest

from vscan.policies import Action, lint_pack, load_pack
from vscan.shipped import shipped

FIELD = {
    "weapons", "violence", "gore", "self_harm", "adult", "hate", "extremism", "drugs", "alcohol",
    "gambling", "dangerous_acts", "scams", "child_safety",
}  # fmt: skip


@pytest.mark.parametrize("name", shipped("policies"))
def test_hold(name: str) -> None:
    """Every shipped pack loads, and is named as its file."""
    report = lint_pack(name)
    assert () == report.errors
    assert report.pack is not None
    assert name == report.pack.name


def test_baseline_has_no_doubts() -> None:
    """The pack that people copy from gives no warning."""
    assert () == lint_pack("baseline").warnings


def test_baseline_covers_the_field() -> None:
    """Each of the field's kinds of harm has its policy."""
    assert FIELD == {policy.id.split(".")[0] for policy in load_pack("baseline").policies}


def test_baseline_never_removes_by_prompts() -> None:
    """A score that nobody calibrated recommends a look, not a removal."""
    for policy in load_pack("baseline").policies:
        assert policy.thresholds.remove is None
        assert not policy.prompts or policy.thresholds.action_at(0.8999) <= Action.REVIEW


def test_baseline_child_safety_by_exemplars_alone() -> None:
    """Child safety has no prompts, and a match goes to specialists."""
    policies = [p for p in load_pack("baseline").policies if p.id.startswith("child_safety.")]
    assert [((), (), Action.ESCALATE)] == [
        (p.prompts, p.contrast, p.match_action) for p in policies
    ]
    assert all(policy.indexes for policy in policies)


def test_baseline_names_usual_mistakes() -> None:
    """Every policy with prompts names at least six things that look alike."""
    prompted = [policy for policy in load_pack("baseline").policies if policy.prompts]
    assert [] == [policy.id for policy in prompted if len(policy.contrast) < 6]
