"""`vscan doctor`: everything a scan needs is tried, and what is missing has a remedy."""

from __future__ import annotations

import pytest
from tests.conftest import Vscan

from vscan import diagnosis
from vscan.diagnosis import CODECS, Check, diagnose
from vscan.errors import ModelError


def test_doctor(vscan: Vscan) -> None:
    """On a whole installation no check fails, and every codec was decoded for real."""
    ran = vscan("doctor", "--json")
    checks = {record["name"]: record for record in ran.records}
    assert {} == {name: c for name, c in checks.items() if c["status"] == "failed"}
    assert 0 == ran.code
    assert set(checks) >= {*CODECS, "vscan", "machine", "readers", "torch", "precision", "models",
                           "policy packs", "disk", "terminal"}  # fmt: skip
    for codec in CODECS:
        assert checks[codec]["detail"].startswith(("10 frames by ", "not tried: "))
    assert "10 frames by " in checks["H.264"]["detail"]
    assert "builtin" in checks["models"]["detail"]
    assert all(c["remedy"] for c in checks.values() if c["status"] != "ok" and c["name"] in CHECKED)


CHECKED = ("models", "readers", "torch")
"""Checks whose warnings a person can do something about."""


def test_a_failed_check(vscan: Vscan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that fails, in a foreseen way or not, is a row with a remedy; the exit code is 2."""

    def foreseen(name: str) -> object:
        raise ModelError("weights are gone", remedy="pull them")

    def unforeseen(name: str) -> object:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(diagnosis, "CHECKS", {"one": foreseen, "two": unforeseen})
    assert [
        Check("one", "failed", "weights are gone", "pull them"),
        Check("two", "failed", "ZeroDivisionError: oops", "reinstall vscan"),
    ] == list(diagnose())
    ran = vscan("doctor")
    assert 2 == ran.code
    assert ["check", "status", "found", "remedy"] == ran.out.decode().splitlines()[0].split()
    assert "weights are gone" in ran.out.decode()
    assert "Traceback" not in ran.err
