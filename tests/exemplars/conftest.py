"""Fixtures of the exemplar index's tests."""

from __future__ import annotations

import pytest

from vscan.exemplars import structures


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes count as large from 50 vectors on, so that nothing is searched flat."""
    for signal in structures.FLAT_UP_TO:
        monkeypatch.setitem(structures.FLAT_UP_TO, signal, 50)
