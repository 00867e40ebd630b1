"""Progress on a terminal: what takes long shows that it goes on."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from vscan.cli import progress


class _Terminal(io.StringIO):
    """A stderr that says it is one, and tells once something was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.wrote = threading.Event()

    def write(self, text: str) -> int:
        if "listing" in text or "scan" in text:
            self.wrote.set()
        return super().write(text)

    def isatty(self) -> bool:
        return True


@pytest.fixture(name="terminal")
def make_terminal(monkeypatch: pytest.MonkeyPatch) -> _Terminal:
    """Stderr, with a clock that ticks often."""
    terminal = _Terminal()
    # Not sys.stderr itself: pytest puts its own there between a fixture and its test.
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=terminal))
    monkeypatch.setattr(progress, "TICK_S", 0.01)
    return terminal


def test_a_long_listing_shows(terminal: _Terminal) -> None:
    """A listing that finds nothing for long is told of meanwhile; all that it finds is there."""

    def slow() -> Iterator[str]:
        assert terminal.wrote.wait(20), "nothing was shown while the listing went on"
        yield from ("a", "b")

    assert ["a", "b"] == progress.all_listed(slow())
    assert "listing" in terminal.getvalue()


def test_the_bar_goes_on_without_verdicts(terminal: _Terminal) -> None:
    """While one video takes long the bar's clock is drawn again."""
    with progress.ScanProgress(1):
        terminal.wrote.clear()
        assert terminal.wrote.wait(20), "the bar stood still"


def test_no_bar_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Where stderr is no terminal nothing is drawn."""
    assert [1, 2] == progress.all_listed(iter((1, 2)))
    assert "" == capsys.readouterr().err
