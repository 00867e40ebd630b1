"""Enforcement figures on made-up verdicts and decisions, each number worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.metrics.enforced import Made, broken, verdict, write
from vscan.errors import UsageError
from vscan.metrics.enforcement.grouping import Window, grouping
from vscan.metrics.enforcement.measure import MetricsSettings, metrics
from vscan.metrics.enforcement.report import Group, Metrics
from vscan.metrics.enforcement.rulings import Rulings
from vscan.metrics.figures import Figure
from vscan.verdicts import Verdict

UPLOADED = "2026-11-01T00:00:00Z"


def told(tmp_path: Path, verdicts: list[Verdict], made: Made | None = None, **more: Any) -> Metrics:
    """The figures of verdicts and decisions, a single case sufficing for a rate."""
    file = write(tmp_path / "verdicts.jsonl", verdicts)
    log = None if made is None else made.log(tmp_path / "decisions.db")
    return metrics(MetricsSettings(**{"verdicts": (file,), "log": log, "least": 1, **more}))


def group(report: Metrics, policy: str | None = None, **key: str) -> Group:
    """The group of that policy, market and period."""
    wanted = (policy, key.get("market"), key.get("period"))
    (found,) = [each for each in report.groups if (each.policy, each.market, each.period) == wanted]
    return found


def rulings(report: Metrics, policy: str | None = "weapons", **key: str) -> Rulings:
    """Its rulings."""
    found = group(report, policy, **key).rulings
    assert found is not None
    return found


def counted(figure: Figure) -> tuple[int | None, int]:
    """A rate as part and whole."""
    return figure.part, figure.of


def test_what_is_flagged(tmp_path: Path) -> None:
    """Videos, errors, actions and seconds by policy and market; an error is in no rate, and a
    policy has its zero where another market flags it."""
    both = verdict("a", {"weapons": 0.9, "drugs": 0.6}, market="DE")
    segment = replace(both.findings[0].segments[0], start_s=5.0, end_s=7.0)
    shorter = replace(both.findings[0], segments=(segment,))
    report = told(
        tmp_path,
        [
            replace(both, findings=(shorter, both.findings[1])),
            verdict("b", {"weapons": 0.6}, market="FR"),
            verdict("c", market="DE"),
            broken("d", market="DE"),
            verdict("e"),
        ],
        grouping=grouping("policy,market", "month"),
    )
    total = group(report).content
    assert total is not None
    assert (5, 1, 2, 1, 0, 1) == (
        total.videos, total.errors, total.flagged, total.review, total.escalate, total.remove
    )  # fmt: skip
    # Two policies fire at the same time in one video: 4.5 s there, and 4.5 s in another.
    assert (9.0, (2, 4)) == (total.segments_s, counted(total.flagged_share))
    weapons = group(report, "weapons", market="DE").content
    assert weapons is not None and ((1, 2), 4.5) == (
        counted(weapons.flagged_share), weapons.segments_s
    )  # fmt: skip
    drugs = group(report, "drugs", market="FR").content
    assert drugs is not None and (0, 1) == counted(drugs.flagged_share)
    german = group(report, "drugs", market="DE").content
    assert german is not None and 2.0 == german.segments_s
    assert {"DE", "FR", "unknown", None} == {each.market for each in report.groups}
    assert (5, 1) == (report.verdicts.videos, report.verdicts.errors)


def test_precision_counts_what_stands(tmp_path: Path) -> None:
    """Upheld and overturned by what stands at last; escalated, technical and missed segments, and
    rulings on what was not flagged, decide nothing."""
    made = Made()
    verdicts = [verdict(name, {"weapons": 0.9}) for name in "abcdefgh"]
    made.rule("a")
    made.rule("b", "overturn")
    first = made.rule("c")
    made.rule("c", "overturn", kind="second", about=first.id, reviewer="bo", reason="wrong_policy")
    made.rule("d", "escalate")
    made.rule("e", "overturn", reason="technical")
    made.rule("f", "overturn", reason="missed_segment")
    made.rule("g", "overturn")
    made.rule("g")  # Taken back by another first look.
    made.rule("h", "overturn", policy="drugs", reason="missed_segment")
    made.rule("h", policy=None)
    made.rule("a", "overturn", kind="gold", reviewer="bo")
    report = told(tmp_path, verdicts, made)
    weapons = rulings(report)
    assert (7, 0) == (weapons.cases, weapons.not_flagged)
    assert 1 == rulings(report, "drugs").not_flagged
    assert (7, 2, 2, 3) == (weapons.cases, weapons.upheld, weapons.overturned, weapons.undecided)
    assert ((2, 4), (2, 4)) == (
        counted(weapons.precision), counted(weapons.verdict_overturn_rate)
    )  # fmt: skip
    # Of first looks that ruled and where something stands: a, b, c, e, f, g; c alone was changed.
    assert (1, 6) == counted(weapons.decision_overturn_rate)
    assert (1, 7) == counted(weapons.escalation_rate)
    everything = rulings(report, None)
    # The whole verdict of h was upheld.
    assert ((3, 5), 9) == (counted(everything.precision), everything.cases)
    assert report.decisions is not None
    assert (12, 1, 9, 0) == tuple(
        getattr(report.decisions, name)
        for name in ("decisions", "gold", "cases", "of_other_verdicts")
    )


def test_all_policies_together_count_verdicts(tmp_path: Path) -> None:
    """Two cases of one verdict are one in the rates of the whole: upheld where any of them is."""
    made = Made()
    made.rule("a", policy="weapons")
    made.rule("a", "overturn", policy="drugs")
    made.rule("b", "overturn", policy="weapons")
    both = [verdict(name, {"weapons": 0.9, "drugs": 0.9}) for name in "ab"]
    everything = rulings(told(tmp_path, both, made), None)
    assert (1, 2, 3) == (everything.upheld, everything.overturned, everything.cases)
    assert ((1, 2), (1, 2)) == (
        counted(everything.precision), counted(everything.verdict_overturn_rate)
    )  # fmt: skip


def test_appeals(tmp_path: Path) -> None:
    """Appealed of what could be; changed of the decided ones, against what stood before."""
    made = Made()
    a, b = made.rule("a"), made.rule("b")
    c, d = made.rule("c", "overturn"), made.rule("d", "escalate")
    made.rule("e")
    made.rule("a", "overturn", kind="appeal", about=a.id, reviewer="chief")
    made.rule("b", "escalate", kind="appeal", about=b.id, reviewer="chief")
    made.rule("c", "overturn", kind="appeal", about=c.id, reviewer="chief")
    made.rule("d", kind="appeal", about=d.id, reviewer="chief")
    # A look that came later is not what was appealed.
    made.rule("a", "overturn", kind="second", about=a.id, reviewer="bo")
    weapons = rulings(told(tmp_path, [verdict(each, {"weapons": 0.9}) for each in "abcde"], made))
    assert (3, 4) == counted(weapons.appeal_rate)
    assert (1, 2) == counted(weapons.appeal_overturn_rate)
    assert (3, 2, 0) == (weapons.upheld, weapons.overturned, weapons.undecided)


def test_proactive_rate_needs_to_know_of_reports(tmp_path: Path) -> None:
    """Only upheld cases count; a time of the report is held against that of the flag, else of the
    first decision; where nothing is known it is withheld and says what is missing."""
    made = Made()
    meta: dict[str, dict[str, Any]] = {
        "a": {"reported": False},
        "b": {"reported": "true"},
        "c": {"reported_at": "2026-11-03T00:00:00Z"},
        "d": {"reported_at": "2026-11-02T09:00:00Z"},
        "e": {"reported_at": "2026-11-02T09:00:00Z", "flagged_at": "2026-11-01T09:00:00Z"},
        "f": {},
        "g": {"reported": False},
    }
    for name in meta:
        made.rule(name, "overturn" if name == "g" else "uphold")
    (tmp_path / "known").mkdir()
    known = [verdict(name, {"weapons": 0.9}, **each) for name, each in meta.items()]
    weapons = rulings(told(tmp_path / "known", known, made))
    assert ((3, 5), 1) == (counted(weapons.proactive_rate), weapons.report_unknown)
    plain = rulings(told(tmp_path, [verdict(each, {"weapons": 0.9}) for each in meta], made))
    assert plain.proactive_rate.value is None
    assert "neither `reported` nor `reported_at`" in (plain.proactive_rate.withheld or "")


def test_turnaround(tmp_path: Path) -> None:
    """From the earliest known time to the first decision; undated and backward ones are counted."""
    made = Made()
    verdicts = [
        verdict(f"n{hours}", {"weapons": 0.9}, uploaded_at=UPLOADED, flagged_at="2026-12-01")
        for hours in range(1, 21)
    ]
    for hours in range(1, 21):
        at = f"2026-11-01T{hours:02}:00:00Z"
        one = made.rule(f"n{hours}", decided_at=at, reviewer="ana")
        made.rule(f"n{hours}", kind="second", about=one.id, reviewer="bo",
                  decided_at="2026-11-20T00:00:00Z")  # fmt: skip
    verdicts += [
        verdict("late", {"weapons": 0.9}, uploaded_at="2026-11-05"),
        verdict("never", {"weapons": 0.9}),
    ]
    made.rule("late")
    made.rule("never")
    times = rulings(told(tmp_path, verdicts, made)).turnaround
    assert (36_000, 21_600, 54_000, 20) == (
        times.p50_s.value, times.p50_s.low, times.p50_s.high, times.p50_s.of
    )  # fmt: skip
    assert (64_800, None) == (times.p90_s.value, times.p90_s.high)
    assert (1, 1) == (times.undated, times.backward)


def test_periods_and_days(tmp_path: Path) -> None:
    """Content by upload, rulings by the first decision; what was decided after the last day is not
    known, and videos without a date are outside of any days."""
    made = Made()
    first = made.rule("a", decided_at="2026-10-30T10:00:00Z")
    made.rule("a", "overturn", kind="second", about=first.id, reviewer="bo",
              decided_at="2026-11-09T10:00:00Z")  # fmt: skip
    made.rule("b", decided_at="2026-11-02T10:00:00Z")
    verdicts = [
        verdict("a", {"weapons": 0.9}, uploaded_at="2026-10-29T23:30:00-01:00"),
        verdict("b", {"weapons": 0.9}, uploaded_at="2026-10-01"),
        verdict("c", uploaded_at="soon"),
    ]
    by_week = grouping("policy,period", "week")
    report = told(tmp_path, verdicts, made, grouping=by_week)
    assert {None, "2026-W40", "2026-W44", "unknown", "2026-W45"} == {
        each.period for each in report.groups
    }
    assert (0, 1) == counted(rulings(report, period="2026-W44").precision)
    assert any("1 videos have a uploaded_at" in note for note in report.notes)
    october = Window(date(2026, 10, 30), date(2026, 11, 1))
    file, log = tmp_path / "verdicts.jsonl", tmp_path / "decisions.db"
    report = metrics(
        MetricsSettings(verdicts=(file,), log=log, grouping=by_week, window=october, least=1)
    )
    assert (1, 2) == (report.verdicts.videos, report.verdicts.outside)
    assert (1, 1) == counted(rulings(report).precision)
    last = Window(None, date(2026, 11, 2))
    report = metrics(MetricsSettings(verdicts=(file,), log=log, window=last, least=1))
    assert (2, 2) == counted(rulings(report).precision)
    assert (
        "2026-10-30"
        == group(
            metrics(MetricsSettings(verdicts=(file,), grouping=grouping("period", "day"))),
            period="2026-10-30",
        ).period
    )


def test_too_few_are_withheld(tmp_path: Path) -> None:
    """Below `least` no rate, with the count that is missing; and how to pass such counts on."""
    made = Made()
    verdicts = []
    for number in range(23):
        market = "DE" if number < 20 else "AT"
        verdicts.append(verdict(f"n{number}", {"weapons": 0.9}, market=market))
        made.rule(f"n{number}", market=market)
    report = told(tmp_path, verdicts, made, least=10, grouping=grouping("market", "month"))
    small = rulings(report, None, market="AT")
    assert "too few decided verdicts: 3, and 10 are needed" == small.precision.withheld
    assert (3, 3) == counted(small.precision)
    assert (1.0, 0.8389) == tuple(
        getattr(rulings(report, None, market="DE").precision, name) for name in ("value", "low")
    )
    (note,) = [each for each in report.notes if "fewer than 10 decided" in each]
    assert "a second market too" in note


def test_markets_that_differ_are_named(tmp_path: Path) -> None:
    """The same share everywhere is no difference; one market's precision apart is, by Holm's p and
    with the market; another pack's verdicts and small markets are left out and told."""
    made = Made()
    verdicts = []
    for market, right in (("AT", 27), ("BR", 12), ("DE", 26), ("XX", 0)):
        for number in range(30 if market != "XX" else 4):
            name = f"{market}{number}"
            verdicts += [
                verdict(name, {"weapons": 0.9}, market=market),
                verdict(f"c{name}", market=market),
            ]
            made.rule(name, "uphold" if number < right else "overturn", market=market)
    other = verdict("other", {"weapons": 0.9}, market="DE")
    other = replace(other, provenance=replace(other.provenance, pack="q@1#sha256:1"))
    report = told(tmp_path, [*verdicts, other, verdict("nowhere")], made, least=10).consistency
    assert report is not None
    assert ("p@1#sha256:0", 1, 1) == (report.pack, report.other_packs, report.without_market)
    flagged, precision, overturned = report.tests
    assert ("flagged_share", False, 1.0) == (flagged.measure, flagged.differs, flagged.p)
    assert ("precision", True, "BR") == (precision.measure, precision.differs, precision.furthest)
    assert precision.p is not None and precision.p_corrected == pytest.approx(
        2 * precision.p, rel=0.01
    )
    by = precision.furthest_difference
    assert by is not None and by.value == pytest.approx(12 / 30 - 53 / 60, abs=1e-4)
    assert by.high is not None and by.high < 0
    assert ["AT", "BR", "DE", "XX"] == [each.market for each in precision.markets]
    assert precision.markets[3].rate.value is None
    assert "all or none are so in every market" == overturned.withheld
    assert "differing content may be its cause" in report.notes[0]


def test_reviewers(tmp_path: Path) -> None:
    """Agreement of looks, accuracy on gold, seconds by severity and policy, the longest day."""
    made = Made()
    verdicts = [verdict(f"n{number}", {"weapons": 0.9, "drugs": 0.6}) for number in range(12)]
    for number in range(12):
        one = made.rule(f"n{number}", seconds_viewed=10.0)
        made.rule(f"n{number}", "overturn" if number in (3, 7) else "uphold", kind="second",
                  about=one.id, reviewer="bo", decided_at="2026-11-03T09:30:00Z")  # fmt: skip
    made.rule("n1", policy="drugs", seconds_viewed=3.5, decided_at="2026-11-04T09:30:00Z")
    made.rule("n1", policy=None, seconds_viewed=200.0, decided_at="2026-11-05T09:30:00Z")
    for number, ruling in enumerate(("uphold", "overturn", "overturn", "escalate", "uphold")):
        made.rule(f"g{number}", ruling, kind="gold", reviewer="bo", seconds_viewed=1.0)
    gold = tmp_path / "gold.csv"
    gold.write_text(
        "verdict,policy,label\nv_g0,weapons,violating\nv_g1,weapons,benign\n"
        "v_g2,weapons,violating\nv_g3,weapons,benign\n",
        "utf-8",
    )
    report = told(tmp_path, verdicts, made, gold=gold)
    together, weapons = report.agreement
    assert (None, "weapons", 12) == (together.policy, weapons.policy, weapons.pairs)
    assert (10, 12) == counted(weapons.agreed)
    # Every first look upheld: agreement is what chance would have, and alpha is below 0.
    assert 0.0 == weapons.kappa.value
    assert weapons.alpha.value is not None and weapons.alpha.value < 0
    (score,) = report.gold
    assert ("bo", 2, 1, 1, 1) == (
        score.reviewer, score.right, score.wrong, score.unscored, score.unknown
    )  # fmt: skip
    assert (2, 3) == counted(score.accuracy)
    ana, bo = report.reviewers
    assert (323.5, {"high": 320.0, "low": 3.5}) == (ana.viewed_s, ana.by_severity)
    assert {"(whole verdict)": 200.0, "drugs": 3.5, "weapons": 120.0} == ana.by_policy
    assert (200.0, "2026-11-05") == (ana.longest_day_s, ana.longest_day)
    assert (17, 12, 5.0, {"unknown": 5.0}) == (
        bo.decisions, bo.unmeasured, bo.viewed_s, bo.by_severity
    )  # fmt: skip


def test_drift(tmp_path: Path) -> None:
    """Other videos with lower scores: a distance with p; the same videos: a distance without p; the
    provenance that differs is told."""
    before = [
        verdict(f"o{number}", {"weapons": 0.5 + number / 100} if number < 20 else None)
        for number in range(60)
    ]
    before = [
        replace(each, provenance=replace(each.provenance, sampling="keyframes")) for each in before
    ]
    after = [
        verdict(f"n{number}", {"weapons": 0.7 + number / 100} if number < 20 else None)
        for number in range(40)
    ]
    old = write(tmp_path / "before.jsonl", before)
    found = told(tmp_path, after, least=10, against=(old,)).drift
    assert found is not None and 0 == found.shared
    (policy,) = found.policies
    assert ((20, 60), (20, 40)) == (counted(policy.before), counted(policy.after))
    assert 0.1667 == policy.change.value
    assert policy.change.low is not None and policy.change.low < 0
    assert (1.0, "exact") == (policy.distance, policy.method)
    assert policy.p is not None and policy.p < 1e-6
    assert any("sampling differs (before keyframes, now fps:1)" in note for note in found.notes)
    again = told(tmp_path, after, least=10, against=(tmp_path / "verdicts.jsonl",)).drift
    assert again is not None and 40 == again.shared
    assert (0.0, None, None) == (
        again.policies[0].distance, again.policies[0].p, again.policies[0].change.value
    )  # fmt: skip
    few = told(tmp_path, after, least=30, against=(old,)).drift
    assert few is not None and few.policies[0].distance is None
    assert "too few flagged videos" in (few.policies[0].withheld or "")


def test_later_files_and_foreign_decisions(tmp_path: Path) -> None:
    """A later file's verdict takes the place of an earlier one, whose decisions still count; cases
    of verdicts that are nowhere are counted and in no rate."""
    made = Made()
    made.rule("a")
    made.rule("b")
    old = write(tmp_path / "old.jsonl", [verdict("a", {"weapons": 0.9})])
    newer = verdict("a", {"weapons": 0.6, "drugs": 0.6})
    report = told(tmp_path, [replace(newer, id="v_new")], made)
    assert report.decisions is not None and 2 == report.decisions.of_other_verdicts
    assert all(each.rulings is None for each in report.groups)
    new = tmp_path / "verdicts.jsonl"
    both = metrics(MetricsSettings(verdicts=(old, new), log=tmp_path / "decisions.db", least=1))
    assert (1, 1) == (both.verdicts.videos, both.verdicts.replaced)
    assert (1, 1) == counted(rulings(both).precision)
    content = group(both, "weapons").content
    assert content is not None and (1, 0) == (content.review, content.remove)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"verdicts": ()}, "no verdict file"),
        ({"least": 0}, "1 case or more"),
        ({"gold": Path("g")}, "nothing to hold"),
        ({"sample": Path("s")}, "no answers"),
    ],
)
def test_settings_that_hold_nothing(fields: dict[str, Any], told: str) -> None:
    """What cannot give a figure is refused before anything is read."""
    with pytest.raises(UsageError, match=told):
        MetricsSettings(**{"verdicts": (Path("v"),), **fields})
