"""A clock that is set back or far ahead: no verdict depends on it, and no run comes to harm."""

from __future__ import annotations

import datetime as real
import os
from pathlib import Path

import orjson
import pytest

from tests.conftest import Library, Vscan
from tests.verdict_schema import check_run
from vscan import runs

YEAR_S = 365 * 86400.0


class Jumping(real.datetime):
    """A clock that goes back a year each time it is looked at."""

    looked = 0

    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> real.datetime:  # type: ignore[override]
        """Earlier than ever before."""
        Jumping.looked += 1
        return real.datetime(2030 - Jumping.looked, 1, 1, tzinfo=tz)


def test_a_clock_that_is_set_back(
    vscan: Vscan, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines are those of any other day; the summary says both times as they were, and takes
    the duration from a clock that is never set."""
    expected = sorted(vscan("scan", library.clips, *library.rules).out.splitlines())
    monkeypatch.setattr(runs, "datetime", Jumping)
    out = tmp_path / "v.jsonl"
    assert 3 == vscan("scan", library.clips, *library.rules, "-o", out).code
    assert expected == sorted(out.read_bytes().splitlines())
    told = orjson.loads((tmp_path / "v.run.json").read_bytes())
    assert [] == check_run(told)
    assert Jumping.looked > 1
    assert told["ended_at"] < told["started_at"]
    assert 0 < told["wall_s"] < 3600


@pytest.mark.parametrize("offset_s", [-40 * YEAR_S, 40 * YEAR_S])
def test_files_of_another_time(
    vscan: Vscan, library: Library, tmp_path: Path, offset_s: float
) -> None:
    """A video, an output and an index that are dated before or long after today are used as any:
    what is done is known by content, and never by the time of a file."""
    out, video = tmp_path / "v.jsonl", tmp_path / "a.mp4"
    video.write_bytes((library.clips / "deep" / "copy.mp4").read_bytes())
    command = ("scan", video, *library.rules, "-o", out)
    moment = video.stat().st_mtime + offset_s
    os.utime(video, (moment, moment))
    assert 0 == vscan(*command).code
    before = out.read_bytes()
    for path in (video, out, out.with_suffix(".run.json")):
        os.utime(path, (0, 0))
    ran = vscan(*command)
    assert "1 done before" in ran.err
    assert before == out.read_bytes()
    video.write_bytes(library.good.read_bytes())
    os.utime(video, (0, 0))
    assert "1 clear" in vscan(*command).err
