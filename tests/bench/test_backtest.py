"""The measurement of a backtest works on a store of a few videos, and its parts add up."""

from __future__ import annotations

import re

import pytest

from bench import backtest


def test_a_small_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part has its row, for a changed pack and for one that is the same."""
    monkeypatch.setattr(backtest, "VIDEOS", 6)
    monkeypatch.setattr(backtest, "FRAMES", 5)
    rows = dict(backtest.measure())
    for what in ("thresholds and a prompt", "nothing"):
        shares = [
            int(found[1])
            for name, value in rows.items()
            if name.startswith(f"{what} changed: ") and (found := re.search(r"(\d+)%$", value))
        ]
        assert 6 == len(shares)
        assert 97 <= sum(shares) <= 103
        assert rows[f"{what} changed: flips"].endswith("of 6")
    assert "0 of 6" == rows["nothing changed: flips"]
