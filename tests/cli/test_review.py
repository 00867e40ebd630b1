"""`vscan review` as a person uses it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import Vscan
from tests.decisions.made import verdict

from vscan.metrics.labels import load_labels


@pytest.fixture
def verdicts(tmp_path: Path) -> Path:
    """A verdict file: v_a with two findings, v_b with none."""
    file = tmp_path / "verdicts.jsonl"
    lines = (
        verdict("clips/a.mp4", "weapons", "drugs", meta={"market": "DE"}),
        verdict("clips/b.mp4"),
    )
    file.write_bytes(b"".join(each.to_line() for each in lines))
    return file


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the log goes."""
    return tmp_path / "decisions.db"


def test_a_case_from_first_look_to_adjudication(vscan: Vscan, verdicts: Path, log: Path) -> None:
    """Two looks that differ are a disagreement until it is settled; then the settlement stands,
    and is a label."""
    decide = ("review", "decide", log, verdicts, "--source", "a.mp4", "--policy", "weapons")
    one = vscan(*decide, "--ruling", "uphold", "--reviewer", "ana", "--seconds-viewed", "6")
    assert (0, 1) == (one.code, len(one.out.splitlines())), one.err
    first = one.out.decode().strip()
    overturn = ("--ruling", "overturn", "--reason", "false_positive", "--note", "a toy")
    two = vscan(*decide, *overturn, "--reviewer", "bo", "--kind", "second", "--about", first)
    second = two.out.decode().strip()
    listed = vscan("review", "list", log, "--disagreements", "--json").records
    assert [first, second] == [each["id"] for each in listed]
    assert ("v_a", "clips/a.mp4", [[3.0, 7.5]], "DE", 6.0) == tuple(
        listed[0][key] for key in ("verdict", "uri", "segments", "market", "seconds_viewed")
    )
    settle = ("--reviewer", "chief", "--kind", "adjudication", "--about", second)
    three = vscan(*decide, "--ruling", "uphold", *settle)
    assert [] == vscan("review", "list", log, "--disagreements", "--json").records
    (stands,) = vscan("review", "list", log, "--standing", "--json").records
    assert three.out.decode().strip() == stands["id"]
    table = vscan("review", "list", log, "--verdict", "v_a").out.decode()
    assert 3 == table.count("clips/a.mp4")
    labelled = log.with_name("labels.jsonl")
    labelled.write_bytes(vscan("review", "list", log, "--standing", "--json").out)
    (label,) = load_labels(labelled).said
    assert ("v_a", "weapons", True) == (label.names["verdict"], label.policy, label.violates)
    assert "a toy" in table


def test_verify(vscan: Vscan, verdicts: Path, log: Path) -> None:
    """The head is printed and can be asked for later; a changed row is named, with 3."""
    whole = ("review", "decide", log, verdicts, "--verdict", "v_b", "--ruling", "uphold")
    for reviewer in ("ana", "bo"):
        assert 0 == vscan(*whole, "--reviewer", reviewer).code
    ran = vscan("review", "verify", log)
    head = ran.out.decode().strip()
    assert (0, 64) == (ran.code, len(head))
    assert "2 decisions, every one as it was written" in ran.err
    assert 0 == vscan("review", "verify", log, "--head", head).code
    assert 3 == vscan("review", "verify", log, "--head", "f" * 64).code
    with closing(sqlite3.connect(log)) as raw, raw:
        raw.execute("DROP TRIGGER decisions_are_not_changed")
        raw.execute("UPDATE decisions SET decision = replace(decision, 'ana', 'eve')")
    ran = vscan("review", "verify", log, "--json")
    assert (3, 0) == (ran.code, ran.records[0]["rows"])
    assert ran.records[0]["problem"].startswith("row 1 was changed")


def test_export_and_import(vscan: Vscan, verdicts: Path, log: Path, tmp_path: Path) -> None:
    """Lines go out to a file or stdout, and into another log, which is then the same."""
    command = ("review", "decide", log, verdicts, "--verdict", "v_a", "--ruling", "escalate")
    vscan(*command, "--reviewer", "ana", "--market", "AT", "--reason", "technical")
    out, other = tmp_path / "out.jsonl", tmp_path / "other.db"
    assert 0 == vscan("review", "export", log, "-o", out).code
    assert "AT" == vscan("review", "export", log).records[0]["market"]
    assert "exists already" in vscan("review", "export", log, "-o", out).err
    assert 0 == vscan("review", "export", log, "-o", out, "--force").code
    assert "is the log itself" in vscan("review", "export", log, "-o", log, "--force").err
    for told in ("1 added, 0 known before", "0 added, 1 known before"):
        ran = vscan("review", "import", other, out)
        assert 0 == ran.code
        assert told in ran.err
    heads = [vscan("review", "verify", each).out for each in (log, other)]
    assert heads[0] == heads[1]


def test_what_goes_wrong_is_told(vscan: Vscan, verdicts: Path, log: Path, tmp_path: Path) -> None:
    """Each mistake ends with 2 and a message, and leaves no log behind."""
    decide = ("review", "decide", log, verdicts, "--reviewer", "ana", "--ruling")
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"schema":"vscan.decision/1"}\n', "utf-8")
    for told, command in {
        "which verdict?": (*decide, "uphold"),
        "no verdict v_9 among 2": (*decide, "uphold", "--verdict", "v_9"),
        "no verdict for 'z.mp4'": (*decide, "uphold", "--source", "z.mp4"),
        "'maybe' is no ruling": (*decide, "maybe", "--verdict", "v_a"),
        "overturn needs a reason": (*decide, "overturn", "--verdict", "v_a"),
        "no finding under 'hoax'": (*decide, "uphold", "--verdict", "v_a", "--policy", "hoax"),
        "'third' is no kind": (*decide, "uphold", "--verdict", "v_a", "--kind", "third"),
        "no such decision log": ("review", "list", log),
        f"{log}: no such decision log": (
            *decide,
            "uphold",
            "--verdict",
            "v_a",
            "--kind",
            "appeal",
            "--about",
            "d_7",
        ),
        "bad.jsonl:1: id, verdict, uri": ("review", "import", log, bad),
        f"{tmp_path}/absent: cannot be read": ("review", "import", log, tmp_path / "absent"),
        f"{verdicts}: not a decision log": ("review", "verify", verdicts),
        "exclude each other": ("review", "list", log, "--standing", "--disagreements"),
    }.items():
        ran = vscan(*command)
        assert (2, b"") == (ran.code, ran.out), told
        assert told in ran.err
        assert "Traceback" not in ran.err
        assert not log.exists()
