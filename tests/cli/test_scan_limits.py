"""`vscan scan --limit`: a limit from the command line reaches the reader, and a slip is told."""

from __future__ import annotations

import pytest
from tests.conftest import Library, Vscan


def test_a_limit_reaches_the_reader(vscan: Vscan, library: Library) -> None:
    """The file beyond it is an error that names the limit; with room it is read."""
    for most, outcome in (("10k", "error"), ("1M", "clear")):
        told = ("--limit", f"max_pixels={most}", "--limit", "memory_bytes=2G")
        ran = vscan("scan", library.good, *library.rules, *told)
        (record,) = ran.records
        assert outcome == record["outcome"]
        if outcome == "error":
            assert "too_large" == record["error"]["code"]
            assert "more than limit max_pixels = 10000" in record["error"]["message"]
            assert 3 == ran.code


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (("--limit", "max_pixel=3"), "do you mean max_pixels?"),
        (("--limit", "timeout_s=5", "--timeout", "5"), "twice"),
        (("--limit", "memory_bytes=1M"), "at least 256 MiB"),
    ],
)
def test_a_slip(vscan: Vscan, library: Library, written: tuple[str, ...], told: str) -> None:
    """What cannot be a limit ends the command with 2 before anything is read."""
    ran = vscan("scan", library.good, *library.rules, *written)
    assert (2, b"") == (ran.code, ran.out)
    assert told in ran.err
    assert "Traceback" not in ran.err
