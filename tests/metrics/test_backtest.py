"""A backtest of a stored archive: flips, volumes, labels, and that nothing is passed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no types

from tests.metrics.stored import Archive, pack, sha256_of
from vscan.errors import DamagedTrack, UsageError
from vscan.metrics.backtest.backtesting import BacktestSettings, backtest, prepare_backtest
from vscan.metrics.backtest.judging_twice import TwoPacks
from vscan.metrics.backtest.report import Backtest, backtest_json_schema
from vscan.metrics.backtest.tables import label_remarks
from vscan.rescanning import rescan
from vscan.settings import ScanSettings
from vscan.store.frames import FrameStore

OLD = (
    ("tobacco", "a cigarette", "review = 0.70\nremove = 0.95"),
    ("beer", "a beer", "review = 0.60"),
    ("knives", "a knife", "review = 0.60"),
)
NEW = (
    ("tobacco", "a cigarette", "review = 0.60\nremove = 0.90"),
    ("beer", "a beer", "review = 0.80"),
    ("knives", "a knife", "review = 0.60"),
)
Run = Callable[..., Backtest]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Ten videos: two gained, one raised, one lost, three as before, one clear, two unjudged."""
    made = Archive.at(tmp_path / "store")
    made.add("gained.mp4", "a cigarette", [0.65, 0.66])
    made.add("again.mp4", "a cigarette", [0.65, 0.66], content="gained.mp4")
    made.add("raised.mp4", "a cigarette", [0.92, 0.93, 0.92])
    made.add("lost.mp4", "a beer", [0.7, 0.7])
    for number in range(3):
        made.add(f"same{number}.mp4", "a knife", [0.9] * (number + 2))
    made.add("clear.mp4")
    made.add_error("unreadable.mp4")
    made.add("damaged.mp4", "a knife", [0.9])
    made.damage("damaged.mp4")
    return made


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Backtests OLD against NEW, or the packs that are given, on the archive."""

    def ran(old: object = OLD, new: object = NEW, **settings: object) -> Backtest:
        first = pack(tmp_path / "old.toml", *old)  # type: ignore[misc]  # rows of a pack
        second = pack(tmp_path / "new.toml", *new)  # type: ignore[misc]
        return backtest(
            BacktestSettings(old=first, new=second, **settings),  # type: ignore[arg-type]
            ScanSettings(store=str(tmp_path / "store")),
        )

    return ran


def test_flips_and_why(archive: Archive, run: Run) -> None:
    """Each video that flips is listed once, with the cause that the pack's change has for it."""
    report = run()
    told = {flip.uri: flip for flip in report.listed_flips}
    assert {"gained.mp4", "again.mp4", "raised.mp4", "lost.mp4"} == set(told)
    assert (4, 4, 0, 0) == (
        report.flips.total, report.flips.outcome, report.flips.action, report.flips.policies,
    )  # fmt: skip
    (gained,) = told["gained.mp4"].policies
    assert ("gained", "review", "below_threshold") == (
        gained.change, gained.new.action, gained.old.state,
    )  # fmt: skip
    assert gained.old.score == gained.new.score == pytest.approx(0.66, abs=0.005)
    assert gained.reason.endswith("was below review 0.70")
    assert {"market": "DE"} == told["gained.mp4"].meta
    (lost,) = told["lost.mp4"].policies
    assert ("lost", 0.8, 0.6) == (lost.change, lost.new.threshold, lost.old.threshold)
    assert ("violation", "remove") == (
        told["raised.mp4"].new_outcome, told["raised.mp4"].new_action,
    )  # fmt: skip


def test_both_sides_are_what_rescan_says(archive: Archive, run: Run, tmp_path: Path) -> None:
    """The verdicts that are compared are those of two rescans, byte for byte."""
    run()
    settings = ScanSettings(store=str(tmp_path / "store"))
    running = prepare_backtest(
        BacktestSettings(old=str(tmp_path / "old.toml"), new=str(tmp_path / "new.toml")), settings
    )
    pairs = list(running.steps())
    for name, sides in (("old", [p.old for p in pairs]), ("new", [p.new for p in pairs])):
        alone = rescan(
            ScanSettings(store=str(tmp_path / "store"), policy=str(tmp_path / f"{name}.toml"))
        )
        assert [each.to_line() for each in alone] == [each.to_line() for each in sides]


def test_volumes_and_hours(archive: Archive, run: Run) -> None:
    """Counts by policy and action, and the hours that they stand for, worked by hand."""
    report = run(minutes_per_review=6.0)
    counted = {(v.policy, v.action): (v.old, v.new, v.gained, v.lost) for v in report.volumes}
    assert {
        (None, "flagged"): (5, 6, 2, 1),
        (None, "review"): (5, 5, 2, 2),
        (None, "remove"): (0, 1, 1, 0),
        ("beer", "flagged"): (1, 0, 0, 1),
        ("beer", "review"): (1, 0, 0, 1),
        ("knives", "flagged"): (3, 3, 0, 0),
        ("knives", "review"): (3, 3, 0, 0),
        ("tobacco", "flagged"): (1, 3, 2, 0),
        ("tobacco", "review"): (1, 2, 2, 1),
        ("tobacco", "remove"): (0, 1, 1, 0),
    } == counted
    review = report.review
    assert (0.5, 0.6, 1, 0.1) == (
        review.old.hours, review.new.hours, review.change_videos, review.change_hours,
    )  # fmt: skip
    assert (0.625, 0.75) == (review.old.share, review.new.share)
    assert (3 + 2 + 2 + 3 + 4, 3 + 2 + 2 + 3 + 4 + 2) == (
        review.old.footage_s, review.new.footage_s,
    )  # fmt: skip
    moves = {
        (t.old_outcome, t.old_action, t.new_outcome, t.new_action): t.videos
        for t in report.transitions
    }
    assert 2 == moves["clear", "allow", "review", "review"]
    assert report.sources.compared == sum(moves.values())


def test_nothing_is_passed_over(archive: Archive, run: Run) -> None:
    """Unreadable and damaged sources are counted by code, and stand in no figure."""
    report = run()
    assert (10, 8) == (report.sources.videos, report.sources.compared)
    assert {"decode_failed": 1, "store_damaged": 1} == {
        each.code: each.videos for each in report.sources.unjudged
    }
    assert 1 == report.sources.damaged
    assert sha256_of("damaged.mp4") in report.sources.damages[0]


def test_a_damaged_record(archive: Archive, run: Run) -> None:
    """A source record that is not what was written is counted too, once."""
    record = next(Path(archive.store.root).rglob("sources/*/*.json"))
    record.write_bytes(record.read_bytes()[:-9])
    report = run()
    assert 10 == report.sources.videos
    assert any(record.name in each for each in report.sources.damages)


def test_a_record_that_nobody_knows_the_source_of(archive: Archive, run: Run) -> None:
    """It is no video, as in a rescan, and the file is named."""
    record = next(Path(archive.store.root).rglob("sources/*/*.json"))
    record.write_bytes(b"no record")
    report = run()
    assert 9 == report.sources.videos
    assert any(record.name in each for each in report.sources.damages)


def test_a_track_that_cannot_be_read(archive: Archive, run: Run, tmp_path: Path) -> None:
    """A folder in a track's place, which is no damage, costs that video and no other, and both
    sides are still what rescans say."""
    path = archive.track_of("lost.mp4")
    path.unlink()
    path.mkdir()
    report = run()
    assert (10, 7) == (report.sources.videos, report.sources.compared)
    codes = {each.code: each.videos for each in report.sources.unjudged}
    assert 2 == codes["store_damaged"]
    assert "lost.mp4" not in {flip.uri for flip in report.listed_flips}
    test_both_sides_are_what_rescan_says(archive, run, tmp_path)


def test_a_source_measured_in_another_way_meanwhile(
    archive: Archive, run: Run, tmp_path: Path
) -> None:
    """What a scan adds while the backtest runs is judged too, by rules made once for its way."""
    run()
    running = prepare_backtest(
        BacktestSettings(old=str(tmp_path / "old.toml"), new=str(tmp_path / "new.toml")),
        ScanSettings(store=str(tmp_path / "store")),
    )
    for number in range(2):
        archive.add(f"new{number}.mp4", "a beer", [0.7], sampling="fps:2")
    pairs = {pair.new.source.uri: pair for pair in running.steps()}
    report = running.report()
    assert 12 == len(pairs) == report.sources.videos
    added = [pairs[f"new{number}.mp4"] for number in range(2)]
    assert [("review", "clear")] * 2 == [(pair.old.outcome, pair.new.outcome) for pair in added]
    assert "fps:2" == added[0].new.provenance.sampling
    records = [archive.store.source(f"new{number}.mp4") for number in range(2)]
    for rejudging in (running.packs.old, running.packs.new):
        first, second = (rejudging.rules_of(each) for each in records if each is not None)
        assert first is second


def test_no_credentials_in_the_report(archive: Archive, run: Run, tmp_path: Path) -> None:
    """Of a store at a URI, user, password and query stand neither as its name nor in damages."""
    run()
    running = prepare_backtest(
        BacktestSettings(old=str(tmp_path / "old.toml"), new=str(tmp_path / "new.toml")),
        ScanSettings(store=str(tmp_path / "store")),
    )
    for _ in running.steps():
        pass
    root = "https://me:hush@store.test/frames?sig=hush"
    named = [
        DamagedTrack(each.message.replace(str(archive.store.root), root))
        for each in running.packs.old.damaged if isinstance(each, DamagedTrack)
    ]  # fmt: skip
    assert any(root in each.message for each in named)
    old = replace(running.packs.old, store=FrameStore(root), damaged=list(named))
    new = replace(running.packs.new, store=FrameStore(root), damaged=[])
    report = replace(running, packs=TwoPacks(old, new)).report()
    assert "https://store.test/frames" == report.store
    assert b"hush" not in orjson.dumps(report.as_dict())
    assert any(sha256_of("damaged.mp4") in each for each in report.sources.damages)


def test_what_was_not_measured_is_said(archive: Archive, run: Run) -> None:
    """A video without the signal that a pack needs is counted, and there is a note."""
    archive.add("hashes-only.mp4", signal="pdq")
    report = run()
    assert {"embedding": 1} == dict(report.new.without_signal)
    assert any("signal_not_stored" in note for note in report.notes)
    assert 9 == report.sources.compared


def test_labels(archive: Archive, run: Run, tmp_path: Path) -> None:
    """Errors under both packs by policy and in total; what matched nothing is counted."""
    file = tmp_path / "labels.csv"
    file.write_text(
        "uri,sha256,policy,label\n"
        f",{sha256_of('gained.mp4')},tobacco,violating\n"
        f"again.mp4,{sha256_of('gained.mp4')},tobacco,violating\n"
        "lost.mp4,,beer,violating\nsame0.mp4,,knives,benign\nclear.mp4,,knives,benign\n"
        "absent.mp4,,knives,benign\nunreadable.mp4,,knives,violating\nclear.mp4,,rumours,benign\n",
        "utf-8",
    )
    labels = run(labels=file).labels
    assert labels is not None
    told = (labels.used, labels.unmatched, labels.unjudged, labels.overruled, labels.replaced)
    assert (7, (5, 1, 1, 0, 1)) == (labels.labels, told)
    assert ("rumours",) == labels.in_neither_pack
    total, *each = labels.policies
    assert (None, 2, 2, 0, 0) == (
        total.policy, total.violating, total.benign,
        total.false_positives_change, total.false_negatives_change,
    )  # fmt: skip
    changes = {p.policy: (p.false_positives_change, p.false_negatives_change) for p in each}
    assert {"tobacco": (0, -1), "beer": (0, 1), "knives": (0, 0), "rumours": (0, 0)} == changes
    assert total.old.recall.value is None and "too few" in (total.old.recall.withheld or "")


def test_rulings_on_verdicts(archive: Archive, run: Run, tmp_path: Path) -> None:
    """A decision names the verdict of the scan that it is on; the figures say what they lack."""
    run()
    old = ScanSettings(store=str(tmp_path / "store"), policy=str(tmp_path / "old.toml"))
    ids = {each.source.uri: each.id for each in rescan(old)}
    file = tmp_path / "decisions.jsonl"
    file.write_bytes(
        b"".join(
            orjson.dumps({"verdict": ids[uri], "policy": policy, "ruling": ruling}) + b"\n"
            for uri, policy, ruling in (
                ("lost.mp4", "beer", "uphold"), ("same1.mp4", "knives", "overturn"),
                ("same2.mp4", "knives", "escalate"),
            )
        )
    )  # fmt: skip
    labels = run(labels=file).labels
    assert labels is not None
    assert (2, 2, 1) == (labels.labels, labels.used, labels.undecided)
    assert (1, 1) == (labels.policies[0].violating, labels.policies[0].benign)
    assert "its recall is 1 by choice" in labels.notes[0]


def test_rulings_under_another_configuration(archive: Archive, run: Run, tmp_path: Path) -> None:
    """A decision whose verdict neither pack gives still says what it says of the video; where no
    name of it fits, that is told without saying more than is known."""
    third = pack(tmp_path / "third.toml", ("beer", "a beer", "review = 0.1"))
    verdicts = rescan(ScanSettings(store=str(tmp_path / "store"), policy=third))
    sources = {each.source.uri: each for each in verdicts}
    rows = [
        {"verdict": sources["lost.mp4"].id, "uri": "lost.mp4", "policy": "beer"},
        {"verdict": sources["raised.mp4"].id, "sha256": sha256_of("raised.mp4"),
         "uri": "moved.mp4", "policy": "tobacco"},
        {"verdict": sources["same0.mp4"].id, "policy": "knives"},
    ]  # fmt: skip
    file = tmp_path / "decisions.jsonl"
    file.write_bytes(b"".join(orjson.dumps(row | {"ruling": "uphold"}) + b"\n" for row in rows))
    report = run(labels=file)
    labels = report.labels
    assert labels is not None
    assert (3, 2, 1) == (labels.labels, labels.used, labels.unmatched)
    assert {"beer", "tobacco", None} == {each.policy for each in labels.policies}
    assert "1 that match no video in the store" in next(label_remarks(report))


def test_the_report_is_what_its_schema_says(archive: Archive, run: Run, tmp_path: Path) -> None:
    """Every object has the fields of the JSON Schema and no others, also as JSON."""
    file = tmp_path / "labels.csv"
    file.write_text("uri,policy,label\nlost.mp4,beer,violating\n", "utf-8")
    schema = orjson.loads(backtest_json_schema())
    Draft202012Validator.check_schema(schema)
    report = orjson.loads(orjson.dumps(run(labels=file, sample=2).as_dict()))
    assert [] == [error.message for error in Draft202012Validator(schema).iter_errors(report)]
    assert "vscan.backtest/1" == report["schema"]
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values())
    assert "minutes per review" in schema["$defs"]["Workload"]["properties"]["hours"]["description"]


def test_tracks_are_read_once(archive: Archive, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sound source's track is read once for both packs, and for the cause of its flip."""
    reads: list[str] = []
    whole = FrameStore.read

    def counted(self: FrameStore, sha256: str, signal: str, key: str) -> object:
        reads.append(sha256)
        return whole(self, sha256, signal, key)

    monkeypatch.setattr(FrameStore, "read", counted)
    run()
    assert 2 == reads.count(sha256_of("gained.mp4"))  # under two names
    assert 1 == reads.count(sha256_of("raised.mp4"))


def test_a_limit_on_what_is_listed(archive: Archive, run: Run) -> None:
    """What is not listed is counted."""
    report = run(listed=1)
    assert (4, 1, 1) == (report.flips.total, report.flips.listed, len(report.listed_flips))


def test_the_same_pack_twice(archive: Archive, run: Run) -> None:
    """Nothing flips, and the report says that nothing could."""
    report = run(new=OLD)
    assert 0 == report.flips.total
    assert any("both packs say the same" in note for note in report.notes)


@pytest.mark.parametrize("setting", [{"minutes_per_review": float("nan")}, {"sample": -1}])
def test_settings_that_cannot_be(setting: dict[str, float]) -> None:
    """Refused with a message."""
    with pytest.raises(UsageError):
        BacktestSettings(old="demo", new="demo", **setting)  # type: ignore[arg-type]
