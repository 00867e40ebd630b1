"""The page of a scan: what it says, in which order, and that no name of a file can change it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from tests.decisions.made import decision
from tests.outline import Outline
from tests.reports.scanned import EVERY_KIND, EVIL, error, long_video, written

from vscan.decisions.decision import Decision
from vscan.errors import ERROR_CODES, UsageError
from vscan.policies.pack import parse_pack
from vscan.reports.policy_figures import policy_figures
from vscan.reports.scan_page import OPEN_AT_FIRST, scan_page
from vscan.reports.scan_report import scan_report
from vscan.reports.templating import rendered
from vscan.reports.thumbnails import Shot
from vscan.reports.trouble import WHAT_TO_DO

PACK = b"""\
schema = "vscan.pack/1"
name = "p"
version = "2"
[[policy]]
id = "weapons"
title = "Arms & <knives>"
severity = "high"
prompts = ["a knife"]
contrast = ["a spoon"]
[policy.thresholds]
review = 0.6
remove = 0.85
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A verdict of every kind."""
    return written(tmp_path / "v.jsonl")


def text_of(*files: Path, decisions: list[Decision] | None = None) -> str:
    """What is read on the page, on one line, cells apart from each other."""
    return read(scan_page(scan_report(files, decisions=decisions)))


def read(page: str) -> str:
    """What is read on a page."""
    apart = re.sub("(</(?:td|th|dt|li)>)", r" \1", page)
    return " ".join(Outline(apart).text.split())


def test_it_says_what_came_of_the_scan(file: Path) -> None:
    """The sentences, the figures, what to do about failures, gaps and what was set aside."""
    text = text_of(file)
    assert (
        "4 videos were scanned, 2 min of footage; the length of 1 video is not known. "
        "The scan recommends removing 1 video and a person's look at 1 video. "
        "Nothing was found in 1 video. 1 video could not be read and needs a person and 1 video "
        "could be looked at only in part."
    ) in text
    assert "3 videos need a person, the most severe first." in text
    assert f"{ERROR_CODES['decode_failed']} {WHAT_TO_DO['decode_failed']}" in text
    assert "75.0% 25.0s–35.0s" in text
    assert "clips/pets.mp4 hoax 1.0s–2.0s because of a match with a benign exemplar" in text
    assert "pdq match: 10.0s–20.0s is ex_1 (hoax) of known at 0.0s–10.0s" in text
    assert "mirrored, distance 8 of 256, score 0.94; covers 25% of the video" in text
    assert "weapons.knives remove 3.0s (3.00) 7.5s (7.50) 4.0s (4.00) 0.90" in text
    assert "policy pack p@1#sha256:0" in text and "vscan 0" in text
    assert "Scores are no probabilities" in text and "A verdict recommends" in text


def test_a_manager_reads_it_in_order(file: Path) -> None:
    """What needs a person stands before figures, those before single videos, means at the end;
    and the gravest of the videos first."""
    page = scan_page(scan_report([file], decisions=[]))
    headings = re.findall(r'<h2 id="(\w+)"', page)
    assert [
        "what",
        "first",
        "policies",
        "decided",
        "videos",
        "trouble",
        "made",
        "notes",
    ] == headings
    names = re.findall(r'<th scope="row"><a href="#v\d">([^<]*)', page)
    assert "clips/knife.mp4" == names[0] and names[1].startswith("&lt;script")


def test_names_cannot_be_markup(file: Path) -> None:
    """Markup, turns of direction and control characters of a name stand as text, wherever it is;
    nothing is loaded, nothing runs."""
    page = scan_page(scan_report([file], title=EVIL))
    outline = Outline(page)
    assert [] == outline.open
    assert not {"\u202e", "\x1b"} & set(page)
    assert page.count("&lt;script&gt;alert(1)") >= 4 and "<script" not in page
    assert '<script>alert(1)</script>"&\\u202egpj.\\x1b[2Jmp4' in outline.text
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in outline.elements}
    attributes = {name for _, each in outline.elements for name in each}
    assert not {name for name in attributes if name.startswith("on")} | attributes & {"src"}
    assert not re.search(r"url\(|@import|https?:", page)
    (policy,) = [e["content"] for e in outline.all("meta") if e.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_pictures_have_a_text(file: Path) -> None:
    """Every picture says what it shows or is left out for screen readers; tables have captions,
    and no two regions the same name."""
    outline = Outline(scan_page(scan_report([file])))
    for picture in outline.all("svg"):
        told = picture.get("aria-label") or picture.get("aria-hidden") or picture.get("class")
        assert told is not None, picture
    lanes = [
        e["aria-label"] for e in outline.all("svg") if "peak at" in (e.get("aria-label") or "")
    ]
    assert "weapons, remove: 3.0s to 7.5s, peak at 4.0s of 40.0s" in lanes
    assert len(outline.all("table")) == len(outline.all("caption")) > 5
    regions = [e["aria-label"] for e in outline.all("div") if e.get("role") == "region"]
    assert len(set(regions)) == len(regions) > 5


def test_the_same_files_give_the_same_bytes(file: Path) -> None:
    """No clock and no chance in the page."""
    assert scan_page(scan_report([file])) == scan_page(scan_report([file]))


def test_decisions(file: Path) -> None:
    """Upheld, overturned, open and undecided findings are counted, what is settled asks for nobody,
    an open disagreement does; the whole verdict's ruling holds for its policies."""
    knife, hoax = EVERY_KIND[0].id, EVERY_KIND[1].id
    said = [
        decision("d_1", verdict=knife, policy="weapons"),
        decision("d_2", verdict=knife, policy=None, ruling="overturn", reason="false_positive"),
        decision("d_3", verdict=hoax, policy="hoax"),
        decision("d_4", verdict=hoax, policy="hoax", kind="second", about="d_3",
                 ruling="overturn", reason="wrong_policy", reviewer="bo"),
        decision("d_5", verdict="v_other"),
    ]  # fmt: skip
    text = text_of(file, decisions=said)
    assert (
        "Of what a person should rule on: 1 upheld, 1 overturned, 1 left open and 1 not decided yet"
    ) in text
    assert "2 videos need a person" in text and "1 that is decided already is left out" in text
    assert "weapons 1 0 0 0 weapons.knives 0 1 0 0" in text
    assert "rules on 1 further verdict that these files do not hold" in text
    settled = [*said, decision("d_6", verdict=hoax, policy="hoax", kind="adjudication",
                               about="d_4", reviewer="chief")]  # fmt: skip
    assert "1 video needs a person" in text_of(file, decisions=settled)


def test_thousands_of_videos(tmp_path: Path) -> None:
    """As many as asked for are told in detail, the rest is counted and said; some are unfolded."""
    many = [long_video(f"clips/{n:04}.mp4", "weapons") for n in range(1200)]
    many += [error(f"clips/x{n:04}.mp4") for n in range(300)]
    report = scan_report([written(tmp_path / "many.jsonl", many)], most=50)
    page = scan_page(report)
    outline = Outline(page)
    folded = [each for each in outline.all("details") if each.get("class") == "video"]
    assert 50 + 1 == len(folded)
    assert OPEN_AT_FIRST == len([each for each in folded if "open" in each])
    text = read(page)
    assert "The first 50 are listed; 1450 more are not (--top lists more)" in text
    assert "The 50 most severe of 1200 flagged videos; 1150 more are counted above" in text
    assert "and 250 more" in text
    assert len(page) < 400_000


def test_a_pack_gives_titles_and_thresholds(file: Path) -> None:
    """Titles, and thresholds that no finding names; that it is another pack is said."""
    pack = parse_pack(PACK, file="p.toml")
    report = scan_report([file], pack=pack)
    page = scan_page(report)
    assert "Arms &amp; &lt;knives&gt;" in page
    weapons = next(each for each in report.policies if each.policy == "weapons")
    assert (("review", 0.6), ("remove", 0.85)) == weapons.thresholds
    assert "which is not the pack that all verdicts were made under" in Outline(page).text


def test_bins(tmp_path: Path) -> None:
    """A score lies in the bar that begins at it; 1.0 in the last."""
    scores = {0.0: 0, 0.05: 1, 0.35: 7, 0.6999: 13, 0.7: 14, 1.0: 19}
    records = []
    for score in scores:
        made = long_video(f"{score}.mp4", "weapons").as_dict()
        made["findings"][0]["score"] = score
        records.append(made)
    (figures,) = policy_figures(records)
    assert sorted(scores.values()) == [n for n, count in enumerate(figures.bins) if count]


def test_several_files_and_configurations(tmp_path: Path) -> None:
    """The later file counts, and that is said; configurations that differ are named."""
    first = long_video("a.mp4", "weapons")
    other = replace(first.provenance, pack="q@2#sha256:1", sampling="keyframes")
    later = replace(long_video("a.mp4"), provenance=other)
    files = [
        written(tmp_path / "one.jsonl", [first, long_video("b.mp4")]),
        written(tmp_path / "two.jsonl", [later]),
    ]
    text = text_of(*files)
    assert "2 videos were scanned" in text and "Nothing: every video is clear." in text
    assert "2 configurations, which differ in policy pack, sampling." in text
    assert "1 older verdict of a source that a later file judged again are left out" in text


def test_run_summaries(file: Path, tmp_path: Path) -> None:
    """What lies beside the file is told; something else in its place is named, not an error."""
    assert "No run summary beside" in text_of(file)
    (tmp_path / "v.run.json").write_text('{"schema": "other"}', "utf-8")
    assert "v.run.json stands in the place of a run summary and is none" in text_of(file)
    (tmp_path / "v.run.json").write_text(
        '{"schema":"vscan.run/1","output":"v.jsonl","finished":false,"reason":"interrupted",'
        '"message":null,"exit_code":130,"started_at":"2026-11-25T02:33:10Z",'
        '"ended_at":"2026-11-25T02:41:52Z","wall_s":522.1,"cpu_s":1011.9,"configuration":'
        '{"command":"vscan scan","provenance":{"vscan":"0","pack":"p@1","sampling":"fps:1"},'
        '"readers":[],"workers":2,"shard":"2/5","settings":{}},"counts":{"sources":4,'
        '"outcomes":{"clear":3},"done_before":{"clear":1},"errors":{},"partial":0,'
        '"other_shards":0,"damaged_tracks":null},"samples":{"video_s":1.0,"planned":1,"read":1,'
        '"coverage":1.0}}',
        "utf-8",
    )
    text = text_of(file)
    assert "vscan scan, shard 2/5" in text and "2026-11-25T02:33:10Z" in text
    assert "not finished: interrupted" in text and "3 in this run, 1 done before" in text


def test_blurred_frames_stand_folded(file: Path) -> None:
    """A picture comes as data, folded away; where there is none the reason stands."""
    shots = {
        EVERY_KIND[0].id: (
            Shot(time_s=4.0, data="data:image/jpeg;base64,AAAA"),
            Shot(time_s=5.0, problem="no <file>"),
        )
    }
    page = scan_page(scan_report([file]), shots)
    (picture,) = Outline(page).all("img")
    assert "data:image/jpeg;base64,AAAA" == picture["src"]
    assert re.search(r'<details class="shot"><summary>', page)
    assert "No frame at 5.0s: no &lt;file&gt;" in page


def test_nothing_to_report(tmp_path: Path) -> None:
    """A file without a verdict is refused by name."""
    with pytest.raises(UsageError, match=r"empty\.jsonl: no verdict"):
        scan_report([written(tmp_path / "empty.jsonl", [])])


def test_every_error_says_what_to_do() -> None:
    """Each code of a record has its remedy."""
    assert ERROR_CODES.keys() == WHAT_TO_DO.keys()


def test_a_template_that_asks_for_too_much_fails() -> None:
    """A name that is not given is an error, never an empty place on the page."""
    with pytest.raises(UndefinedError):
        rendered("frame.html", title="t", may="")
