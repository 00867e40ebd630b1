"""Keys that do not fit together are found on plain values, whatever else is wrong with them."""

from __future__ import annotations

import pytest

from vscan.policies.checks import pack_contradictions, threshold_contradictions


@pytest.mark.parametrize(
    ("thresholds", "at"),
    [
        ({"review": 0.2, "escalate": 0.2, "remove": 0.2}, []),
        ({"review": 0.2, "remove": 0.1}, ["remove"]),
        ({"review": 0.9, "escalate": 0.5, "remove": 0.6}, ["escalate", "remove"]),
        ({"escalate": 0.9, "remove": 0.95, "review": 0.1}, []),
        ({"review": "0.9", "escalate": 0.5}, []),
        ({"review": True, "escalate": 0.5}, []),
        ({"review": float("nan"), "escalate": 0.5}, []),
    ],
)
def test_thresholds_ascend(thresholds: dict[str, object], at: list[str]) -> None:
    """A more severe action never has the lower threshold; what is no number is left to others."""
    assert [(key,) for key in at] == [c.path for c in threshold_contradictions(thresholds)]


@pytest.mark.parametrize("policies", [None, 3, "x", [1, None, []], {"id": 1}])
def test_strange_values_are_skipped(policies: object) -> None:
    """What is no list of tables has no contradictions."""
    assert [] == pack_contradictions({"policy": policies})
