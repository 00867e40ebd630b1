"""The page of enforcement figures: well-formed, escaped, without script, readable aloud."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.metrics.enforced import Made, pick, verdict, write, write_picks
from tests.outline import Outline

from vscan.metrics.enforcement.grouping import grouping
from vscan.metrics.enforcement.measure import MetricsSettings, metrics
from vscan.metrics.enforcement.report import Metrics
from vscan.reports.metrics_page import MOST_ROWS, metrics_page

EVIL = '<script>alert(1)</script>"&\u202egpj'


@pytest.fixture
def report(tmp_path: Path) -> Metrics:
    """Two markets that differ, a sample, an earlier run, and names that want to be markup."""
    made = Made()
    verdicts = []
    for number in range(60):
        market = "DE" if number < 30 else EVIL
        verdicts.append(verdict(f"n{number}", {"weapons": 0.9}, market=market))
        verdicts.append(verdict(f"c{number}", market=market))
        one = made.rule(f"n{number}", "uphold" if number < 35 else "overturn",
                        reviewer=EVIL.replace("\u202e", ""), seconds_viewed=9.0)  # fmt: skip
        made.rule(f"n{number}", kind="second", about=one.id, reviewer="bo")
        if number > 34:
            made.rule(f"n{number}", "overturn", kind="adjudication", about=one.id, reviewer="ed")
    picks = [pick(f"n{number}", "weapons/flagged", 60, 12) for number in range(30, 42)]
    return metrics(
        MetricsSettings(
            verdicts=(write(tmp_path / "verdicts.jsonl", verdicts),),
            log=made.log(tmp_path / "decisions.db"),
            sample=write_picks(tmp_path / "picks.jsonl", picks),
            against=(write(tmp_path / "before.jsonl", verdicts[:40]),),
            grouping=grouping("policy,market", "month"),
        )
    )


def test_it_is_well_formed_and_loads_nothing(report: Metrics) -> None:
    """Every element is closed where it should be; no script, no event, no address to fetch."""
    page = metrics_page(report)
    outline = Outline(page)
    assert [] == outline.open
    assert 1 == len(outline.all("h1")) == len(outline.all("main"))
    tags = {tag for tag, _ in outline.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "a", "base"}
    names = {name for _, attributes in outline.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"src", "href"}
    assert not re.search(r"url\(|@import|https?:", page)
    assert "prefers-color-scheme:dark" in page


def test_names_cannot_be_markup(report: Metrics) -> None:
    """Markets and reviewers stand as text, and what would turn the writing is escaped."""
    page = metrics_page(report)
    assert "<script" not in page and "\u202e" not in page
    assert '<script>alert(1)</script>"&\\u202egpj' in Outline(page).text


def test_it_can_be_read_aloud(report: Metrics) -> None:
    """Tables have captions and heads; each picture says what it shows, in words."""
    outline = Outline(metrics_page(report))
    assert len(outline.all("table")) == len(outline.all("caption")) > 8
    pictures = outline.all("svg")
    assert len(pictures) == len(outline.all("title")) - 1 > 8
    assert all("img" == each["role"] for each in pictures)
    labels = [each["aria-label"] for each in pictures]
    assert "precision, weapons, DE: 1.00 (0.89 to 1.00) of 30" in labels


def test_it_says_what_the_report_says(report: Metrics) -> None:
    """The market that differs, the caution beside it, what is withheld and why."""
    text = Outline(metrics_page(report)).text
    assert "weapons: precision differs beyond chance" in text
    assert "differing content may be its cause, not differing enforcement" in text
    assert "only flagged videos were drawn" in text
    assert "40 videos are in both runs" in text
    assert "on a scale from 0 to 1" in text


def test_without_people(tmp_path: Path) -> None:
    """Verdicts alone make a page, which says that no one ruled and nothing is known of the missed;
    many groups are drawn in part."""
    verdicts = [verdict(f"n{number}", market=f"m{number}") for number in range(MOST_ROWS + 5)]
    file = write(tmp_path / "verdicts.jsonl", verdicts)
    by = grouping("market", "month")
    outline = Outline(metrics_page(metrics(MetricsSettings(verdicts=(file,), grouping=by))))
    assert [] == outline.open
    assert "no decision log (--log)" in outline.text
    assert "needs a probability sample" in outline.text
    assert "6 more stand in the table" in outline.text
