"""Recall, prevalence and view rate from picks: weights, answers, non-response, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.metrics.enforced import Made, pick, sha, verdict, write, write_picks
from vscan.errors import UsageError
from vscan.metrics.enforcement.grouping import grouping
from vscan.metrics.enforcement.measure import MetricsSettings, metrics
from vscan.metrics.enforcement.picks import load_picks
from vscan.metrics.enforcement.sampled import Sampled

FLAGGED, REST = "weapons/flagged", "weapons/rest"


def drawn(**fields: Any) -> list[dict[str, Any]]:
    """10 of 40 flagged videos, and 20 of 400 others."""
    return [
        *(pick(f"f{number}", FLAGGED, 40, 10, **fields) for number in range(10)),
        *(pick(f"r{number}", REST, 400, 20, **fields) for number in range(20)),
    ]


def estimates(
    tmp_path: Path, picks: list[dict[str, Any]], answers: dict[str, str], **more: Any
) -> tuple[Sampled, ...]:
    """From picks and labels of `weapons` by verdict."""
    labels = tmp_path / "labels.csv"
    rows = "".join(f"v_{name},weapons,{label}\n" for name, label in answers.items())
    labels.write_text(f"verdict,policy,label\n{rows}", "utf-8")
    report = metrics(
        MetricsSettings(
            verdicts=(write(tmp_path / "verdicts.jsonl", [verdict("x")]),),
            sample=write_picks(tmp_path / "picks.jsonl", picks),
            labels=labels,
            **more,
        )
    )
    assert report.sampled_withheld is None
    return report.sampled


def answered(violating: int = 1) -> dict[str, str]:
    """8 of the 10 flagged picks violate, and so many of the 20 others."""
    return {
        **{f"f{number}": "violating" if number < 8 else "benign" for number in range(10)},
        **{f"r{number}": "violating" if number < violating else "benign" for number in range(20)},
    }


def test_weighted_to_the_population(tmp_path: Path) -> None:
    """32 of 40 flagged and 20 of 400 others violate, as far as the sample tells."""
    (found,) = estimates(tmp_path, drawn(), answered())
    assert (440, 30, 30) == (found.population, found.sampled, found.answered)
    assert 52 / 440 == pytest.approx(found.prevalence.value, abs=1e-4)
    assert 32 / 52 == pytest.approx(found.recall.value, abs=1e-4)
    assert 0.8 == found.precision.value
    assert found.recall.low is not None and found.recall.low < 0.4
    assert "the views of some answered picks are not known" == found.violative_view_rate.withheld
    assert [(True, 8), (False, 1)] == [(each.flagged, each.violating) for each in found.strata]
    # 440^2 / (10 * 4^2 + 20 * 20^2)
    assert pytest.approx(23.7, abs=0.05) == found.effective


def test_views_weigh(tmp_path: Path) -> None:
    """A violating video of many views counts for more than one of few; views that the pick lacks
    are the verdict's."""
    picks = drawn(views=10)
    picks[0]["views"] = None
    (tmp_path / "verdicts.jsonl").touch()
    (found,) = estimates(tmp_path, picks, answered())
    assert found.violative_view_rate.withheld is not None
    labels = tmp_path / "labels.csv"
    report = metrics(
        MetricsSettings(
            verdicts=(write(tmp_path / "seen.jsonl", [verdict("f0", views="910")]),),
            sample=tmp_path / "picks.jsonl",
            labels=labels,
        )
    )
    # 40 * 1000 / 10 views of flagged ones, 980 in 1000 violate; 4000 of the others, 1 in 20.
    expected = (4000 * 0.98 + 4000 * 0.05) / 8000
    assert expected == pytest.approx(report.sampled[0].violative_view_rate.value, abs=1e-4)


def test_answers_of_a_log(tmp_path: Path) -> None:
    """Flagged picks by the ruling on the policy; others by a missed segment, or by an uphold of a
    verdict in which nothing was flagged: on the very verdict that was drawn, for of another one
    it may mean either. Content finds its ruling under another name, and a name none that is of
    other content."""
    made = Made()
    for number in range(9):
        made.rule(f"f{number}", "uphold" if number < 8 else "overturn")
    for number in range(20):
        if number == 0:
            made.rule("r0", "overturn", reason="missed_segment", segments=())
        elif number == 1:
            made.rule("r1", segments=())
        elif number == 2:
            made.rule("r2", "overturn", reason="technical", segments=())
        elif number == 3:
            made.rule("r3", "overturn", segments=())
        elif number == 4:
            # The same content under another configuration, and under another name.
            made.rule("r4", verdict="v_earlier", uri="elsewhere.mp4")
        elif number == 5:
            # The same name, and other content than was drawn.
            made.rule("r5", verdict="v_before", sha256=sha("other"))
        elif number == 6:
            # Nothing says whether the policy fired there, or its segments were left out.
            made.rule("r6", verdict="v_other", segments=())
            made.rule("f9", verdict="v_silent", segments=())
        else:
            made.rule(f"r{number}", policy=None, segments=())
    report = metrics(
        MetricsSettings(
            verdicts=(write(tmp_path / "verdicts.jsonl", [verdict("x")]),),
            log=made.log(tmp_path / "decisions.db"),
            sample=write_picks(tmp_path / "picks.jsonl", drawn()),
        )
    )
    (found,) = report.sampled
    assert [(9, 8), (17, 2)] == [(each.answered, each.violating) for each in found.strata]
    assert any("4 of 30 picks of weapons have no answer" in note for note in report.notes)
    assert any("drawn from 440 videos, and the files hold 1" in note for note in report.notes)


def test_what_is_withheld(tmp_path: Path) -> None:
    """Too little answered, a silent stratum, only flagged ones, mixed strata, nothing violating:
    each figure that does not hold says why, and the others stand."""
    some = {name: label for name, label in answered().items() if name < "r13"}
    (found,) = estimates(tmp_path, drawn(), dict(list(some.items())[:20]))
    assert found.recall.withheld is not None
    assert found.recall.withheld.endswith("picks are answered, and 80% are needed")
    assert found.precision.value is None
    tiny = [*drawn(), pick("n0", "weapons/near", 5, 1)]
    (found,) = estimates(tmp_path, tiny, answered())
    assert "nothing of weapons/near is answered" == found.prevalence.withheld
    flagged = [each for each in drawn() if each["flagged"]]
    (found,) = estimates(tmp_path, flagged, answered())
    assert 0.8 == found.precision.value
    assert "only flagged videos were drawn" in (found.recall.withheld or "")
    assert found.recall.withheld == found.prevalence.withheld
    mixed = drawn()
    mixed[-1]["flagged"] = True
    (found,) = estimates(tmp_path, mixed, answered())
    assert found.prevalence.value is not None
    assert "a stratum mixes flagged and other videos" == found.recall.withheld
    (found,) = estimates(tmp_path, drawn(), dict.fromkeys(answered(), "benign"))
    assert (
        0.0 == found.prevalence.value and "nothing in the sample violates" == found.recall.withheld
    )
    # 26 of 30 picks are answered, and of the stratum that nearly all videos are in 3 of 7.
    few = [pick(f"f{number}", FLAGGED, 40, 23) for number in range(23)]
    few += [pick(f"r{number}", REST, 400, 7) for number in range(7)]
    said = {f"f{number}": "violating" for number in range(23)}
    said |= {f"r{number}": "benign" for number in range(3)}
    (found,) = estimates(tmp_path, few, said)
    for silent in (found.prevalence, found.recall, found.violative_view_rate):
        assert "stand for 48% of the videos, and 80% are needed" in (silent.withheld or "")
    assert 1.0 == found.precision.value
    (found,) = estimates(tmp_path, drawn(), answered(), least=31)
    assert "too few answers: 30, and 31 are needed" == found.recall.withheld


def test_markets_where_their_strata_are_apart(tmp_path: Path) -> None:
    """With strata made by market there are figures by market; where all that were drawn are of one
    by chance there are none."""
    both = [
        pick(f"{name}{number}", f"weapons/flagged/{stratum}", 40, 10, market=market, flagged=True)
        for market, stratum, name in (("DE", "DE", "f"), (None, "no market", "r"))
        for number in range(10)
    ]
    by = grouping("policy,market", "month")
    found = estimates(tmp_path, both, answered(), grouping=by)
    assert [None, "DE", "unknown"] == [each.market for each in found]
    assert [0.8, 0.1] == [each.precision.value for each in found[1:]]
    by_chance = [{**each, "market": "DE"} for each in drawn()]
    assert 1 == len(estimates(tmp_path, by_chance, answered(), grouping=by))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"strategy": "uncertain", "weight": None}, "chances that nobody knows"),
        ({"schema": "vscan.pick/2"}, "not a pick"),
        ({"weight": 5.0}, "weight 5.0 is not population over sampled, 4"),
        ({"weight": None}, "weight None"),
        ({"population": 0}, "population is not a number above 0"),
        ({"sampled": True}, "sampled is not a number above 0"),
        ({"flagged": "yes"}, "flagged is not true or false"),
        ({"policy": None}, "policy is not a text"),
        ({"verdict": "v_f1"}, "stands there already"),
        ({"population": 80, "weight": 8.0}, "differ in its size"),
        ({"stratum": "weapons/other"}, "holds 1 picks of weapons/other"),
    ],
)
def test_a_file_that_is_no_sample_is_refused(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    """The line or the stratum is named, and nothing is estimated."""
    picks = drawn()
    picks[0].update(change)
    with pytest.raises(UsageError, match=told):
        load_picks(write_picks(tmp_path / "picks.jsonl", picks))


def test_files_that_hold_no_picks(tmp_path: Path) -> None:
    """Absent, empty, and no JSON."""
    file = tmp_path / "picks.jsonl"
    with pytest.raises(UsageError, match="cannot be read"):
        load_picks(file)
    for text, told in (("\n", "holds no picks"), ("[1]\n", "not a pick"), ("{", "no JSON")):
        file.write_text(text, "utf-8")
        with pytest.raises(UsageError, match=told):
            load_picks(file)
