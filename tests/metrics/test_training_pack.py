"""Packs for reviewer training: which cases, in which order, and nothing that tells the answer."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, product
from typing import Any

import orjson
import pytest

from tests.metrics.trained import Made, decided, many, records
from vscan.decisions.chain import Verified
from vscan.errors import UsageError
from vscan.metrics.training.cases import CasesWanted, SettledCases, settled_cases
from vscan.metrics.training.choice import Mix, arranged
from vscan.metrics.training.pack import TrainingPack, build_pack
from vscan.metrics.training.records import ANSWERS, CASES, PICKS

WHOLE = Verified(1, "0" * 64, None)


def settled(cases: list[Made], **wanted: Any) -> SettledCases:
    """Which of them can be used."""
    return settled_cases(decided(cases), records(cases), CasesWanted(**wanted))


def built(made: list[Made], /, **mix: Any) -> TrainingPack:
    """A pack of them."""
    return build_pack(decided(made), records(made), CasesWanted(), Mix(**mix), WHOLE)


def lines(pack: TrainingPack, name: str) -> list[dict[str, Any]]:
    """The lines of one of its files."""
    return [orjson.loads(line) for line in pack.files[name].splitlines()]


@pytest.mark.parametrize(
    ("story", "firmness", "why"),
    [
        ("1u 2u", "two_looks", ""),
        ("1o 2o", "two_looks", ""),
        ("1u 2o ju", "adjudication", ""),
        ("1u ao", "appeal", ""),
        ("1u 2o ju ae", "adjudication", ""),
        ("1u", None, "one look only"),
        ("1u 1u", None, "one look only"),
        ("1u 2u 1o", None, "looks that do not agree"),
        ("1u 2o", None, "two looks differ"),
        ("1u 2o ju 2o", None, "two looks differ"),
        ("1e 2e", None, "escalated"),
        ("1u 2o je", None, "two looks differ"),
        ("1ot 2ot", None, "technical"),
        ("1om 2om", None, "missed_segment"),
        ("1o 2ot", None, "technical"),
        ("1ot 2o", None, "looks that do not agree"),
        ("gu 1u 2u", None, "a gold item"),
    ],
)
def test_what_is_firm(story: str, firmness: str | None, why: str) -> None:
    """Appeals, adjudications, and two people who agree; all else is left out and told."""
    found = settled([Made(name="a", story=story)])
    assert [firmness] * (firmness is not None) == [each.firmness for each in found.cases]
    assert (why == "") == (found.left_out == {})
    assert all(why in told for told in found.left_out)


def test_what_nobody_asked_for_is_told() -> None:
    """Policy, market, severity, whole verdicts, unknown verdicts, contradicted content."""
    cases = [
        Made(name="a", policy="weapons.guns", market="DE"),
        Made(name="b", policy="weaponsmith", market="DE"),
        Made(name="c", market="AT", policy="weapons"),
        Made(name="d", severity="critical", policy="weapons", market="DE"),
        Made(name="e", content="same", policy="weapons", market="DE"),
        Made(name="f", content="same", policy="weapons", market="DE", story="1o 2o"),
        Made(name="g", policy="weapons", market="DE"),
    ]
    found = settled_cases(
        decided(cases), records(cases[:-1]), CasesWanted(policies=("weapons",), market="DE")
    )
    assert ["v_a"] == [each.verdict for each in found.cases]
    assert {
        "graver than high": 1, "of another market": 1, "under another policy": 1,
        "the same content was ruled on otherwise": 2, "the verdict is not in the verdict files": 1,
    } == found.left_out  # fmt: skip
    with pytest.raises(UsageError, match="no severity"):
        CasesWanted(most_severe="worst")


def test_trainees_get_nothing_that_tells_the_answer() -> None:
    """Two logs whose rulings are all turned round give the same cases and picks, byte for byte,
    and other answers: so neither fields, order, nor choice depend on a ruling."""
    cases = many(60)
    for mix in ({"cases": 24}, {"cases": 24, "most_footage_s": 50.0}, {"cases": 500, "seed": 3}):
        one, other = built(cases, **mix), built([each.flipped() for each in cases], **mix)
        assert one.files[CASES] == other.files[CASES]
        assert one.files[PICKS] == other.files[PICKS]
        for mine, theirs in zip(lines(one, ANSWERS), lines(other, ANSWERS), strict=True):
            assert {"uphold", "overturn"} == {mine["ruling"], theirs["ruling"]}
    told = {key for name in (CASES, PICKS) for line in lines(one, name) for key in line}
    assert not told & {"ruling", "why", "firmness", "looks", "reviewers", "note"}
    assert {"training"} == {line["reason"] for line in lines(one, PICKS)}
    assert {None} == {line[key] for line in lines(one, PICKS) for key in ("score", "weight")}


def test_what_a_note_or_a_score_says_is_not_in_the_cases() -> None:
    """Notes and reviewers are in the answers alone; another score within the step of nearness
    changes nothing that a trainee sees."""
    cases = [Made(name=f"n{k}", score=0.81) for k in range(6)]
    nearer = [Made(name=f"n{k}", score=0.82) for k in range(6)]
    one = built(cases, cases=6, share_benign=0.0)
    assert one.files[CASES] == built(nearer, cases=6, share_benign=0.0).files[CASES]
    seen = one.files[CASES] + one.files[PICKS]
    assert b"note of" not in seen and b'"ana"' not in seen and b"0.81" not in seen
    assert "note of 2u" == lines(one, ANSWERS)[0]["why"]
    assert ["ana", "bo"] == lines(one, ANSWERS)[0]["reviewers"]


def test_the_mix() -> None:
    """Half and half, each policy an equal part; one seed one pack, another seed another."""
    pack = built(many(120), cases=24)
    assert {"violating": 12, "benign": 12} == pack.manifest.answers
    assert {"weapons": 8, "drugs": 8, "hate.symbols": 8} == pack.manifest.policies
    assert pack.files == built(many(120), cases=24).files
    assert pack.files == built(many(120)[::-1], cases=24).files
    assert pack.files[CASES] != built(many(120), cases=24, seed=1).files[CASES]
    assert (24, {}) == (pack.manifest.cases, pack.manifest.unfilled)


def test_borderline_cases_come_first() -> None:
    """What people had disagreed on goes in before what they had not, then what is nearer to its
    threshold."""
    far = [Made(name=f"far{k}", score=0.99) for k in range(5)]
    near = [Made(name=f"near{k}", score=0.81) for k in range(5)]
    disputed = [Made(name=f"dis{k}", score=0.99, story="1u 2o ju") for k in range(2)]
    pack = built([*far, *near, *disputed], cases=5, share_benign=0.0)
    names = Counter(line["verdict"][2:5] for line in lines(pack, CASES))
    assert {"dis": 2, "nea": 3} == names
    assert 2 == pack.manifest.disputed


def test_what_cannot_be_filled_is_told_and_not_made_up() -> None:
    """Too few benign cases stay too few: violating ones do not take their seats. A policy with few
    cases leaves its seats to others."""
    cases = [Made(name=f"v{k}") for k in range(9)] + [Made(name="b", story="1o 2o")]
    cases += [Made(name="d", policy="drugs")]
    pack = built(cases, cases=12)
    assert {"violating": 6, "benign": 1} == pack.manifest.answers
    assert {"benign": 5} == pack.manifest.unfilled
    assert {"weapons": 6, "drugs": 1} == pack.manifest.policies
    assert {"not needed": 4} == pack.manifest.passed_over


def test_the_same_content_comes_once() -> None:
    """A copy under another name, and another policy on the same video, are one case."""
    cases = [
        Made(name="a", content="x"),
        Made(name="b", content="x"),
        Made(name="c", content="x", policy="drugs"),
    ]
    pack = built(cases, cases=6, share_benign=0.0)
    assert 1 == pack.manifest.cases
    assert {"the same content is in the pack already": 2} == pack.manifest.passed_over


def test_exposure_is_limited_and_told() -> None:
    """Seconds stay within the limit, both answers have their part of them, and the manifest says
    how many there are by severity."""
    pack = built(many(80), cases=60, most_footage_s=60.0)
    told = lines(pack, CASES)
    assert 55.0 < sum(line["footage_s"] for line in told) <= 60.0
    whole, *parts = pack.manifest.exposure
    assert (whole.cases, whole.footage_s) == (len(told), sum(line["footage_s"] for line in told))
    assert whole.footage_s == sum(part.footage_s for part in parts)
    assert ["low", "medium", "high"] == [part.severity for part in parts]
    assert abs(pack.manifest.answers["violating"] - pack.manifest.answers["benign"]) <= 2
    assert pack.manifest.passed_over["the seconds of footage are used up"] > 0
    with pytest.raises(UsageError, match="no case"):
        built(many(8), most_footage_s=1.0)


@pytest.mark.parametrize(("graver", "milder"), list(product((0, 1, 2, 5, 9, 20), (0, 1, 3, 9, 20))))
def test_graver_cases_are_kept_apart(graver: int, milder: int) -> None:
    """No more than two follow each other where there are enough milder ones, and as few as can be
    where there are not; a milder one comes first where that costs nothing."""
    cases = [Made(name=f"g{k}", severity="high") for k in range(graver)]
    cases += [Made(name=f"m{k}", severity=("low", "medium")[k % 2]) for k in range(milder)]
    order = list(arranged(settled(cases).cases, seed=1))
    assert len(cases) == len({each.key for each in order}) == len(order)
    runs = [len(list(run)) for is_graver, run in groupby(order, lambda e: e.graver) if is_graver]
    least = -(-graver // (milder + 1))
    assert max(runs, default=0) <= max(2, least)
    if milder and graver <= 2 * milder:
        assert not order[0].graver


def test_easy_cases_come_first() -> None:
    """A pack begins with the mildest on which nobody had disagreed."""
    cases = many(40)
    first = list(arranged(settled(cases).cases, seed=0))[:5]
    assert {"low"} == {each.severity for each in first}
    assert not any(each.disputed for each in first)


def test_numbers_that_make_no_pack() -> None:
    """They are refused, those that are no number among them."""
    for mix in ({"cases": 0}, {"share_benign": 1.5}, {"share_benign": float("nan")},
                {"most_footage_s": float("nan")}):  # fmt: skip
        with pytest.raises(UsageError):
            Mix(**mix)
