"""A calibration from a store and labels: what is certified, what is refused, what is told apart."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.metrics.calibrated import EACH, World
from tests.metrics.stored import Archive, pack, sha256_of
from vscan.errors import UsageError
from vscan.intervals import Interval
from vscan.matching.match import Match
from vscan.measuring import Measured
from vscan.metrics import scored
from vscan.metrics.thresholds.calibrate import CalibrateSettings
from vscan.rescanning import rescan
from vscan.settings import ScanSettings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world, made once."""
    return World.at(tmp_path_factory.mktemp("calibrated"))


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    """The world with a pack and labels of a test's own."""
    return made.of_its_own(tmp_path)


def test_a_threshold_flags_what_a_rescan_with_it_flags(world: World) -> None:
    """The workload of the new threshold is what judging everything with it flags; a stricter target
    means a higher threshold and less recall; the same seed gives the same report."""
    report = world.report()
    assert report == world.report()
    threshold = report.certified.threshold
    world.write_pack(review=threshold)
    settings = ScanSettings(policy=str(world.folder / "p.toml"), store=str(world.folder / "store"))
    flagged = [verdict.source.uri for verdict in rescan(settings) if verdict.findings]
    assert report.new_load.flagged == len(flagged) > EACH // 2
    assert (2 * EACH, {"decode_failed": 1}) == (report.new_load.of, report.unjudged)
    loose = world.report(at_least=0.7)
    assert loose.certified.threshold < threshold
    assert loose.new_load.flagged > report.new_load.flagged
    recall = world.report(target="recall", at_least=0.8)
    assert recall.certified.fitted == 0 and recall.certified.tested == 2 * EACH
    assert recall.new.recall.value is not None and recall.new.recall.value >= 0.8


def test_workload_of_a_day(world: World) -> None:
    """A day's videos are flagged as the store's are, with the interval of that share."""
    load = world.report(videos_per_day=1000.0, minutes_per_review=3.0).new_load
    assert load.per_day is not None
    assert load.per_day == pytest.approx(1000 * load.flagged / load.of, abs=0.1)
    assert load.per_day_low is not None and load.per_day_high is not None
    assert load.per_day_low < load.per_day < load.per_day_high
    assert load.hours_per_day == pytest.approx(load.per_day * 3 / 60, abs=0.01)
    assert world.report().new_load.per_day is None


def test_too_few_labels_are_told_how_many_it_takes(world: World) -> None:
    """For precision and recall: how many without a single error, and about how many at what the
    labels show; where no number would do, that is said."""
    rows = list(world.rows)
    world.write_labels("few.csv", rows[-24:])
    with pytest.raises(UsageError, match=r"it takes 16 of which every one violates") as refused:
        world.report("few.csv")
    assert "label about" in refused.value.remedy and "vscan pick" in refused.value.remedy
    with pytest.raises(UsageError, match=r"it takes 16 violating ones of which not one"):
        world.report("few.csv", target="recall", at_least=0.9)
    opposite = [
        row.replace("benign", "x").replace("violating", "benign").replace("x", "violating")
        for row in rows
    ]
    world.write_labels("opposite.csv", opposite)
    with pytest.raises(UsageError, match="none would do at the precision") as refused:
        world.report("opposite.csv")
    assert "change prompts and contrast" in refused.value.remedy


def test_labels_that_prove_nothing_are_refused(world: World) -> None:
    """One class alone, labels of no video of the store, and videos that were picked for what they
    show."""
    violating = [row for row in world.rows if row.endswith("violating")]
    world.write_labels("one.csv", violating)
    with pytest.raises(UsageError, match="all 60 labelled videos of tobacco are violating"):
        world.report("one.csv")
    world.write_labels("other.csv", ["nowhere.mp4,tobacco,benign"])
    with pytest.raises(UsageError, match="no label of tobacco can be used"):
        world.report("other.csv")
    header = "uri,policy,label,strategy,weight"
    picked = [f"{row},uncertain," for row in world.rows]
    world.write_labels("picked.csv", picked, header)
    with pytest.raises(UsageError, match="120 were picked for what they show"):
        world.report("picked.csv")
    drawn = [f"{row},stratified,2" for row in world.rows[:100]]
    world.write_labels("both.csv", [*drawn, *picked[100:]], header)
    labels = world.report("both.csv").labels
    assert (100, 20) == (labels.used, labels.purposive)


def test_labels_of_flagged_videos_alone(world: World) -> None:
    """They say nothing of recall, and nothing of thresholds below the one that flagged them."""
    settings = ScanSettings(policy=str(world.folder / "p.toml"), store=str(world.folder / "store"))
    fired = {verdict.source.uri for verdict in rescan(settings) if verdict.findings}
    rows = [row for row in world.rows if row.partition(",")[0] in fired]
    assert any(row.endswith("benign") for row in rows)
    world.write_labels("flagged.csv", rows)
    with pytest.raises(UsageError, match="nothing is known of recall"):
        world.report("flagged.csv", target="recall")
    report = world.report("flagged.csv", at_least=0.6)
    assert report.certified.threshold >= 0.55
    assert report.new.recall.value is None
    assert any("no threshold below the one it has" in note for note in report.notes)
    assert not any("no random sample" in note for note in world.report().notes)
    some = [row for row in world.rows if row not in rows][:5]
    world.write_labels("mostly.csv", [*rows, *some])
    assert any(
        "no random sample" in note for note in world.report("mostly.csv", at_least=0.6).notes
    )


def test_thresholds_ascend(world: World) -> None:
    """One that would lie above a graver action's is an error that names both; a graver action is
    calibrated where segments open at the milder one, and never below it."""
    world.write_pack(remove=0.56)
    with pytest.raises(UsageError, match=r"remove = 0\.56 lies below review = 0\.6") as refused:
        world.report()
    assert "--action" in refused.value.remedy
    world.write_pack()
    graver = world.report(action="remove", at_least=0.6)
    assert graver.certified.threshold >= 0.55
    assert graver.old is not None and 0.99 == graver.old.threshold


def test_mixed_models_are_refused(world: World, made: World) -> None:
    """A score of one model is not that of another."""
    (world.folder / "store").unlink()
    shutil.copytree(made.folder / "store", world.folder / "store")
    archive = Archive.at(world.folder / "store")
    archive.add("beer.mp4", "a beer", [0.5], model="other#sha256:" + "5" * 64)
    assert world.report().new_load.of == 2 * EACH + 1  # the same weights under another name
    from vscan.metrics.thresholds.refusals import refuse_mixed_models

    with pytest.raises(UsageError, match="made by 2 models"):
        refuse_mixed_models(["one#sha256:1", "two#sha256:2"], "store")
    with pytest.raises(UsageError, match="has embeddings"):
        refuse_mixed_models([], "store")


def test_what_an_exemplar_flags_is_told_apart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no question of the threshold: its label is left out, and it stays in the workload."""
    match = Match(
        index="known", exemplar="e", policy="tobacco", opinion="violating", signal="pdq",
        source_span=Interval(0.0, 2.0), exemplar_span=Interval(0.0, 2.0), peak_s=0.0, score=0.9,
        source_coverage=0.5, exemplar_coverage=0.5, samples=2,
    )  # fmt: skip

    def matches(measured: Measured, _: object) -> list[Match]:
        return [match] if measured.digests.sha256 == sha256_of("v001.mp4") else []

    before = world.report()
    monkeypatch.setattr(scored, "match_exemplars", matches)
    after = world.report()
    assert (1, 2 * EACH - 1) == (after.labels.matched, after.labels.used)
    assert (0, 1) == (before.new_load.by_exemplar, after.new_load.by_exemplar)
    assert any("by an exemplar whatever the threshold" in note for note in after.notes)
    # `remove` is graver than what a match recommends here, so the video is one of prompts again.
    assert 0 == world.report(action="remove", at_least=0.6).labels.matched


def test_copies_of_a_content_count_once(tmp_path: Path) -> None:
    """Two names of one content are one label, which cannot be in both halves; where they say
    different things neither counts."""
    archive = Archive.at(tmp_path / "store")
    rows = []
    for number in range(40):
        for copy in ("a", "b"):
            score = 0.95 if number % 2 else 0.05
            archive.add(f"{number}{copy}.mp4", "a cigarette", [score], content=f"no {number}")
            said = "violating" if number % 2 and (number > 1 or copy == "a") else "benign"
            rows.append(f"{number}{copy}.mp4,tobacco,{said}")
    pack(tmp_path / "p.toml", ("tobacco", "a cigarette", "review = 0.7"))
    world = World(tmp_path, tuple(rows))
    world.write_labels("labels.csv", rows)
    used = world.report(target="recall", at_least=0.8).labels
    assert (80, 39, 39, 2) == (used.of_policy, used.used, used.repeated, used.contradicted)
    assert (19, 0) == (used.positives, used.unmatched)
    contents = [sha256_of("no " + row.split(".")[0][:-1]) for row in rows]
    named = [f"{row},v_{at},{contents[at]}" for at, row in enumerate(rows)]
    world.write_labels("named.csv", named, "uri,policy,label,verdict,sha256")
    used = world.report("named.csv", target="recall", at_least=0.8).labels
    assert (39, 1) == (used.used, used.contradicted)  # of each content one label meets a video


def test_a_few_others_do_not_open_the_way_down(world: World) -> None:
    """Labels of a review queue with a few unflagged ones say hardly more of lower thresholds than
    without these: none is tried, and a note says why."""
    settings = ScanSettings(policy=str(world.folder / "p.toml"), store=str(world.folder / "store"))
    fired = {verdict.source.uri for verdict in rescan(settings) if verdict.findings}
    rows = [row for row in world.rows if row.partition(",")[0] in fired]
    others = [row for row in world.rows if row not in rows and row.endswith("violating")][-8:]
    world.write_labels("mostly.csv", [*rows, *others])
    report = world.report("mostly.csv", at_least=0.6)
    assert report.certified.threshold >= 0.55 and report.labels.flagged == len(rows)
    assert any("no threshold below the one it has is tried" in note for note in report.notes)
    with pytest.raises(UsageError, match="recall would seem higher than it is"):
        world.report("mostly.csv", target="recall", at_least=0.6)
    assert world.report(at_least=0.6).certified.threshold < 0.55


def test_weights(world: World) -> None:
    """Labels that stand for different numbers of videos are tested by betting, rates are weighted
    and have no interval; where all those above an edge weigh alike the exact tail is as sharp."""
    rows = [f"{row},{3 if row.endswith('benign') else 1}" for row in world.rows]
    world.write_labels("weighted.csv", rows, "uri,policy,label,weight")
    report = world.report("weighted.csv", at_least=0.6)
    assert ("betting", True) == (report.certified.method, report.labels.weighted)
    assert report.new.precision.low is None is not report.new.precision.value
    assert any("1 over the chance of being drawn" in note for note in report.notes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_least": 1.0}, {"at_least": 0.0}, {"at_least": float("nan")}, {"confidence": 0.2},
        {"confidence": 1.0}, {"action": "allow"}, {"videos_per_day": -1.0},
        {"minutes_per_review": float("inf")}, {"policy": "toboggan"},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_make_no_sense(world: World, wrong: dict[str, Any]) -> None:
    """Each is refused with what to give instead."""
    with pytest.raises(UsageError) as refused:
        world.report(**wrong)
    assert refused.value.remedy
    assert CalibrateSettings.__doc__
