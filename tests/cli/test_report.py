"""`vscan report` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Library, Vscan
from tests.decisions.made import decision
from tests.reports.scanned import long_video, written

from vscan.decisions.log import DecisionLog


@pytest.fixture
def verdicts(tmp_path: Path) -> Path:
    """A verdict of every kind."""
    return written(tmp_path / "v.jsonl")


def test_the_page(vscan: Vscan, verdicts: Path, tmp_path: Path) -> None:
    """The page is written whole, nothing on stdout; again only with --force, and the same."""
    page = tmp_path / "report.html"
    ran = vscan("report", verdicts, "-o", page)
    assert (0, b"") == (ran.code, ran.out)
    assert f"4 videos; the page is {page}" in ran.err
    first = page.read_bytes()
    assert first.startswith(b"<!DOCTYPE html>") and b"Scan report: v.jsonl" in first
    assert "exists already" in vscan("report", verdicts, "-o", page).err
    assert 0 == vscan("report", verdicts, "-o", page, "--force").code
    assert first == page.read_bytes()
    assert "files to read" in vscan("report", verdicts, "-o", verdicts, "--force").err


def test_its_options(vscan: Vscan, verdicts: Path, tmp_path: Path) -> None:
    """A log, a pack, a title, how many; several files; stdin."""
    log, page = tmp_path / "decisions.db", tmp_path / "report.html"
    with DecisionLog(log, create=True) as held:
        held.append(decision(verdict="v_hoax", policy="hoax"))
    other = written(tmp_path / "w.jsonl", [long_video("clips/more.mp4", "weapons")])
    ran = vscan(
        "report", "-", other, "-o", page, "--log", log, "--policy", "demo", "--title", "Week <1>",
        "--top", "1", stdin=verdicts.read_bytes(),
    )  # fmt: skip
    assert 0 == ran.code, ran.err
    told = page.read_text("utf-8")
    assert "<h1>Week &lt;1&gt;</h1>" in told
    assert "The 1 most severe of 3 flagged videos; 2 more" in told
    assert "What people decided" in told and "demo@" in told


def test_thumbnails(vscan: Vscan, library: Library, tmp_path: Path) -> None:
    """On request alone the flagged videos are read again, and have blurred frames; one that has
    gone since is told."""
    verdicts, page = tmp_path / "v.jsonl", tmp_path / "report.html"
    vscan("scan", library.clips, *library.rules, "-o", verdicts)
    assert 0 == vscan("report", verdicts, "-o", page).code
    assert b"data:image" not in page.read_bytes()
    ran = vscan("report", verdicts, "-o", page, "--thumbnails", "--force")
    assert 0 == ran.code
    assert 1 == page.read_bytes().count(b'<img src="data:image/jpeg;base64,')
    gone = written(tmp_path / "gone.jsonl", [long_video("gone.mp4", "weapons")])
    ran = vscan("report", gone, "-o", page, "--thumbnails", "--force")
    assert 0 == ran.code
    assert "note: 1 of 1 flagged videos give no blurred frame" in ran.err
    assert "there is no file of this name" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("gone.jsonl", "-o", "r.html"), "gone.jsonl: cannot be read"),
        (("v.jsonl", "-o", "no/such/r.html"), "cannot be written"),
        (("v.jsonl", "-o", "r.html", "--log", "gone.db"), "gone.db"),
        (("v.jsonl", "-o", "r.html", "--policy", "gone.toml"), "gone.toml"),
        (("v.jsonl", "-o", "r.html", "--top", "0"), "--top"),
        (("notes.txt", "-o", "r.html"), "line 1 is not a vscan verdict"),
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
    """A message and exit code 2, no page, no traceback."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("not a verdict\n", "utf-8")
    ran = vscan("report", *wrong)
    assert (2, b"") == (ran.code, ran.out)
    assert message in ran.err and "Traceback" not in ran.err
    assert not (tmp_path / "r.html").exists()
