"""`vscan calibrate` as a person uses it: what it prints and writes, and how it ends."""

from __future__ import annotations

import html
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # has no types
import orjson
import pytest
from tests.conftest import Vscan
from tests.metrics.calibrated import World
from tests.metrics.stored import MODEL

from vscan.policies import load_pack

DOCS = Path(__file__).parents[2] / "docs"
TARGET = ("--target-precision", "0.9")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world, made once."""
    return World.at(tmp_path_factory.mktemp("calibrated"))


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    """The world with a pack and labels of a test's own."""
    return made.of_its_own(tmp_path)


def test_what_is_printed(vscan: Vscan, world: World) -> None:
    """Threshold, guarantee, rates, workload and reliability; notes on stderr; the pack stays."""
    before = (world.folder / "p.toml").read_bytes()
    ran = vscan(*world.asked(*TARGET, "--videos-per-day", "1000"))
    assert 0 == ran.code, ran.err
    text = ran.out.decode()
    assert "in place of 0.55" in text and "60 of 120 labels" in text and "seed 0" in text
    assert "precision is at least 0.9 with confidence 0.8, by the exact binomial tail" in text
    for row in ("flagged a day", "reviewer hours a day", "Reliability", "assumed and not measured"):
        assert row in text
    assert "remove may be recommended for other videos" in ran.err
    assert before == (world.folder / "p.toml").read_bytes()


def test_json_and_page(vscan: Vscan, world: World) -> None:
    """One object as the schema says; a page that loads nothing, escapes what it is told and draws a
    point for each bin; the page is not replaced without --force."""
    page = world.folder / "c.html"
    odd = world.write_labels("<b>.csv", world.rows)
    ask = world.asked("--target-recall", "0.8", "--json", "--html", str(page), labels=odd)
    (report,) = vscan(*ask).records
    jsonschema.validate(report, orjson.loads((DOCS / "calibration-schema.json").read_bytes()))
    text = page.read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>") and "default-src 'none'" in html.unescape(text)
    assert "<b>" not in text and "&lt;b&gt;.csv" in text
    assert len(report["probabilities"]["reliability"]["bins"]) == text.count("<circle") > 3
    again = vscan(*ask)
    assert (2, b"") == (again.code, again.out) and "exists already" in again.err


def test_it_is_written_into_the_pack(vscan: Vscan, world: World) -> None:
    """--write keeps comments; lint is quiet until threshold or wording change; a rescan by another
    model says that the certificate says nothing; a second certificate needs --force."""
    path = world.folder / "p.toml"
    ask = world.asked(*TARGET, "--write", "--version", "2")
    ran = vscan(*ask)
    assert 0 == ran.code, ran.err
    text = path.read_text("utf-8")
    assert "# a guess" in text and 'version = "2"' in text
    policy = load_pack(str(path)).policy("tobacco")
    assert policy.calibration is not None and policy.calibration.review is not None
    held = policy.calibration.review
    assert (held.threshold, held.model, held.labels) == (policy.thresholds.review, MODEL, 120)
    shown = vscan("policy", "show", path, "tobacco").out.decode()
    assert f"{held.threshold:g}: precision at least 0.9 with confidence 0.8" in shown
    assert "vscan calibrate" not in vscan("policy", "lint", path).out.decode()
    changed = text.replace(f"review = {held.threshold:g}", "review = 0.71")
    path.write_text(changed.replace(MODEL, "other#sha256:" + "6" * 64), "utf-8")
    assert f"review is 0.71, and {held.threshold:g} was certified" in str(
        vscan("policy", "lint", path).out.decode()
    )
    told = vscan("rescan", "--store", world.folder / "store", "--policy", path)
    assert "was certified on other#66666666, not on made#55555555" in told.err
    path.write_text(text, "utf-8")
    refused = vscan(*ask)
    assert 2 == refused.code and "has a certificate for review already" in refused.err
    assert (0, text) == (vscan(*ask, "--force").code, path.read_text("utf-8"))


def test_a_refusal_leaves_nothing_behind(vscan: Vscan, world: World) -> None:
    """Exit code 2, message and remedy on stderr, and neither pack nor page."""
    few = world.write_labels("few.csv", world.rows[-20:])
    new, page = world.folder / "n.toml", world.folder / "c.html"
    ran = vscan(*world.asked(*TARGET, "-o", str(new), "--html", str(page), labels=few))
    assert (2, b"") == (ran.code, ran.out)
    assert "of which every one violates" in ran.err and "vscan pick" in ran.err
    assert not new.exists() and not page.exists()
    assert [] == list(world.folder.glob(".*"))


@pytest.mark.parametrize(
    "wrong",
    [
        (), (*TARGET, "--target-recall", "0.9"), (*TARGET, "--version", "3"),
        (*TARGET, "-o", "x.toml", "--html", "x.toml"), (*TARGET, "-o", "x.toml", "--write"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_options_that_do_not_fit(
    vscan: Vscan, world: World, wrong: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No target or two, a version of nothing, one file for two things: refused with a remedy before
    the work."""
    monkeypatch.chdir(world.folder)
    ran = vscan(*world.asked(*wrong))
    assert (2, b"") == (ran.code, ran.out)
    assert "Traceback" not in ran.err and 2 == len(ran.err.splitlines()), ran.err


def test_a_shipped_pack_is_not_written_to(vscan: Vscan, world: World) -> None:
    """Nor is the pack by -o, without it being asked for."""
    ran = vscan("calibrate", "baseline", *world.asked(*TARGET, "--write")[2:])
    assert 2 == ran.code and "ships with vscan" in ran.err
    ran = vscan(*world.asked(*TARGET, "--force", "-o", str(world.folder / "p.toml")))
    assert 2 == ran.code and "one of the files to read" in ran.err


def test_files_are_written_though_nobody_reads_what_is_printed(
    vscan: Vscan, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`| head` closes the pipe early: pack and page are there all the same."""

    def closed(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("vscan.cli.tables.write_text", closed)
    monkeypatch.setattr("vscan.cli.app.os.dup2", lambda *_: None)
    new, page = world.folder / "n.toml", world.folder / "c.html"
    assert 0 == vscan(*world.asked(*TARGET, "-o", str(new), "--html", str(page))).code
    assert load_pack(str(new)).policy("tobacco").calibration
    assert page.read_text("utf-8").endswith("</html>\n")
