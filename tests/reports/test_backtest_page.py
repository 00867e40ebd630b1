"""The page of a backtest: well-formed, escaped, without script, readable aloud."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.metrics.stored import Archive, pack
from tests.outline import Outline

from vscan.metrics.backtest.backtesting import BacktestSettings, backtest
from vscan.metrics.backtest.report import Backtest
from vscan.reports.backtest_page import MOST_FLIPS, backtest_page
from vscan.settings import ScanSettings

EVIL = '<script>alert(1)</script>"&\u202egpj.mp4'


@pytest.fixture
def report(tmp_path: Path) -> Backtest:
    """A backtest with flips, labels, a sample, an error, and a name that wants to be markup."""
    archive = Archive.at(tmp_path / "store")
    archive.add(EVIL, "a cigarette", [0.65, 0.66])
    for number in range(12):
        archive.add(f"beer{number}.mp4", "a beer", [0.7] * 3)
    archive.add_error("unreadable.mp4")
    old = pack(tmp_path / "old.toml", ("tobacco", "a cigarette", "review = 0.7"),
               ("beer", "a beer", "review = 0.6"))  # fmt: skip
    new = pack(tmp_path / "new.toml", ("tobacco", "a cigarette", "review = 0.6"),
               ("beer", "a beer", "review = 0.9"), version="2")  # fmt: skip
    labels = tmp_path / "labels.csv"
    rows = "".join(f"beer{number}.mp4,beer,violating\n" for number in range(12))
    labels.write_text(f"uri,policy,label\n{rows}", "utf-8")
    settings = BacktestSettings(old=old, new=new, labels=labels, sample=3, seed=4)
    return backtest(settings, ScanSettings(store=str(tmp_path / "store")))


def test_it_is_well_formed(report: Backtest) -> None:
    """Every element is closed where it should be; there is a title, a language, one heading."""
    page = backtest_page(report)
    outline = Outline(page)
    assert page.startswith("<!DOCTYPE html>\n")
    assert [] == outline.open
    assert [{"lang": "en"}] == outline.all("html")
    assert 1 == len(outline.all("h1")) == len(outline.all("main"))
    assert "Backtest: made@1 to made@2" in outline.text


def test_it_loads_and_runs_nothing(report: Backtest) -> None:
    """No script, no event, no address to fetch; the page itself forbids the browser both."""
    page = backtest_page(report)
    outline = Outline(page)
    tags = {tag for tag, _ in outline.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "a", "base"}
    names = {name for _, attributes in outline.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"src", "href"}
    assert not re.search(r"url\(|@import|https?:", page)
    (policy,) = [
        each["content"] for each in outline.all("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    ]  # fmt: skip
    assert policy is not None and policy.startswith("default-src 'none';")
    assert "prefers-color-scheme:dark" in page


def test_names_cannot_be_markup(report: Backtest) -> None:
    """A file's name stands as text, and what would turn the direction of writing is escaped."""
    page = backtest_page(report)
    assert "<script" not in page and "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;" in page
    assert '<script>alert(1)</script>"&\\u202egpj.mp4' in Outline(page).text


def test_it_can_be_read_aloud(report: Backtest) -> None:
    """Tables have captions, their headers say what they head; the picture has a text."""
    outline = Outline(backtest_page(report))
    assert len(outline.all("table")) == len(outline.all("caption")) > 5
    assert {"col", "row"} == {each.get("scope") for each in outline.all("th")}
    (picture,) = outline.all("svg")
    assert "img" == picture["role"]
    assert "Flagged videos by policy" in (picture["aria-label"] or "")
    assert "beer: 12 before, 0 after" in outline.text


def test_it_says_what_the_report_says(report: Backtest) -> None:
    """Flips and their cause, hours and their assumption, rates and their intervals, errors."""
    text = Outline(backtest_page(report)).text
    assert "Flips: 13 videos (13 by outcome" in text
    assert "1 decode_failed" in text
    assert "every flagged video takes 2 minutes, which is assumed" in text
    assert "1.00 (0.76 to 1.00) of 12" in text
    assert "-1.00 (-1.00 to -0.66)" in text
    assert ">= review 0.60, was below review 0.70" in text
    assert "with seed 4" in text


def test_a_long_list_is_cut_and_says_so(report: Backtest) -> None:
    """More flips than a page bears: the rest is counted."""
    many = report.listed_flips * (MOST_FLIPS // len(report.listed_flips) + 1)
    flips = replace(report.flips, total=len(many) + 7)
    text = Outline(backtest_page(replace(report, listed_flips=many, flips=flips))).text
    assert f"{flips.total - MOST_FLIPS} more are not shown" in text


def test_a_page_without_anything(report: Backtest) -> None:
    """No flips, labels, sample or volumes: still a page."""
    empty = replace(
        report, listed_flips=(), volumes=(), transitions=(), labels=None, sample=None,
        flips=replace(report.flips, total=0, outcome=0, action=0, policies=0, listed=0),
    )  # fmt: skip
    outline = Outline(backtest_page(empty))
    assert [] == outline.open and "Flips: none" in outline.text
