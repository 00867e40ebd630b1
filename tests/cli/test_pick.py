"""`vscan pick` as a person uses it, and its lines as labels of a calibration."""

from __future__ import annotations

from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # has no types
import orjson
import pytest
from tests.conftest import Vscan
from tests.decisions.made import SHA, decision, verdict
from tests.metrics.calibrated import World

from vscan.decisions.log import DecisionLog

SCHEMA = orjson.loads((Path(__file__).parents[2] / "docs" / "pick-schema.json").read_bytes())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world; tests leave it as it is."""
    return World.at(tmp_path_factory.mktemp("picked"))


def asked(world: World, *more: str) -> list[str]:
    """The command on the world's store."""
    return [
        "pick", "--store", str(world.folder / "store"), "--policy", str(world.folder / "p.toml"),
        "--on", "tobacco", *more,
    ]  # fmt: skip


def test_picks_are_labels_once_they_are_labelled(
    vscan: Vscan, world: World, tmp_path: Path
) -> None:
    """Lines as the schema says, the same in the file and on stdout; with `label` added they are
    what calibrates, with their weights."""
    file = tmp_path / "picks.jsonl"
    ran = vscan(*asked(world, "-n", "100", "-o", str(file), "--json"))
    assert 0 == ran.code, ran.err
    for line in ran.records:
        jsonschema.validate(line, SCHEMA)
    assert ran.records == [orjson.loads(line) for line in file.read_bytes().splitlines()]
    assert "picks: 100, strategy stratified, seed 0" in ran.err
    truth = {row.split(",")[0]: row.split(",")[2] for row in world.rows}
    labelled = b"".join(
        orjson.dumps(line | {"label": truth[line["uri"]]}) + b"\n" for line in ran.records
    )
    (world.folder / "drawn.jsonl").write_bytes(labelled)
    (report,) = vscan(
        *world.asked("--target-precision", "0.6", "--json", labels="drawn.jsonl")
    ).records
    assert (100, True) == (report["labels"]["used"], report["labels"]["weighted"])
    again = vscan(*asked(world, "-n", "100", "-o", str(file)))
    assert (2, b"") == (again.code, again.out) and "exists already" in again.err


def test_purposive_picks_are_no_basis_of_rates(vscan: Vscan, world: World, tmp_path: Path) -> None:
    """They have no weight, and a calibration leaves them out; what is labelled is not picked
    again."""
    done = world.write_labels("done.csv", world.rows[:100])
    ran = vscan(
        *asked(world, "-n", "10", "--strategy", "uncertain", "--json"), "--labels",
        str(world.folder / done),
    )  # fmt: skip
    assert 10 == len(ran.records) and {None} == {line["weight"] for line in ran.records}
    assert {line["uri"] for line in ran.records}.isdisjoint(
        row.split(",")[0] for row in world.rows[:100]
    )
    assert "100 that are answered already" in ran.err and "no rate may be estimated" in ran.err
    lines = (orjson.dumps(line | {"label": "benign"}) + b"\n" for line in ran.records)
    (world.folder / "picked.jsonl").write_bytes(b"".join(lines))
    refused = vscan(*world.asked("--target-recall", "0.8", labels="picked.jsonl"))
    assert 2 == refused.code and "10 were picked for what they show" in refused.err


def test_another_pack_disagrees(vscan: Vscan, world: World, tmp_path: Path) -> None:
    """What only one of two packs flags."""
    other = tmp_path / "other.toml"
    text = (world.folder / "p.toml").read_text("utf-8")
    other.write_text(text.replace("review = 0.55", "review = 0.9"), "utf-8")
    ran = vscan(
        *asked(world, "-n", "5", "--strategy", "disagreement", "--against-policy", str(other))
    )
    assert 0 == ran.code, ran.err
    assert 5 == ran.out.decode().count("this pack flags it, the other pack does not")


def test_verdict_files(vscan: Vscan, tmp_path: Path) -> None:
    """Without scores strata are what is flagged and the rest; the later file's line counts; what
    reviewers disagree on comes from the log; all else needs a store, and is refused."""
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    lines = [verdict(f"{n}.mp4", *(["weapons"] if n < 6 else [])).to_line() for n in range(20)]
    lines = [line.replace(SHA.encode(), f"{n:064}".encode()) for n, line in enumerate(lines)]
    first.write_bytes(b"".join(lines))
    second.write_bytes(verdict("19.mp4", "weapons").to_line())
    ran = vscan("pick", first, second, "-n", "8", "--json")
    assert {("weapons/flagged", 7), ("weapons/rest", 13)} == {
        (line["stratum"], line["population"]) for line in ran.records
    }
    assert "verdicts tell no near-misses" in ran.err
    with DecisionLog(tmp_path / "d.db", create=True) as log:
        log.append(decision("d_1", verdict="v_1", uri="1.mp4", sha256=f"{1:064}"))
        log.append(
            decision("d_2", kind="second", about="d_1", verdict="v_1", uri="1.mp4", reviewer="bo",
                     ruling="overturn", reason="false_positive", sha256=f"{1:064}")
        )  # fmt: skip
    ask = ("pick", first, "-n", "3", "--strategy", "disagreement", "--json", "--on", "weapons")
    ran = vscan(*ask, "--log", tmp_path / "d.db")
    assert ["1.mp4"] == [line["uri"] for line in ran.records]
    assert "ana says uphold, bo overturn" == ran.records[0]["reason"]
    for wrong, words in (
        (ask, "needs more than verdicts say"),
        (("pick",), "pick from what?"),
        (("pick", first, "--store", "x"), "pick from what?"),
        (("pick", "--store", "x"), "needs --policy"),
        (("pick", first, "-n", "0"), "must be 1 or more"),
        (("pick", first, "-n", "2"), "too few for 2 strata"),
        (("pick", first, "--by-market", "--strategy", "growing"), "is for --strategy stratified"),
        (("pick", tmp_path / "none.jsonl"), "cannot be read"),
    ):
        ran = vscan(*wrong)
        assert (2, b"") == (ran.code, ran.out) and words in ran.err, ran.err
