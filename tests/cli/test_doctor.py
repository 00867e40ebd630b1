"""`vscan doctor`: everything a scan needs is tried, and what is missing has a remedy."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tests.conftest import Vscan

from vscan import diagnosis
from vscan.decode import process
from vscan.diagnosis import CODECS, Check, diagnose
from vscan.errors import ModelError

ROOT = Path(__file__).parents[2]


def test_doctor(vscan: Vscan) -> None:
    """On a whole installation no check fails, and every codec was decoded for real."""
    ran = vscan("doctor", "--json")
    checks = {record["name"]: record for record in ran.records}
    assert {} == {name: c for name, c in checks.items() if c["status"] == "failed"}
    assert 0 == ran.code
    assert set(checks) >= {*CODECS, "vscan", "machine", "readers", "torch", "precision", "models",
                           "policy packs", "extras", "disk", "terminal",
                           "reader sandbox"}  # fmt: skip
    for codec in CODECS:
        assert checks[codec]["detail"].startswith(("10 frames by ", "not tried: "))
    assert "10 frames by " in checks["H.264"]["detail"]
    assert "builtin" in checks["models"]["detail"]
    assert all(c["remedy"] for c in checks.values() if c["status"] != "ok" and c["name"] in CHECKED)


def test_extras(vscan: Vscan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which extras are there is told; an absent one is no warning, and the row says what adds it.

    The table of extras is that of the distribution, no more and no less.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = project["optional-dependencies"]
    names = {extra: tuple(re.split(r"[>=\[]", each)[0] for each in brought)
             for extra, brought in declared.items()}  # fmt: skip
    assert names == diagnosis.EXTRAS
    monkeypatch.setattr(diagnosis, "CHECKS", {"extras": diagnosis.CHECKS["extras"]})
    there = {each for brought in names.values() for each in brought}
    monkeypatch.setattr(diagnosis, "_version", lambda each: "1.0" if each in there else None)
    (whole,) = vscan("doctor", "--json").records
    assert ("ok", ", ".join(names), "") == (whole["status"], whole["detail"], whole["remedy"])
    there -= {"ray", "uvicorn"}
    ran = vscan("doctor", "--json")
    (lacking,) = ran.records
    assert ("ok", 0) == (lacking["status"], ran.code)
    assert lacking["detail"].endswith("; not installed: ray, review")
    assert "pip install 'vscan[ray,review]'" in lacking["remedy"]


def test_the_sandbox_is_tried(vscan: Vscan, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader is refused is listed by what refuses it; a layer that is missing has a remedy.

    A kernel without Landlock and seccomp is a warning, not a failure, whatever this machine's has.
    """
    monkeypatch.setattr(diagnosis, "CHECKS", {"reader sandbox": diagnosis.CHECKS["reader sandbox"]})
    (here,) = vscan("doctor", "--json").records
    assert here["status"] in ("ok", "warning")
    assert ("ok" == here["status"]) == ("not " not in here["detail"])
    if here["status"] == "ok":
        assert "refused by seccomp: connecting to a socket" in here["detail"]
        assert "by Landlock: opening another file" in here["detail"]
    lacking = (
        "import runpy; from vscan.decode import kernel\n"
        "def call(*_): raise OSError(38, 'Function not implemented')\n"
        "kernel.call = call\n"
        "runpy.run_module('vscan.decode.child', run_name='__main__')\n"
    )
    monkeypatch.setattr(process, "CHILD", ("-P", "-c", lacking))
    ran = vscan("doctor", "--json")
    (bare,) = ran.records
    assert ("warning", 0) == (bare["status"], ran.code)
    assert "Landlock is not in force (Function not implemented)" in bare["detail"]
    assert "not refused: connecting to a socket" in bare["detail"]
    assert all(word in bare["remedy"] for word in ("Linux from 5.13", "seccomp", "container"))


def test_a_reader_that_does_not_start(vscan: Vscan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader process that ends at once is a failed check with a message, not a traceback."""
    monkeypatch.setattr(diagnosis, "CHECKS", {"reader sandbox": diagnosis.CHECKS["reader sandbox"]})
    monkeypatch.setattr(process, "CHILD", ("-c", "raise SystemExit(3)"))
    ran = vscan("doctor", "--json")
    assert ("failed", 2) == (ran.records[0]["status"], ran.code)
    assert "ended with status 3" in ran.records[0]["detail"]
    assert "Traceback" not in ran.err


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
