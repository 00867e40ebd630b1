"""`vscan plan`: rows for every sampling, what was looked at, what could not be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Library, Vscan


def test_samplings_stand_side_by_side(vscan: Vscan, library: Library) -> None:
    """Each sampling plan has a row, in the order given; what was looked at stands below, and a
    broken video is told on stderr and left out of the figures."""
    ran = vscan(
        "plan", library.clips, *library.rules, "--sampling", "fps:2", "--sampling", "keyframes",
        "--event", "0.25,3", "--hours", "1000", "--price", "0.05",
    )  # fmt: skip
    assert 0 == ran.code
    head, grid, keyframes, *below = ran.out.decode().splitlines()
    for column in ("sampling", "samples", "1000 h: time", "cost", "missed 0.25 s", "missed 3 s"):
        assert column in head
    assert grid.startswith("fps:2 ")
    assert keyframes.startswith("keyframes ")
    assert "Looked at: 2 (seed 0)" in "\n".join(below)
    assert "3 videos" in "\n".join(below)
    assert "broken.mp4: " in ran.err


def test_the_plan_as_json(vscan: Vscan, library: Library) -> None:
    """One object with all that the table shows: rates with intervals, bills, misses, the machine;
    of 11 s of video a frame every half second is 22 samples, and no event of 3 s is missed."""
    arguments = ("plan", library.clips, *library.rules, "--json", "--hours", "2")
    ran = vscan(*arguments, "--sampling", "fps:2", "--event", "0.25,3")
    assert (0, "") == (ran.code, ran.err)
    (report,) = ran.records
    assert "vscan.plan/1" == report["schema"]
    assert (3, 2) == (report["videos"], len(report["looked_at"]))
    assert report["video_hours"] * 3600 == pytest.approx(11.0, abs=0.2)
    assert ["broken.mp4"] == [Path(each["uri"]).name for each in report["unreadable"]]
    assert ["pdq"] == report["signals"]
    assert report["model"] is None
    (told,) = report["plans"]
    assert ("fps:2", False) == (told["sampling"], told["first_pass"])
    assert told["here"]["samples"]["value"] == pytest.approx(22.0, abs=0.5)
    assert told["here"]["cost"] is None
    assert 2.0 == told["there"]["video_hours"]
    assert told["embedding_s"]["value"] == 0.0
    for rate in ("reading_cpu_s", "judging_cpu_s", "cpu_s"):
        low, value, high = (told[rate][name] for name in ("low", "value", "high"))
        assert 0 < low <= value <= high
    short, long = told["missed"]
    assert short["chance"]["value"] == pytest.approx(0.5, abs=0.05)
    assert long["chance"]["value"] == 0.0
    (usual,) = vscan(*arguments, "--look", "1").records
    assert ["fps:1", "fps:2", "keyframes"] == [each["sampling"] for each in usual["plans"]][:3]
    assert usual["plans"][0]["cpu_s"]["low"] is None, "one video says nothing of others"


def test_the_model_is_timed(vscan: Vscan, library: Library) -> None:
    """Where the pack has prompts, the model's time is in the plan, and it is named."""
    ran = vscan(
        "plan", library.good, "--model", "builtin", "--policy", "demo", "--sampling", "fps:1",
        "--workers", "1", "--json",
    )  # fmt: skip
    (report,) = ran.records
    (told,) = report["plans"]
    assert told["embedding_s"]["value"] > 0
    assert told["cpu_s"]["value"] == pytest.approx(
        sum(told[rate]["value"] for rate in ("reading_cpu_s", "judging_cpu_s", "embedding_s"))
    )
    assert report["model"].startswith("builtin#sha256:")


def test_what_cannot_be_planned(vscan: Vscan, library: Library) -> None:
    """Without one readable video the exit code is 3, as a scan's; wrong numbers and missing inputs
    are 2; each with a message."""
    ran = vscan("plan", library.clips / "broken.mp4", *library.rules)
    assert 3 == ran.code
    assert "not one of 1 video" in ran.err
    for wrong in (("--event", "1,x"), ("--event", "0"), ("--hours", "-1"), ("--price", "nan")):
        ran = vscan("plan", library.clips, *library.rules, *wrong)
        assert (2, True) == (ran.code, "vscan: error: " in ran.err), wrong
    assert 2 == vscan("plan").code
