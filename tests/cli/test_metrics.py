"""`vscan metrics` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no types
from tests.conftest import Vscan
from tests.metrics.enforced import Made, broken, pick, verdict, write, write_picks

SCHEMA = Path(__file__).parents[2] / "docs" / "metrics-schema.json"


@pytest.fixture
def verdicts(tmp_path: Path) -> Path:
    """Twenty videos in two markets, half of them flagged, and one error."""
    told = [
        verdict(
            f"n{number}",
            {"weapons": 0.9} if number % 2 else None,
            market="DE" if number < 10 else "FR",
            uploaded_at="2026-11-01",
        )
        for number in range(20)
    ]
    return write(tmp_path / "verdicts.jsonl", [*told, broken("bad\x1b[2J", market="DE")])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Every flagged video upheld by ana, and two looked at again."""
    made = Made()
    for number in range(1, 20, 2):
        one = made.rule(f"n{number}", seconds_viewed=30.0)
        if number < 4:
            made.rule(f"n{number}", "overturn", kind="second", about=one.id, reviewer="bo")
    return made.log(tmp_path / "decisions.db")


def test_tables_json_and_page(vscan: Vscan, verdicts: Path, log: Path, tmp_path: Path) -> None:
    """Tables for people, one object of the schema for programs, a page; notes go to stderr, and two
    runs say the same."""
    page = tmp_path / "page.html"
    command = ("metrics", verdicts, "--log", log, "--by", "policy,market,period", "--html", page)
    ran = vscan(*command)
    assert 0 == ran.code, ran.err
    told = ran.out.decode()
    assert "0.50 (0.30 to 0.70) of 20" in told
    assert "0.80 (0.49 to 0.94) of 10" in told
    assert "ana" in told and "5.0 min" in told
    assert "recall, prevalence and violative view rate are withheld" in ran.err
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    again = vscan(*command, "--force", "--json")
    (report,) = again.records
    assert (0, "vscan.metrics/1") == (again.code, report["schema"])
    assert [] == list(Draft202012Validator(orjson.loads(SCHEMA.read_bytes())).iter_errors(report))
    assert again.out == vscan(*command, "--force", "--json").out
    (total,) = [
        each
        for each in report["groups"]
        if (each["policy"], each["market"], each["period"]) == (None, None, None)
    ]
    assert (21, 1, 10) == tuple(total["content"][name] for name in ("videos", "errors", "flagged"))


def test_every_input_together(vscan: Vscan, verdicts: Path, log: Path, tmp_path: Path) -> None:
    """A sample with its labels, known answers and an earlier run: each has its table, and the
    object is the schema's."""
    picks = [pick(f"n{number}", "weapons/flagged", 10, 10) for number in range(1, 20, 2)]
    picks += [pick(f"n{number}", "weapons/rest", 10, 10) for number in range(0, 20, 2)]
    sample = write_picks(tmp_path / "picks.jsonl", picks)
    labels = tmp_path / "labels.csv"
    rows = "".join(f"n{number}.mp4,weapons,benign\n" for number in range(0, 20, 2))
    labels.write_text(f"uri,policy,label\n{rows}", "utf-8")
    before = write(tmp_path / "before.jsonl", [verdict("old", {"weapons": 0.7})])
    command = ("metrics", verdicts, "--log", log, "--sample", sample, "--labels", labels,
               "--gold", labels, "--against", before)  # fmt: skip
    ran = vscan(*command)
    assert 0 == ran.code, ran.err
    told = ran.out.decode()
    for title in ("From the sample", "Strata of the sample", "Markets", "Drift",
                  "Agreement of first and second looks", "Reviewers' exposure"):  # fmt: skip
        assert f"\n{title}\n" in told
    # All of both strata are answered: 8 of 20 violate, and nothing was missed.
    assert "0.40 (0.40 to 0.40) of 20" in told and "1.00 (1.00 to 1.00) of 20" in told
    (report,) = vscan(*command, "--json").records
    assert [] == list(Draft202012Validator(orjson.loads(SCHEMA.read_bytes())).iter_errors(report))


def test_days(vscan: Vscan, verdicts: Path, log: Path) -> None:
    """Days that hold nothing leave no rows, and what was left out is counted."""
    ran = vscan("metrics", verdicts, "--log", log, "--from", "2026-12-01", "--json")
    (report,) = ran.records
    assert (0, 21) == (report["verdicts"]["videos"], report["verdicts"]["outside"])
    assert 0 == report["decisions"]["cases"]
    assert [] == report["groups"]
    assert 0 == vscan("metrics", verdicts, "--log", log, "--from", "2026-12-01").code


def test_what_goes_wrong_is_told(vscan: Vscan, verdicts: Path, log: Path, tmp_path: Path) -> None:
    """Each mistake ends with 2 and a message, prints nothing, and writes no page."""
    page = tmp_path / "page.html"
    adaptive = write_picks(
        tmp_path / "picks.jsonl",
        [pick("n1", "weapons/flagged", 9, 3, strategy="near", weight=None)],
    )
    for message, command in {
        "'planet' is nothing to group by": (verdicts, "--by", "policy,planet"),
        "'year' is no period": (verdicts, "--period", "year"),
        "--from 'soon' is not a date": (verdicts, "--from", "soon"),
        "holds no day": (verdicts, "--from", "2026-11-02", "--until", "2026-11-01"),
        "no such decision log": (verdicts, "--log", tmp_path / "none.db"),
        "is not a vscan verdict": (log,),
        "cannot be read": (tmp_path / "absent.jsonl",),
        "chances that nobody knows": (verdicts, "--log", log, "--sample", adaptive),
        "--sample has no answers": (verdicts, "--sample", adaptive),
        "is one of the files to read": (verdicts, "--html", verdicts, "--force"),
    }.items():
        ran = vscan("metrics", *command, *(() if "--html" in command else ("--html", page)))
        assert (2, b"") == (ran.code, ran.out), (message, ran.err)
        assert message in ran.err
        assert "Traceback" not in ran.err
        assert not page.exists()
