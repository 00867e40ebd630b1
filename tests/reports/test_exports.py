"""Export formats: each holds what its own page asks for, and nothing that nobody decided."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from pydantic import ValidationError
from tests.decisions.made import decision
from tests.reports.scanned import EVERY_KIND, EVIL, clear, error, long_video, review

from vscan.decisions.decision import Decision
from vscan.errors import UsageError
from vscan.metrics.enforcement.picks import Drawn, Picks
from vscan.metrics.labels import load_labels
from vscan.reports.exports.dsa import MOST_STATEMENTS, Statement
from vscan.reports.exports.dsa_words import Category
from vscan.reports.exports.exporting import Exported, Exporting
from vscan.reports.exports.registry import FORMATS, export
from vscan.reports.exports.rekognition import ContentModeration
from vscan.reports.ruled import Rulings
from vscan.verdicts import Verdict

MAP = """\
[dsa]
automated_decision = "AUTOMATED_DECISION_PARTIALLY"
source_type = "SOURCE_VOLUNTARY"
territorial_scope = ["DE", "FR"]
content_date_meta = "uploaded_at"
[dsa.policies.weapons]
decision_visibility = ["DECISION_VISIBILITY_CONTENT_REMOVED"]
decision_ground = "DECISION_GROUND_INCOMPATIBLE_CONTENT"
incompatible_content_ground = "Terms, 4.2"
incompatible_content_explanation = "Weapons are not allowed."
category = "STATEMENT_CATEGORY_VIOLENCE"
[coop]
reporter_id = "vscan"
reporter_type_id = "user_type"
item_type_id = "video_type"
item_id = "meta.id"
csam = ["minors"]
[coop.data]
url = "uri"
seen = "when"
[coop.policies]
weapons = "pol_17"
[rekognition.policies.weapons]
name = "Weapons"
parent = "Violence"
[osprey]
action_name = "scanned"
"""
UPHELD = decision("d_1", verdict="v_knife", policy="weapons", market="DE")
META = {"uploaded_at": "2026-10-01T08:00:00Z", "id": "up_1"}


@pytest.fixture
def policy_map(tmp_path: Path) -> Path:
    """A map for every format."""
    (tmp_path / "map.toml").write_text(MAP, "utf-8")
    return tmp_path / "map.toml"


def with_meta(made: Verdict) -> Verdict:
    """The verdict of a video of which a list told more."""
    return replace(made, source=replace(made.source, meta=META))


def exported(
    name: str,
    *verdicts: Verdict,
    decisions: list[Decision] | None = None,
    policy_map: Path | None = None,
    scanned_at: str | None = "2026-11-02T10:00:00Z",
    sample: Picks | None = None,
) -> Exported:
    """Verdicts in a format."""
    given = Exporting(
        records=[each.as_dict() for each in verdicts],
        rulings=None if decisions is None else Rulings(decisions),
        scanned_at=scanned_at,
        sample=sample,
    )
    return export(given, name, policy_map)


def lines(done: Exported) -> list[Any]:
    """The JSON lines of an export."""
    return [orjson.loads(line) for line in done.data.splitlines()]


def test_csv() -> None:
    """A row for each segment, one for each video without any; a formula in a name is none."""
    done = exported("csv", *EVERY_KIND, error('=HYPERLINK("http://x","y")'), clear("@cmd"))
    rows = list(csv.DictReader(io.StringIO(done.data.decode(), newline="")))
    assert 7 == len(rows) == done.written
    assert done.data.count(b"\r\n") == 8
    knife = rows[1]
    assert ("weapons.knives", "remove", "3.0", "7.5", "“a knife” at 4.0s") == tuple(
        knife[key] for key in ("policy", "action", "start_s", "end_s", "why")
    )
    assert EVIL == rows[2]["source"] and "0.75" == rows[2]["coverage"]
    assert "decode_failed" == rows[4]["error"]
    assert '\'=HYPERLINK("http://x","y")' == rows[5]["source"]
    assert "'@cmd" == rows[6]["source"]
    assert {"cells would be formulas: an apostrophe stands before them": 2} == done.notes
    assert {"findings that were set aside": 2} == done.left_out


def test_a_finding_without_segments() -> None:
    """A verdict of somebody else's whose finding has no segment has its row all the same."""
    made = review("a.mp4")
    bare = replace(made, findings=tuple(replace(each, segments=()) for each in made.findings))
    done = exported("csv", bare)
    (row,) = csv.DictReader(io.StringIO(done.data.decode(), newline=""))
    assert ("a.mp4", "hoax", "", "") == tuple(
        row[key] for key in ("source", "policy", "start_s", "segment_score")
    )
    assert 1 == done.written


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_begins_as_a_formula(sign: str) -> None:
    """Each sign that OWASP lists gets an apostrophe, in whichever cell."""
    done = exported("csv", clear(f"{sign}1+1"))
    (row,) = list(csv.reader(io.StringIO(done.data.decode(), newline="")))[1:]
    assert f"'{sign}1+1" == row[0]
    assert not any(cell.startswith(sign) for cell in row)


def gore(*verdicts: str) -> Picks:
    """A sample for `gore`, drawn from five videos that it does not flag."""
    return Picks(
        tuple(
            Drawn(
                verdict=verdict, uri=f"{verdict}.mp4", sha256=None, policy="gore", flagged=False,
                stratum="gore/rest", population=5, sampled=len(verdicts), market=None, views=None,
            )
            for verdict in verdicts
        )
    )  # fmt: skip


def test_labels(tmp_path: Path) -> None:
    """Standing rulings under a policy are labels that `--labels` reads, also where it did not fire;
    nothing else is one."""
    said = [
        UPHELD,
        decision("d_2", verdict="v_knife", policy="weapons.knives", ruling="overturn",
                 reason="false_positive"),
        decision("d_3", verdict="v_hoax", policy="hoax", ruling="overturn", reason="technical"),
        decision("d_4", verdict="v_hoax", policy=None),
        decision("d_5", verdict="v_pets", policy="x", ruling="escalate"),
        decision("d_6", verdict="v_other"),
        decision("d_7", verdict="v_knife", policy="hoax", segments=()),
        decision("d_8", verdict="v_knife", policy="gore", ruling="overturn", segments=(),
                 reason="missed_segment"),
    ]  # fmt: skip
    done = exported("labels", *EVERY_KIND, decisions=said)
    source = "clips/knife.mp4"
    assert [
        {"source": source, "policy": "gore", "label": "violating", "weight": 1.0},
        {"source": source, "policy": "hoax", "label": "benign", "weight": 1.0},
        {"source": source, "policy": "weapons", "label": "violating", "weight": 1.0},
        {"source": source, "policy": "weapons.knives", "label": "benign", "weight": 1.0},
    ] == lines(done)
    assert [1] * 4 == list(done.left_out.values())
    # Two of five were drawn, and one of them has an answer: it stands for all five.
    drawn = exported("labels", *EVERY_KIND, decisions=said, sample=gore("v_knife", "v_hoax"))
    assert [("gore", 5.0)] == [(each["policy"], each["weight"]) for each in lines(drawn)]
    assert 3 == drawn.left_out["decisions on cases that are not of the sample"]
    (tmp_path / "labels.jsonl").write_bytes(done.data)
    read = load_labels(tmp_path / "labels.jsonl")
    assert [True, False, True, False] == [each.violates for each in read.said]


def test_dsa(policy_map: Path) -> None:
    """A statement for each finding that a person upheld, with the map's words, the days, and no
    name of anybody or of the file."""
    said = [UPHELD, decision("d_2", verdict="v_hoax", policy="hoax", ruling="escalate")]
    verdicts = [with_meta(each) for each in EVERY_KIND]
    done = exported("dsa", *verdicts, decisions=said, policy_map=policy_map)
    ((statement,),) = [line["statements"] for line in lines(done)]
    Statement.model_validate(statement)
    assert {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "incompatible_content_ground": "Terms, 4.2",
        "incompatible_content_explanation": "Weapons are not allowed.",
        "category": "STATEMENT_CATEGORY_VIOLENCE",
        "content_type": ["CONTENT_TYPE_VIDEO"],
        "territorial_scope": ["DE", "FR"],
        "content_date": "2026-10-01",
        "application_date": "2026-11-02",
        "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "Yes",
        "automated_decision": "AUTOMATED_DECISION_PARTIALLY",
        "puid": "d_1",
        "decision_facts": (
            "The video was detected automatically by what a model sees in its frames under the "
            "policy weapons, at 3.0s–7.5s. A person reviewed it and upheld that."
        ),
    } == statement
    assert not {b"knife.mp4", b"ana"} & set(done.data.split(b'"'))
    assert {
        "findings that are left open": 1,
        "findings that nobody has decided: a verdict is no statement of reasons": 1,
    } == done.left_out


def test_dsa_of_a_whole_verdict(policy_map: Path) -> None:
    """A ruling on the whole makes a statement for each finding, each with an identifier of its
    own; more than a request takes go into several."""
    verdicts = [
        with_meta(long_video(f"clips/{n:03}.mp4", "weapons", "weapons.knives"))
        for n in range(MOST_STATEMENTS // 2 + 1)
    ]
    said = [decision(f"d_{n}", verdict=each.id, policy=None) for n, each in enumerate(verdicts)]
    done = exported("dsa", *verdicts, decisions=said, policy_map=policy_map)
    requests = [line["statements"] for line in lines(done)]
    assert [MOST_STATEMENTS, 2] == [len(each) for each in requests]
    puids = [each["puid"] for request in requests for each in request]
    assert ["d_0-weapons", "d_0-weapons_knives"] == puids[:2]
    assert len(set(puids)) == len(puids) == done.written


def test_dsa_of_a_decision_of_another_system(policy_map: Path) -> None:
    """An id that the database would refuse is hashed, each to another one, always to the same."""
    verdict = with_meta(long_video("clips/a.mp4", "weapons", "weapons.knives"))
    puids = []
    for name in ("case/42", "case/43", "x" * 256):
        said = [decision(name, verdict=verdict.id, policy=None)]
        done = exported("dsa", verdict, decisions=said, policy_map=policy_map)
        assert done.data == exported("dsa", verdict, decisions=said, policy_map=policy_map).data
        puids += [each["puid"] for each in lines(done)[0]["statements"]]
    assert 6 == len(set(puids))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("automated_decision =", "#", "dsa.automated_decision: is missing"),
        ("STATEMENT_CATEGORY_VIOLENCE", "VIOLENCE", "dsa.policies.weapons.category"),
        ('incompatible_content_ground = "Terms, 4.2"\n', "", "incompatible_content_ground missing"),
        ('["DE", "FR"]', '["US"]', "territorial_scope"),
        ("[dsa.policies.weapons]", "[dsa.policies.other]", "what upholding 'weapons' means"),
        ('"uploaded_at"', '"day"', "no day of upload under 'day'"),
        ("[osprey]", "[ospray]", "'ospray' is no format's table"),
        ("CONTENT_REMOVED", "OTHER", "decision_visibility_other missing"),
        ("[dsa]", "[dsa", "map.toml:1"),
    ],
)  # fmt: skip
def test_what_a_statement_lacks_is_named(policy_map: Path, old: str, new: str, told: str) -> None:
    """Nothing is made up: what the map or the video does not say is refused by name."""
    policy_map.write_text(MAP.replace(old, new), "utf-8")
    with pytest.raises(UsageError) as refused:
        exported("dsa", with_meta(EVERY_KIND[0]), decisions=[UPHELD], policy_map=policy_map)
    assert told in str(refused.value)


def test_a_statement_keeps_the_limits() -> None:
    """The page's limits and words hold: identifier, lengths, days, 16 categories."""
    good = {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
        "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
        "illegal_content_legal_ground": "§ 86a", "illegal_content_explanation": "It shows …",
        "category": "STATEMENT_CATEGORY_VIOLENCE", "content_type": ["CONTENT_TYPE_VIDEO"],
        "territorial_scope": ["DE"], "content_date": "2026-01-01",
        "application_date": "2026-01-02", "decision_facts": "x", "source_type": "SOURCE_VOLUNTARY",
        "automated_detection": "Yes", "automated_decision": "AUTOMATED_DECISION_PARTIALLY",
        "puid": "d_1",
    }  # fmt: skip
    assert Statement.model_validate(good)
    assert 16 == len(get_args(Category))
    for field, value in (
        ("puid", "a b"), ("puid", "x" * 501), ("decision_facts", "x" * 5001),
        ("illegal_content_legal_ground", "x" * 501), ("illegal_content_explanation", "x" * 2001),
        ("content_date", "1999-12-31"), ("application_date", "2019-12-31"),
        ("automated_decision", "Yes"), ("decision_visibility", []), ("url", "https://x"),
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            Statement.model_validate(good | {field: value})


def test_coop(policy_map: Path) -> None:
    """A report for each finding that is not settled, with the item's fields as the map wants them;
    a policy that it does not name is told."""
    verdicts = [with_meta(each) for each in (*EVERY_KIND, long_video("m.mp4", "minors.x"))]
    done = exported("coop", *verdicts, decisions=[UPHELD], policy_map=policy_map)
    knives, hoax, minors = lines(done)
    assert {
        "reporter": {"kind": "user", "typeId": "user_type", "id": "vscan"},
        "reportedAt": "2026-11-02T10:00:00Z",
        "reportedForReason": {
            "policyId": "pol_17",
            "reason": "weapons.knives: remove recommended, score 0.90, at 3.0s–7.5s; “a knife” at "
            "4.0s",
        },
        "reportedItem": {
            "id": "up_1",
            "typeId": "video_type",
            "data": {"url": "clips/knife.mp4", "seen": "3.0s–7.5s"},
        },
    } == knives
    assert "policyId" not in hoax["reportedForReason"]
    assert minors["reportedForReason"]["csam"] is True
    assert 1 == done.left_out["findings that are decided already"]
    assert {"reports have no policyId: the policy map names none": 2} == done.notes


def test_coop_names_what_is_missing(policy_map: Path) -> None:
    """Without the reporter, the day, or a key of the list nothing is written."""
    with pytest.raises(UsageError, match=r"meta has no 'id'"):
        exported("coop", EVERY_KIND[0], policy_map=policy_map)
    with pytest.raises(UsageError, match=r"coop\.reported_at is missing"):
        exported("coop", with_meta(EVERY_KIND[0]), policy_map=policy_map, scanned_at=None)
    with pytest.raises(UsageError, match=r"coop\.reporter_id: is missing"):
        exported("coop", EVERY_KIND[0])
    policy_map.write_text(MAP.replace('seen = "when"', 'seen = "colour"'), "utf-8")
    with pytest.raises(UsageError, match="'colour' in the policy map is nothing"):
        exported("coop", with_meta(EVERY_KIND[0]), policy_map=policy_map)


def test_osprey(policy_map: Path) -> None:
    """Every verdict is an event that holds it whole, with a number that stays the same."""
    done = exported("osprey", *EVERY_KIND, policy_map=policy_map)
    events = lines(done)
    told = [orjson.loads(each.to_line()) for each in EVERY_KIND]
    assert told == [event["data"]["data"] for event in events]
    assert {"2026-11-02T10:00:00Z"} == {event["send_time"] for event in events}
    assert {"scanned"} == {event["data"]["action_name"] for event in events}
    numbers = {event["data"]["action_id"] for event in events}
    assert 4 == len(numbers) and all(0 < each < 1 << 63 for each in numbers)
    assert done.data == exported("osprey", *EVERY_KIND, policy_map=policy_map).data


def test_rekognition(policy_map: Path) -> None:
    """Segments are labels with times in milliseconds, by time; failures are FAILED; the map's names
    hold for what lies below."""
    stored = review("s3://bucket/a/b.mp4")
    done = exported("rekognition", EVERY_KIND[0], stored, EVERY_KIND[3], policy_map=policy_map)
    knife, hoax, broken = (ContentModeration.model_validate(each) for each in lines(done))
    first, _ = knife.ModerationLabels
    assert (3000, 3000, 7500, 4500) == (
        first.Timestamp, first.StartTimestampMillis, first.EndTimestampMillis, first.DurationMillis,
    )  # fmt: skip
    label = first.ModerationLabel
    assert ("Weapons", "Violence", 90.0, 2) == (
        label.Name, label.ParentName, label.Confidence, label.TaxonomyLevel,
    )  # fmt: skip
    assert "clips/knife.mp4" == knife.JobTag and 40_000 == knife.VideoMetadata.DurationMillis
    assert hoax.Video is not None
    assert ("bucket", "a/b.mp4") == (hoax.Video.S3Object.Bucket, hoax.Video.S3Object.Name)
    assert ("hoax", "", 1) == (
        (own := hoax.ModerationLabels[0].ModerationLabel).Name, own.ParentName, own.TaxonomyLevel,
    )  # fmt: skip
    assert ("FAILED", "decode_failed: no frame in it") == (broken.JobStatus, broken.StatusMessage)


def test_a_name_that_does_not_fit_stays_out_of_rekognition() -> None:
    """A hostile name is no JobTag; the digest stands for it."""
    (answer,) = lines(exported("rekognition", EVERY_KIND[1]))
    assert "ab" * 32 == answer["JobTag"]


def test_a_time_that_is_none_is_refused() -> None:
    """A verdict of somebody else's with a time beyond all videos is named, not a crash."""
    made = review("a.mp4")
    with pytest.raises(UsageError, match="no time of a video"):
        exported("rekognition", replace(made, source=replace(made.source, duration_s=1e306)))


@pytest.mark.parametrize("name", ["dsa", "labels"])
def test_decisions_are_needed(name: str, policy_map: Path) -> None:
    """A verdict recommends: what is made of decisions is not made without a log."""
    with pytest.raises(UsageError, match="a verdict alone is none"):
        exported(name, EVERY_KIND[0], policy_map=policy_map)


def test_the_map_of_the_page_holds(tmp_path: Path) -> None:
    """The policy map that docs/exports.md gives to begin with fits every format."""
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    (told,) = re.findall("^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "map.toml").write_text(told, "utf-8")
    meta = {"uploaded_at": "2026-10-01", "upload_id": 7}
    made = replace(EVERY_KIND[0], source=replace(EVERY_KIND[0].source, meta=meta))
    for name in FORMATS:
        done = exported(name, made, decisions=[UPHELD], policy_map=tmp_path / "map.toml")
        assert done.written > 0, name


def test_every_format_is_documented() -> None:
    """Each has a section on its page, and its docstring names where its fields come from."""
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    for name, form in FORMATS.items():
        assert f"## `{name}`" in page
        told = str(__import__(form.write.__module__, fromlist=["x"]).__doc__)
        assert "https://" in told or name == "labels"
        for address in [word.strip(",.;)(") for word in told.split() if "https://" in word]:
            assert address.split("/")[2] in page
