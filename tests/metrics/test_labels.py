"""Labels from files: what is accepted, what is refused and where, and that each counts once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from vscan.errors import UsageError
from vscan.metrics.labels import Label, LabelUse, load_labels
from vscan.verdicts import SourceRecord

SHA = "ab" * 32


def violates(found: dict[str, Label]) -> dict[str, bool]:
    """By policy, whether the video violates it."""
    return {policy: label.violates for policy, label in found.items()}


def test_weights_and_sources(tmp_path: Path) -> None:
    """A line may name its video `source` and say how many videos it stands for."""
    file = tmp_path / "labels.jsonl"
    file.write_text(
        '{"source":"a.mp4","policy":"a","label":"violating","weight":2.5}\n'
        '{"source":"b.mp4","policy":"a","label":"benign"}\n'
    )
    assert load_labels(file).said == (
        Label(names={"uri": "a.mp4"}, policy="a", violates=True, weight=2.5),
        Label(names={"uri": "b.mp4"}, policy="a", violates=False),
    )
    for wrong in ("0", "-1", "NaN", "true", '"x"', "[1]"):
        line = f'{{"source":"a.mp4","policy":"a","label":1,"weight":{wrong}}}'
        file.write_text(line.replace("NaN", '"nan"'))
        with pytest.raises(UsageError, match=r":1: weight .* is no number above 0"):
            load_labels(file)


def test_what_was_drawn_stays_drawn(tmp_path: Path) -> None:
    """A video that was drawn by chance and later picked for what it shows keeps its weight, with
    the later answer: left out, it would take the doubtful ones out of the sample."""
    path = tmp_path / "labels.jsonl"
    lines = (
        {"label": "violating", "strategy": "stratified", "weight": 4.0},
        {"label": "benign", "strategy": "uncertain", "weight": None},
    )
    for order, said in ((lines, False), (lines[::-1], True)):
        rows = [orjson.dumps({"verdict": "v_1", "policy": "weapons", **each}) for each in order]
        path.write_bytes(b"\n".join(rows))
        (label,) = load_labels(path).said
        assert (4.0, False, said) == (label.weight, label.purposive, label.violates)


def test_a_stratum_that_is_labelled_in_part_keeps_its_size(tmp_path: Path) -> None:
    """Of four picks that stand for ten each three are labelled: these stand for all forty. A
    stratum that is labelled as a whole, a weight of one's own and other lines stay as they are."""
    path = tmp_path / "labels.jsonl"
    usual: dict[str, Any] = {"policy": "weapons", "label": "benign", "strategy": "stratified"}
    part: dict[str, Any] = {
        "stratum": "weapons/rest", "population": 40, "sampled": 4, "weight": 10.0, "seed": 0,
    }  # fmt: skip
    whole: dict[str, Any] = {
        "stratum": "weapons/flagged",
        "population": 6,
        "sampled": 2,
        "weight": 3.0,
    }
    lines = [part, part, part, whole, whole, part | {"weight": 13.0}, {"weight": 2.0}]
    rows = [orjson.dumps({**usual, "uri": f"{at}.mp4", **row}) for at, row in enumerate(lines)]
    path.write_bytes(b"\n".join(rows))
    weights = [label.weight for label in load_labels(path).said]
    assert [40 / 3] * 3 + [3.0, 3.0, 13.0, 2.0] == weights
    again = orjson.dumps({"uri": "0.mp4", "policy": "weapons", "label": "violating"})
    path.write_bytes(b"\n".join([*rows, again]))
    weights = [label.weight for label in load_labels(path).said]
    assert [20.0, 20.0, 3.0, 3.0, 13.0, 2.0, 1.0] == weights


def test_csv(tmp_path: Path) -> None:
    """Any of the words for a label, columns in any order, a video by URI or SHA-256."""
    file = tmp_path / "labels.csv"
    file.write_text(
        "label,policy,uri,sha256\nviolating,a,one.mp4,\n0,a,,"
        + SHA.upper() + '\nTrue,b,"two, really.mp4",\n\nbenign,b,one.mp4,\n',
        "utf-8-sig",
    )  # fmt: skip
    labels = load_labels(file)
    assert labels.said == (
        Label(names={"uri": "one.mp4"}, policy="a", violates=True),
        Label(names={"sha256": SHA}, policy="a", violates=False),
        Label(names={"uri": "two, really.mp4"}, policy="b", violates=True),
        Label(names={"uri": "one.mp4"}, policy="b", violates=False),
    )
    assert (4, 4, {"a", "b"}, False) == (len(labels), labels.read, labels.policies, labels.rulings)


def test_json_lines_and_rulings(tmp_path: Path) -> None:
    """Labels and decisions in JSON; what was escalated is no label, the last word counts."""
    file = tmp_path / "decisions.jsonl"
    file.write_text(
        '{"verdict":"v_1","uri":"x.mp4","policy":"a","ruling":"uphold","by":"x"}\n'
        '{"verdict":"v_1","policy":"a","ruling":"overturn"}\n'
        '{"verdict":"v_2","policy":"a","ruling":"escalate"}\n'
        '{"uri":"one.mp4","policy":"a","label":true}\n'
        '{"uri":"two.mp4","policy":"a","label":0}\n',
        "utf-8",
    )
    labels = load_labels(file)
    assert labels.said == (
        Label(names={"verdict": "v_1"}, policy="a", violates=False),
        Label(names={"uri": "one.mp4"}, policy="a", violates=True),
        Label(names={"uri": "two.mp4"}, policy="a", violates=False),
    )
    assert (5, 1, 1, True) == (labels.read, labels.undecided, labels.replaced, labels.rulings)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no labels|name the columns"),
        ("uri,policy,label\n", "holds no labels"),
        ("name,policy,label\nx,a,1\n", "does not name the columns"),
        ("uri,policy,label\nx.mp4,a,perhaps\n", r":2: 'perhaps' is no label"),
        ("uri,policy,label\nx.mp4,,1\n", ":2: names no policy"),
        ("uri,policy,label\n,a,1\n", ":2: names no video"),
        ('uri,policy,label\n"x.mp4,a,1\n', "no CSV"),
        ('{"uri":"x","policy":"a","label":1}\n{"uri":\n', ":2: no JSON"),
        ('{"uri":"x","policy":"a"}\n', ":1: '' is no label"),
        ('{"uri":"x","policy":"a","label":1}\n[1]\n', ":2: not a JSON object"),
    ],
)
def test_what_is_no_label_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """A file with anything else is refused with the line and what is wanted."""
    file = tmp_path / "labels"
    file.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=problem) as caught:
        load_labels(file)
    assert "policy" in caught.value.remedy


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Absent, or not UTF-8: a message that names the file."""
    (tmp_path / "latin").write_bytes(b"uri,policy,label\n\xe9.mp4,a,1\n")
    for name in ("absent", "latin"):
        with pytest.raises(UsageError, match=name):
            load_labels(tmp_path / name)


def test_each_label_counts_once(tmp_path: Path) -> None:
    """The same content under a second name is no second label; the more exact name wins."""
    file = tmp_path / "labels.csv"
    file.write_text(
        f"uri,sha256,policy,label\nother.mp4,,a,1\n,{SHA},a,0\none.mp4,,a,1\n,{SHA},b,1\n", "utf-8"
    )
    use = LabelUse(load_labels(file))
    source = SourceRecord(uri="one.mp4", sha256=SHA)
    assert {"a": False, "b": True} == violates(use.of(source, ()))
    assert {} == use.of(SourceRecord(uri="copy.mp4", sha256=SHA), ())
    assert (1, 1) == (use.unmatched, use.overruled)


def test_every_name_of_a_line_is_tried(tmp_path: Path) -> None:
    """By verdict, else by content, else by URI; the last of equally exact ones counts, and a line
    that names other content than the URI has now says nothing of it."""
    file = tmp_path / "labels.csv"
    file.write_text(
        "verdict,sha256,uri,policy,label\n"
        "v_now,,one.mp4,verdict,1\n"
        f"v_old,{SHA},moved.mp4,content,1\n"
        "v_old,,one.mp4,uri,1\n"
        "v_older,,one.mp4,uri,0\n"
        f"v_old,{'cd' * 32},one.mp4,changed,1\n"
        "v_old,,other.mp4,elsewhere,1\n"
        "v_oldest,,one.mp4,verdict,0\n",
        "utf-8",
    )
    use = LabelUse(load_labels(file))
    source = SourceRecord(uri="one.mp4", sha256=SHA)
    assert {"verdict": True, "content": True, "uri": False} == violates(
        use.of(source, ("v_now", "v_new"))
    )
    assert (2, 2) == (use.unmatched, use.overruled)
    assert len(use.labels) == 3 + use.unmatched + use.overruled


def test_rulings_that_label_nothing(tmp_path: Path) -> None:
    """What was overturned because a segment was missed or for a technical reason, and what rules on
    a whole verdict, says nothing of a policy; one for another policy's sake does."""
    path = tmp_path / "rulings.jsonl"
    row = '{"verdict":"v_%d","policy":%s,"ruling":"overturn","reason":"%s"}\n'
    told = [("wrong_policy", '"a"'), ("missed_segment", '"a"'), ("technical", '"a"'),
            ("false_positive", "null")]  # fmt: skip
    path.write_text("".join(row % (k, policy, why) for k, (why, policy) in enumerate(told)))
    labels = load_labels(path)
    assert (1, 4, 3) == (len(labels), labels.read, labels.undecided)
    assert not labels.said[0].violates


def test_upheld_without_a_segment(tmp_path: Path) -> None:
    """A policy that did not fire and is upheld was right to be silent: never a violating label."""
    file = tmp_path / "decisions.jsonl"
    row = '{"uri":"a.mp4","policy":"p","ruling":"uphold","segments":%s}\n'
    file.write_text(row % "[]" + row.replace("a.mp4", "b.mp4") % "[[1.0,2.0]]")
    labels = load_labels(file)
    assert (1, ["b.mp4"]) == (labels.undecided, [each.names["uri"] for each in labels.said])
