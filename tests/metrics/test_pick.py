"""What is picked to be labelled: with known chances, or for what it shows."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.decisions.made import decision
from tests.metrics.stored import Archive, pack, sha256_of
from vscan.errors import UsageError
from vscan.metrics.binomial import hypergeometric_tail
from vscan.metrics.labels import load_labels
from vscan.metrics.picking.answered import Answered
from vscan.metrics.picking.candidates import Candidate
from vscan.metrics.picking.growing import Growing, clustered, holm, uploaded_at
from vscan.metrics.picking.pick import PickSettings, prepare_picking
from vscan.metrics.picking.purposive import Disputed, Limit, Nearest
from vscan.metrics.picking.record import Pick
from vscan.metrics.picking.strata import Stratified, allocated
from vscan.policies import parse_pack
from vscan.policies.certificates import Calibration, Certificate
from vscan.policies.drift import wording_digest
from vscan.settings import ScanSettings


def candidate(name: str, score: float | None = 0.1, **more: Any) -> Candidate:
    """A video under `tobacco`, flagged from 0.7 on."""
    flagged = score is not None and score >= 0.7
    told: dict[str, Any] = {
        "verdict": f"v_{name}", "uri": name, "sha256": sha256_of(name), "meta": {},
        "policy": "tobacco", "score": score, "flagged": flagged, "by_prompts": flagged,
    }  # fmt: skip
    return Candidate(**told | more)


def drawn(seed: int, size: int = 30, *, turned: bool = False) -> list[Pick]:
    """A stratified sample of 20 flagged, 10 near and 300 other videos."""
    scores = [0.9] * 20 + [0.6] * 10 + [0.1] * 300
    made = Stratified(size, seed, {"tobacco": 0.56})
    videos = [candidate(f"{n}.mp4", score) for n, score in enumerate(scores)]
    for each in reversed(videos) if turned else videos:
        made.see(each)
    return list(made.picks())


def test_a_stratified_sample_stands_for_the_whole() -> None:
    """Weights of each stratum add up to its videos; small strata get more than their share; the
    order of videos does not matter, and another seed draws others."""
    picks = drawn(1)
    sums: Counter[str] = Counter()
    for each in picks:
        assert each.weight is not None and each.weight == each.population / each.sampled
        sums[each.stratum] += each.weight  # type: ignore[assignment]
    assert {"tobacco/flagged": 20, "tobacco/near-miss": 10, "tobacco/rest": 300} == {
        stratum: round(total) for stratum, total in sums.items()
    }
    assert 30 == len(picks) == len({each.uri for each in picks})
    assert picks == drawn(1, turned=True)
    assert {each.uri for each in picks} != {each.uri for each in drawn(2)}


def test_every_video_is_drawn_alike_within_its_stratum() -> None:
    """Over many seeds each flagged video is drawn as often as its weight says, within what chance
    allows (5 standard deviations)."""
    times = 300
    counts = Counter(
        each.uri
        for seed in range(times)
        for each in drawn(seed)
        if each.stratum.endswith("flagged")
    )
    (chance,) = {1 / each.weight for each in drawn(0) if each.flagged and each.weight}
    spread = 5 * (times * chance * (1 - chance)) ** 0.5
    assert 20 == len(counts)
    assert all(abs(count - times * chance) < spread for count in counts.values())


def test_an_estimate_from_weights_is_right_on_average() -> None:
    """The weighted share of videos with an even name is that of the whole, over many seeds."""
    estimates = []
    for seed in range(200):
        picks = drawn(seed)
        even = sum(each.weight or 0 for each in picks if int(each.uri[:-4]) % 2 == 0)
        estimates.append(even / 330)
    assert np.mean(estimates) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("populations", "size", "expected"),
    [
        ([100, 100], 10, [5, 5]),
        ([1000, 10], 20, [15, 5]),
        ([1000, 1], 20, [19, 1]),
        ([3, 3], 100, [3, 3]),
        ([5], 2, [2]),
        ([10_000, 2, 2], 6, [2, 2, 2]),
        ([900, 100], 100, [70, 30]),
    ],
)
def test_allocation(populations: list[int], size: int, expected: list[int]) -> None:
    """Half equally and half by population, two of each at least, never more than there are."""
    assert expected == allocated(populations, size)


def test_too_few_for_the_strata() -> None:
    """Refused with how many it takes."""
    with pytest.raises(UsageError, match="5 videos are too few for 3 strata: 6 are needed"):
        allocated([10, 10, 10], 5)


def test_markets_are_strata() -> None:
    """On demand each market is a stratum of its own, and so is none."""
    made = Stratified(8, 0, {}, by_market=True)
    for number in range(40):
        meta = {"market": ("DE", "F/R", None)[number % 3]}
        made.see(candidate(f"{number}.mp4", meta=meta))
    strata = {each.stratum for each in made.picks()}
    assert {"tobacco/rest/DE", "tobacco/rest/F/R", "tobacco/rest/no market"} == strata


def test_what_is_answered(tmp_path: Path) -> None:
    """Labels and rulings that stand answer by every name; what is escalated or only technical does
    not, nor does a name whose content has changed. Stratified samples draw it still, and say so."""
    (tmp_path / "l.csv").write_text(
        f"uri,sha256,policy,label\na.mp4,,tobacco,benign\nb.mp4,{sha256_of('other')},tobacco,benign\n"
    )
    answered = Answered()
    answered.add_labels(load_labels(tmp_path / "l.csv"))
    answered.add_decisions(
        [
            decision("d_1", verdict="v_x", sha256=sha256_of("c.mp4"), policy="tobacco"),
            decision("d_2", verdict="v_d.mp4", sha256=None, policy="tobacco", ruling="escalate"),
            decision(
                "d_3", verdict="v_e.mp4", sha256=None, policy="tobacco", ruling="overturn",
                reason="technical",
            ),
        ]
    )  # fmt: skip
    said = {name: answered.of(candidate(f"{name}.mp4")) for name in "abcde"}
    assert {
        "a": "labelled benign", "b": None, "c": "upheld by ana", "d": None, "e": None,
    } == said  # fmt: skip
    assert answered.of(candidate("c.mp4", policy="beer")) is None
    assert answered.of(candidate("copy.mp4", sha256=sha256_of("c.mp4"))) == "upheld by ana"
    nearest = Nearest("uncertain", 9, 0, {"tobacco": Limit("review", 0.7, None)}, answered)
    frame = Stratified(9, 0, {}, answered=answered)
    for name in "abcde":
        nearest.see(candidate(f"{name}.mp4"))
        frame.see(candidate(f"{name}.mp4"))
    assert {"b.mp4", "d.mp4", "e.mp4"} == {each.uri for each in nearest.picks()}
    assert 2 == nearest.left_out
    reasons = {each.uri: each.reason for each in frame.picks()}
    assert reasons["a.mp4"].endswith("answered already: labelled benign")


def test_uncertain_and_near_miss() -> None:
    """The nearest to the threshold on both sides; the nearest below it that is not flagged; where a
    certificate says, even odds instead of the threshold. None has a weight, and copies of one
    content are one case."""
    scores = {"a": 0.71, "b": 0.69, "c": 0.65, "d": 0.95, "e": 0.0, "f": None}
    limits = {"tobacco": Limit("review", 0.7, None)}

    def picked(strategy: Any, limits: dict[str, Limit], size: int = 3) -> list[str]:
        made = Nearest(strategy, size, 0, limits, Answered())
        for name, score in scores.items():
            made.see(candidate(name, score))
            made.see(candidate(f"copy-of-{name}", score, sha256=sha256_of(name)))
        made.see(candidate("matched", 0.7, by_exemplar=True))
        picks = list(made.picks())
        assert {None} == {each.weight for each in picks}
        return [each.uri.removeprefix("copy-of-") for each in picks]

    assert ["c"] == picked("uncertain", limits)[2:]
    assert {"a", "b"} == set(picked("uncertain", limits, 2))
    assert ["b", "c"] == picked("near-miss", limits)
    assert ["d"] == picked("uncertain", {"tobacco": Limit("review", 0.7, 0.93)}, 1)


def test_disagreement() -> None:
    """Reviewers who differ come first, settled ones do not come, then what two packs say of a
    video, then a match whose prompts see nothing."""
    other = {("packs", "tobacco"): False, ("same", "tobacco"): False}
    limits = {"tobacco": Limit("review", 0.7, None)}
    made = Disputed(9, 0, Answered(), limits, other)
    made.add_decisions(
        [
            decision("d_1", verdict="v_men", policy="tobacco"),
            decision("d_2", kind="second", about="d_1", verdict="v_men", policy="tobacco",
                     ruling="overturn", reason="false_positive", reviewer="bo"),
            decision("d_3", verdict="v_calm", policy="tobacco"),
            decision("d_4", kind="second", about="d_3", verdict="v_calm", policy="tobacco",
                     reviewer="bo"),
        ]
    )  # fmt: skip
    for each in (
        candidate("signals", 0.2, flagged=True, by_exemplar=True),
        candidate("packs", 0.9), candidate("same", 0.1), candidate("men"), candidate("calm"),
    ):  # fmt: skip
        made.see(each)
    picks = list(made.picks())
    assert ["men", "packs", "signals"] == [each.uri for each in picks]
    assert "ana says uphold, bo overturn" == picks[0].reason
    assert "an exemplar flags it, and its prompts reach 0.2000 of review 0.7" == picks[2].reason


def unit(*values: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A unit vector."""
    found = np.array(values, np.float32)
    return found / np.linalg.norm(found)


def grown(seed: int, burst: int) -> Growing:
    """Ten kinds of videos at an even pace over ten weeks, of one of which `burst` more came in the
    last week."""
    rng = np.random.default_rng(seed)
    made = Growing(4, 0, Answered())
    begin = datetime(2026, 9, 1)
    axes = np.eye(10, 16)
    for number in range(300 + burst):
        kind = number % 10 if number < 300 else 3
        day = rng.uniform(0, 70) if number < 300 else rng.uniform(64, 70)
        vector = unit(*(axes[kind] + rng.normal(0, 0.02, 16)))
        meta = {"uploaded_at": (begin + timedelta(days=float(day))).isoformat()}
        made.see(
            candidate(
                f"{number:03}.mp4", None, policy=None, meta=meta, pooled=vector, flagged=False
            )
        )
    return made


def test_what_grows_is_found() -> None:
    """Twelve more of one kind in a week stand out: picks are of that cluster alone, with size and
    growth in the reason, and the first is one of its middle."""
    made = grown(0, 12)
    picks = list(made.picks())
    assert (10, 1) == (made.clusters, len(made.grow))
    assert 4 == len(picks) == len({each.uri for each in picks})
    kinds = {3 if int(each.uri[:3]) >= 300 else int(each.uri[:3]) % 10 for each in picks}
    assert {3} == kinds
    assert "42 alike" in picks[0].reason and "in the last 7 days, against" in picks[0].reason
    assert {None} == {each.weight for each in picks} and 42 == picks[0].population
    assert picks == list(grown(0, 12).picks())


def test_what_does_not_grow_is_not() -> None:
    """Of forty archives without growth hardly one has a cluster that is called growing: the level
    is that of all its clusters together."""
    false = sum(bool(list(grown(seed, 0).picks())) for seed in range(40))
    assert false <= 5  # at 5 % more than 5 of 40 come by chance in 1 of 70


def test_late_leaders_do_not_seem_to_grow() -> None:
    """Where kinds run into each other, videos join the nearest leader; in the order of their dates
    a late leader was joined by late videos alone, and 7 of these 8 archives seemed to grow."""
    false = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        made = Growing(4, 0, Answered(), similarity=0.95)
        days = rng.uniform(0, 14, 2_500)
        for number, (row, day) in enumerate(
            zip(rng.normal(size=(2_500, 3)), days.tolist(), strict=True)
        ):
            meta = {"uploaded_at": day * 86_400}
            made.see(candidate(f"{number}", None, policy=None, meta=meta, pooled=unit(*row)))
        list(made.picks())
        false += bool(made.grow)
        assert made.tested > 20
    assert false <= 2


def test_growth_needs_dates() -> None:
    """Without any it is refused with what to do; dates are ISO 8601 or seconds since 1970."""
    made = Growing(4, 0, Answered())
    made.see(candidate("a", None, meta={"uploaded_at": "soon"}, pooled=unit(1, 0)))
    with pytest.raises(UsageError) as refused:
        list(made.picks())
    assert "uploaded_at" in refused.value.remedy and 1 == made.undated
    assert 86_400.0 == uploaded_at({"uploaded_at": "1970-01-02"})
    assert 3_600.0 == uploaded_at({"uploaded_at": "1970-01-01T02:00:00+01:00"})
    assert 5.0 == uploaded_at({"uploaded_at": 5}) and uploaded_at({"uploaded_at": True}) is None
    assert uploaded_at({"uploaded_at": 1e300}) is None


def test_clusters_and_corrections() -> None:
    """A video joins the nearest leader that is near enough; Holm's correction and Fisher's tail are
    those of their definitions."""
    rows = np.stack([unit(1, 0), unit(0, 1), unit(1, 0.1), unit(1, 1)])
    assert [[0, 2], [1], [3]] == [[*each] for each in clustered(rows, 0.9)]
    assert [0.03, 0.06, 0.06] == pytest.approx(holm([0.01, 0.04, 0.03]))
    # Of 10 things 4 are marked: 3 drawn hold 2 or more with 6 * 6 + 4 of 120 chances.
    assert hypergeometric_tail(2, 3, 4, 10) == pytest.approx(40 / 120)
    assert hypergeometric_tail(0, 3, 4, 10) == pytest.approx(1.0)


def test_a_store_is_picked_from(tmp_path: Path) -> None:
    """Scores, strata, meta and pooled embeddings come from the frame store; errors are left out."""
    archive = Archive.at(tmp_path / "store")
    for number, score in enumerate([0.9, 0.8, 0.6, 0.62, 0.2, 0.1, 0.1]):
        meta = {"market": "DE", "views": number, "uploaded_at": f"2026-11-{number + 1:02}"}
        archive.add(f"{number}.mp4", "a cigarette", [score], meta=meta)
    archive.add_error("gone.mp4")
    judging = ScanSettings(
        policy=pack(tmp_path / "p.toml", ("tobacco", "a cigarette", "review = 0.7")),
        store=str(tmp_path / "store"),
    )

    def picked(**settings: Any) -> list[Pick]:
        picking = prepare_picking(PickSettings(**settings), (), judging)
        list(picking.steps())
        found = picking.picks()
        assert any("1 videos that could not be judged" in note for note in picking.notes)
        dated = any("end with the latest upload, on 2026-11-07" in note for note in picking.notes)
        assert dated == (settings.get("strategy") == "growing")
        return found

    strata = Counter(each.stratum for each in picked(number=7))
    assert {"tobacco/flagged": 2, "tobacco/near-miss": 2, "tobacco/rest": 3} == dict(strata)
    (near,) = picked(number=1, strategy="near-miss", policy="tobacco")
    assert ("3.mp4", "DE", 3, False) == (near.uri, near.market, near.views, near.flagged)
    assert [] == picked(number=3, strategy="growing")
    with pytest.raises(UsageError, match="is no strategy"):
        picked(number=1, strategy="best")


def test_even_odds_need_a_certificate_that_holds(tmp_path: Path) -> None:
    """Of another model or wording it says nothing: then the threshold is what counts."""
    made = parse_pack(
        Path(pack(tmp_path / "p.toml", ("tobacco", "a cigarette", "review = 0.7"))).read_bytes(),
        file="p.toml",
    )
    policy = made.policy("tobacco")
    held = Certificate(
        threshold=0.7, target="recall", at_least=0.8, confidence=0.95, model="m#sha256:1",
        method="binomial", labels=9, positives=3, labels_sha256="sha256:" + "0" * 64, seed=0,
        wording=wording_digest(made, policy), min_duration_s=1.0, release=0.8, even_at=0.4,
    )  # fmt: skip
    for certificate, models, even_at in (
        (held, ["renamed#sha256:1"], 0.4),
        (held, ["m#sha256:2"], None),
        (held.model_copy(update={"wording": "sha256:" + "1" * 64}), ["m#sha256:1"], None),
    ):
        own = policy.model_copy(update={"calibration": Calibration(review=certificate)})
        assert Limit("review", 0.7, even_at) == Limit.of(own, made, models)
