"""`vscan verdicts export` as a person uses it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from tests.conftest import Vscan
from tests.decisions.made import decision
from tests.reports.scanned import written

from vscan.cli.verdict_export import FormatName
from vscan.decisions.log import DecisionLog
from vscan.reports.exports.registry import FORMATS


@pytest.fixture
def verdicts(tmp_path: Path) -> Path:
    """A verdict of every kind."""
    return written(tmp_path / "v.jsonl")


def test_an_export(vscan: Vscan, verdicts: Path, tmp_path: Path) -> None:
    """The file is written whole, by URI whatever the order of the lines; counts go to stderr."""
    out, log = tmp_path / "rows.csv", tmp_path / "decisions.db"
    with DecisionLog(log, create=True) as held:
        held.append(decision(verdict="v_knife"))
    asked = ("verdicts", "export", "-o", out, "--format", "csv", "--log", log)
    ran = vscan(*asked, verdicts)
    assert (0, b"") == (ran.code, ran.out)
    assert f"5 written to {out} as csv" in ran.err
    assert "left out: 1 findings that were set aside" in ran.err
    first = out.read_bytes()
    assert b"upheld" in first
    verdicts.write_bytes(b"".join(reversed(verdicts.read_bytes().splitlines(keepends=True))))
    assert "exists already" in vscan(*asked, verdicts).err
    assert 0 == vscan(*asked, "--force", "-", stdin=verdicts.read_bytes()).code
    assert first == out.read_bytes()


def test_the_list(vscan: Vscan) -> None:
    """--list tells every format and what it needs; the option knows the same names."""
    ran = vscan("verdicts", "export", "--list")
    assert 0 == ran.code
    assert [*FORMATS] == [line.split()[0] for line in ran.out.decode().splitlines()[1:]]
    assert get_args(FormatName) == tuple(FORMATS)
    (dsa,) = [
        each for each in vscan("verdicts", "export", "--list", "--json").records
        if each["name"] == "dsa"
    ]  # fmt: skip
    assert dsa["needs_log"] and dsa["needs_map"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((), "what is to be exported?"),
        (("v.jsonl", "-o", "out", "--format", "labels"), "give --log"),
        (("v.jsonl", "-o", "out", "--format", "xml"), "xml"),
        (("gone.jsonl", "-o", "out", "--format", "csv"), "gone.jsonl"),
        (("v.jsonl", "-o", "v.jsonl", "--format", "csv", "--force"), "files to read"),
        (("v.jsonl", "-o", "out", "--format", "osprey"), "osprey.send_time is missing"),
        (("v.jsonl", "-o", "out", "--format", "coop", "--policy-map", "gone.toml"), "gone.toml"),
        (("v.jsonl", "-o", "out", "--format", "coop"), "coop.reporter_id: is missing"),
    ],
)
def test_what_cannot_be_used(
    vscan: Vscan,
    verdicts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: tuple[str, ...],
    message: str,
) -> None:
    """A message and exit code 2, no file, no traceback."""
    monkeypatch.chdir(tmp_path)
    ran = vscan("verdicts", "export", *wrong)
    assert (2, b"") == (ran.code, ran.out)
    assert message in ran.err and "Traceback" not in ran.err
    assert not (tmp_path / "out").exists()
