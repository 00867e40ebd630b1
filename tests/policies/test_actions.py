"""Actions are ordered by how severe they are, and written as the words of the record."""

from __future__ import annotations

import pytest

from vscan.policies import SEVERITIES, Action


def test_order() -> None:
    """allow < review < escalate < remove."""
    assert [Action.ALLOW, Action.REVIEW, Action.ESCALATE, Action.REMOVE] == sorted(Action)
    assert Action.REMOVE == max(Action.REVIEW, Action.REMOVE)


@pytest.mark.parametrize("action", Action)
def test_words_both_ways(action: Action) -> None:
    """An action and its word lead to each other."""
    assert action is Action.of(str(action))


def test_unknown_word() -> None:
    """Any other word is refused, and the words that there are named."""
    with pytest.raises(ValueError, match="'delete' is no action; actions: allow, review"):
        Action.of("delete")


def test_severities_ascend() -> None:
    """Severities stand from the mildest to the gravest."""
    assert ("low", "medium", "high", "critical") == SEVERITIES
