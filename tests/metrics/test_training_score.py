"""What trainees answered: figures by hand, who passes, what most get wrong, damaged packs."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.decisions.made import decision
from tests.metrics.trained import RULINGS, Made, decided, records
from vscan.decisions.chain import Verified
from vscan.decisions.decision import Decision
from vscan.errors import UsageError
from vscan.metrics.enforcement.agreement_statistics import kappa
from vscan.metrics.proportions import wilson
from vscan.metrics.training.answered import TraineeLog
from vscan.metrics.training.cases import CasesWanted
from vscan.metrics.training.choice import Mix
from vscan.metrics.training.files import HeldPack, load_pack_folder
from vscan.metrics.training.pack import build_pack
from vscan.metrics.training.score import cases_needed, judged
from vscan.metrics.training.score_records import TrainingScore
from vscan.metrics.training.together import score_pack
from vscan.reports.training_folder import pack_folder, write_pack

WHOLE = Verified(1, "0" * 64, None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pack of 12 violating and 12 benign cases, over two policies."""
    cases = [
        Made(name=f"c{k:02}", story=("1u 2u", "1o 2o")[k % 2], policy=("a", "b")[k // 2 % 2])
        for k in range(24)
    ]
    pack = build_pack(decided(cases), records(cases), CasesWanted(), Mix(cases=24), WHOLE)
    with pack_folder(tmp_path / "pack") as files:
        write_pack(files, pack)
    return tmp_path / "pack"


@pytest.fixture
def pack(folder: Path) -> HeldPack:
    """The same, read back."""
    return load_pack_folder(folder)


def answers(pack: HeldPack, name: str, wrong: str = "") -> list[Decision]:
    """A trainee who is right but for the cases at the beginning: for each letter of `wrong` what is
    said of the next violating case (`u`, `o`, `e`, `-` for nothing), then likewise of benign ones
    after a space."""
    said: dict[str, list[str]] = dict(
        zip(("uphold", "overturn"), [list(each) for each in (wrong + " ").split(" ")], strict=False)
    )
    made = []
    for number, each in enumerate(pack.answers):
        word = said[each.ruling].pop(0) if said[each.ruling] else each.ruling[0]
        if word != "-":
            made.append(
                decision(
                    f"d_{name}_{number}",
                    verdict=each.verdict,
                    policy=each.policy,
                    ruling=RULINGS[word],
                    reason="false_positive" if word == "o" else None,
                    reviewer=name,
                    seconds_viewed=float(number + 1),
                )
            )
    return made


def scored(pack: HeldPack, *people: list[Decision], **options: Any) -> TrainingScore:
    """The report on trainees who decided in a log each."""
    logs = [TraineeLog(f"log{k}", each, WHOLE) for k, each in enumerate(people)]
    return score_pack(pack, logs, **{"pass_at": 0.8, **options})


@pytest.mark.parametrize(
    ("table", "value", "low", "high"),
    [
        # Fleiss, Statistical Methods for Rates and Proportions, table on two diagnosticians:
        # kappa 0.68, standard error 0.087.
        ("75 1 4 / 5 4 1 / 0 0 10", 0.6765, 0.6765 - 1.96 * 0.0877, 0.6765 + 1.96 * 0.0877),
        # Two dermatologists, in the documentation of SAS PROC FREQ.
        ("10 4 1 0 / 5 10 12 2 / 2 4 12 5 / 0 2 6 13", 0.3449, 0.2030, 0.4868),
    ],
)
def test_kappa_as_published(table: str, value: float, low: float, high: float) -> None:
    """Kappa and its large-sample interval on worked examples of the literature."""
    rows = [row.split() for row in table.split("/")]
    cells = {(str(i), str(j)): int(n) for i, row in enumerate(rows) for j, n in enumerate(row)}
    found = kappa(cells)
    assert found is not None
    assert (value, low, high) == pytest.approx((found.value, found.low, found.high), abs=2e-4)


def test_kappa_where_there_is_none() -> None:
    """No pairs, and one word for everything."""
    assert kappa({}) is None
    assert kappa({("u", "u"): 9}) is None
    found = kappa({("u", "u"): 5, ("o", "o"): 5})
    assert found is not None
    assert 1.0 == found.value == found.low


def test_the_figures_of_a_trainee(pack: HeldPack) -> None:
    """By hand: 9 of 12 violating ones upheld, 2 called benign, 1 escalated; 11 of 12 benign ones
    overturned, 1 escalated."""
    (one,) = scored(pack, answers(pack, "tess", "ooe e")).trainees
    assert (24, 24, 0, 20) == (one.cases, one.answered, one.unanswered, one.right)
    wanted = wilson(20, 24)
    assert (round(wanted.value, 4), round(wanted.low, 4)) == (
        one.agreement.value,
        one.agreement.low,
    )
    whole, *each = one.policies
    violating, benign = whole.violating, whole.benign
    assert (12, 9, 2, 1, 0) == (
        violating.cases, violating.upheld, violating.overturned, violating.escalated,
        violating.unanswered,
    )  # fmt: skip
    assert (0, 11, 1) == (benign.upheld, benign.overturned, benign.escalated)
    assert (0.75, 0.9167) == (whole.sensitivity.value, whole.specificity.value)
    assert ["a", "b"] == [policy.policy for policy in each]
    assert each[0].sensitivity.withheld == "too few answered violating cases: 6, and 10 are needed"
    # Chance: 12/24 * 9/24 + 12/24 * 13/24; the third word is the trainee's alone.
    chance = (12 * 9 + 12 * 13) / 24**2
    assert one.kappa.value == round((20 / 24 - chance) / (1 - chance), 4)
    assert (2, 24) == (one.escalated.part, one.escalated.of)
    assert (11, 11, 1.0) == (one.reasons.part, one.reasons.of, one.reasons.value)
    assert (24, 300.0, 12.5) == (one.viewed.measured, one.viewed.total_s, one.viewed.median_s)
    assert {"medium": 300.0} == one.viewed.by_severity_s
    assert 4 == len(one.wrong)


@pytest.mark.parametrize(
    ("wrong", "pass_at", "outcome", "more"),
    [
        ("", 0.8, "passed", None),
        ("", 0.87, "undecided", 2),  # 24 of 24 have 0.862 as their lower end, 26 of 26 0.871
        ("oooooo uuuuuu", 0.8, "failed", None),
        ("ooo", 0.8, "undecided", 86),  # 21 of 24 are right, at best 0.957, at worst 0.690
        ("ooo", 0.875, "undecided", None),
        ("----------", 0.8, "undecided", 2),  # none wrong of those answered
        ("oooooooooooo uuuuuuuuuu--", 0.8, "failed", None),
    ],
)
def test_who_passes(
    pack: HeldPack, wrong: str, pass_at: float, outcome: str, more: int | None
) -> None:
    """Only an interval on one side decides, and leaving cases out helps nobody."""
    (one,) = scored(pack, answers(pack, "tess", wrong), pass_at=pass_at).trainees
    assert (outcome, more) == (one.outcome, one.more_cases)


@pytest.mark.parametrize(
    ("agreement", "pass_at"), [(1.0, 0.8), (0.9, 0.8), (0.5, 0.8), (0.95, 0.9)]
)
def test_so_many_cases_are_needed(agreement: float, pass_at: float) -> None:
    """With that many cases the interval lies on one side of the threshold, with one fewer it does
    not."""
    needed = cases_needed(agreement, pass_at)
    assert needed is not None

    def tells(of: int) -> bool:
        # Wilson's interval for a share that no whole number of cases need give.
        z2 = 1.959964**2
        middle = (agreement + z2 / (2 * of)) / (1 + z2 / of)
        half = math.sqrt(z2 * (agreement * (1 - agreement) + z2 / (4 * of)) / of) / (1 + z2 / of)
        return middle - half >= pass_at or middle + half <= pass_at

    assert tells(needed) and not tells(needed - 1)


def test_few_cases_tell_nothing() -> None:
    """Below ten cases nobody passes or fails, whatever the threshold."""
    assert ("undecided", 1) == judged(9, 9, 9, 0.1)
    assert ("undecided", 4) == judged(0, 6, 6, 0.9)
    assert ("undecided", 16) == judged(0, 0, 20, 0.8)


def test_the_last_decision_counts_and_others_are_told(pack: HeldPack) -> None:
    """A look that is taken back, cases that are not in the pack, whole verdicts, other kinds; all
    looks count as exposure."""
    first = pack.answers[0]
    about = {"verdict": first.verdict, "policy": first.policy, "reviewer": "tess"}
    wrong = {"uphold": "overturn", "overturn": "uphold"}[first.ruling]
    reason = "false_positive" if wrong == "overturn" else None
    said = [
        decision("d_0", **about, ruling=wrong, reason=reason, seconds_viewed=100.0),
        *answers(pack, "tess"),
        decision("d_1", **about | {"policy": None}),
        decision("d_2", **about | {"verdict": "v_else"}),
        decision("d_3", **about, kind="gold", ruling=wrong, reason=reason),
    ]
    (one,) = scored(pack, said).trainees
    assert (24, 24, 400.0) == (one.answered, one.right, one.viewed.total_s)
    assert {
        "neither a first nor a second look": 1, "on cases that are not in the pack": 2,
        "replaced by a later one": 1,
    } == one.ignored  # fmt: skip


def test_who_knew_the_cases_is_not_scored_on_them(pack: HeldPack) -> None:
    """A reviewer whose rulings the answers are made of says nothing new by repeating them."""
    (one,) = scored(pack, answers(pack, "ana")).trainees
    assert (0, 24, "undecided") == (one.cases, one.known, one.outcome)
    assert one.agreement.value is None


def test_trainees_side_by_side(pack: HeldPack) -> None:
    """What most get wrong is named with its answer's note; how far they agree; by name, alone."""
    said = [answers(pack, "zoe", "oo"), answers(pack, "tess", "e"), answers(pack, "uma")]
    report = scored(pack, *said)
    assert ["tess", "uma", "zoe"] == [each.reviewer for each in report.trainees]
    (hard,) = report.hard
    assert (2, 3, 1, "uphold", "note of 2u") == (
        hard.wrong, hard.answered, hard.escalated, hard.ruling, hard.why
    )  # fmt: skip
    assert report.between is not None
    # Of the first case all three differ, of the second one differs from two.
    assert (72, 72 - 3 - 2) == (report.between.pairs, report.between.agreeing)
    assert () == scored(pack, said[0], said[2]).hard, "one of two is not most"
    alone = scored(pack, *said, reviewers=["uma"])
    assert (None, ()) == (alone.between, alone.hard)
    with pytest.raises(UsageError, match="una decided in the logs") as raised:
        scored(pack, *said, reviewers=["una"])
    assert "tess, uma, zoe" in raised.value.remedy
    with pytest.raises(UsageError, match="nobody decided"):
        scored(pack)


def test_a_log_that_does_not_hold_is_told(pack: HeldPack) -> None:
    """Its decisions are scored all the same, with a note; so is one person in two logs."""
    said = answers(pack, "tess")
    logs = [
        TraineeLog("one.db", said[:12], Verified(3, "f" * 64, "row 4 was changed")),
        TraineeLog("two.db", said[12:], WHOLE),
    ]
    report = score_pack(pack, logs, pass_at=0.8)
    assert ("one.db", "two.db") == report.trainees[0].logs
    assert "one.db: its chain does not hold: row 4 was changed" in report.notes
    assert any("tess decided in 2 logs" in note for note in report.notes)


def test_a_threshold_that_no_interval_can_pass(pack: HeldPack) -> None:
    """0, 1 and what is no number are refused."""
    for pass_at in (0.0, 1.0, float("nan")):
        with pytest.raises(UsageError, match="agreement"):
            scored(pack, answers(pack, "tess"), pass_at=pass_at)


def test_a_damaged_pack_is_refused(folder: Path) -> None:
    """An answer turned round, a case taken out, a manifest of something else, a file missing."""
    manifest, cases, key = (folder / n for n in ("manifest.json", "cases.jsonl", "answers.jsonl"))
    whole = key.read_bytes()
    key.write_bytes(whole.replace(b'"uphold","reason":null', b'"overturn","reason":null', 1))
    with pytest.raises(UsageError, match=r"answers\.jsonl: was changed"):
        load_pack_folder(folder)
    key.write_bytes(whole)
    held = cases.read_bytes()
    cases.write_bytes(held.partition(b"\n")[2])
    with pytest.raises(UsageError, match=r"cases\.jsonl: was changed"):
        load_pack_folder(folder)
    cases.write_bytes(held)
    load_pack_folder(folder)
    rows = whole.splitlines(keepends=True)
    for lines, told in (
        (rows[::-1], "does not answer what"),
        ([b"{}\n", *rows[1:]], r"answers\.jsonl:1: no line"),
        ([rows[0].replace(b'"uphold"', b'"escalate"').replace(b'"overturn"', b'"escalate"')],
         r"answers\.jsonl:1: no line"),
    ):  # fmt: skip
        _sealed(folder, b"".join(lines))
        with pytest.raises(UsageError, match=told):
            load_pack_folder(folder)
    key.unlink()
    with pytest.raises(UsageError, match=r"answers\.jsonl: cannot be read"):
        load_pack_folder(folder)
    for text, told in ((b"{", "no JSON"), (b"[]", "no"), (orjson.dumps({"schema": "x"}), "not a")):
        manifest.write_bytes(text)
        with pytest.raises(UsageError, match=told):
            load_pack_folder(folder)


def _sealed(folder: Path, answers: bytes) -> None:
    """Other answers, with a manifest that fits them: what somebody can do who may write both."""
    (folder / "answers.jsonl").write_bytes(answers)
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["answers.jsonl"] = hashlib.sha256(answers).hexdigest()
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest))
