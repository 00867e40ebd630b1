"""`vscan scan --timings`: a table on stderr, and nothing else is another."""

from __future__ import annotations

import re

import pytest
from tests.conftest import Library, Vscan

from vscan.cli.scan_timings import NAMES, table
from vscan.timings import Moment, Spent

ROW = re.compile(
    r"^(?P<name>[a-z][^\d\n]+?) +(?P<cpu_s>[\d.]+) +(?P<share>[\d.]+) %$", re.MULTILINE
)


def rows(err: str) -> dict[str, tuple[float, float]]:
    """CPU seconds and share by the name of the row."""
    return {row["name"]: (float(row["cpu_s"]), float(row["share"])) for row in ROW.finditer(err)}


def test_the_table(vscan: Vscan, library: Library) -> None:
    """Every step has its row, the shares make 100, and the steps that this scan has cost
    something; stdout is as without it."""
    options = (library.good, *library.rules)
    plain, timed = vscan("scan", *options), vscan("scan", *options, "--timings")
    assert (plain.code, plain.out) == (timed.code, timed.out)
    assert "timings" not in plain.err
    told = rows(timed.err)
    assert [*NAMES.values(), "all"] == list(told)
    *steps, (_, all_share) = told.values()
    assert all_share == 100.0
    assert sum(share for _, share in steps) == pytest.approx(100.0, abs=0.05 * len(steps))
    for name in ("decode", "start readers"):
        assert told[name][1] > 0, name
    for name in ("model pictures", "keypoints", "embed (model)"):
        assert told[name] == (0.0, 0.0)
    assert "vscan: timings: 1 video, 4 samples in " in timed.err


def test_no_table_of_nothing(vscan: Vscan, library: Library) -> None:
    """Where no scan began there is no table, only what is wrong."""
    ran = vscan("scan", library.good, "--policy", "none.toml", "--timings")
    assert ran.code == 2
    assert "timings" not in ran.err


def test_what_it_was_for() -> None:
    """Samples a second, cores that were busy and how long the model worked stand below."""
    spent = Spent(
        start=Moment(2.0, 1.0, 0.0),
        run=Moment(4.0, 6.0, 5.0),
        cpu_s={"decode": 4.5, "model": 1.5},
        model_wall_s=1.0,
        videos=2,
        samples=100,
    )
    lines = list(table(spent, cores=2))
    assert lines[1].split() == ["decode", "4.50", "75.0", "%"]
    assert [
        "vscan: timings: 2 videos, 100 samples in 4.00 s: 25.0 samples/s",
        "vscan: timings: 1.50 of 2 cores busy (75 %); the model worked for 1.00 s (25 %)",
        "vscan: timings: before that, loading: 2.00 s, 1.00 of CPU",
    ] == lines[-3:]
