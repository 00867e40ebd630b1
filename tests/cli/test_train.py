"""`vscan train` as a person uses it."""

from __future__ import annotations

import hashlib
import re
import shlex
import stat
from pathlib import Path

import orjson
import pytest
from tests.conftest import Vscan
from tests.metrics.trained import Made, many, trainee_log, written


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """A log and its verdict file."""
    return written(tmp_path / "in", many(40))


@pytest.fixture
def pack(vscan: Vscan, made: tuple[Path, Path], tmp_path: Path) -> Path:
    """A pack of 20 cases."""
    folder = tmp_path / "pack"
    ran = vscan("train", "build", *made, "-o", folder, "-n", "20")
    assert 0 == ran.code, ran.err
    return folder


def said(pack: Path, wrong: int = 0) -> list[tuple[str, str, str]]:
    """The answers of a pack as a trainee's, the first ones escalated."""
    rows = [orjson.loads(line) for line in (pack / "answers.jsonl").read_bytes().splitlines()]
    return [
        (row["verdict"], row["policy"], "e" if row["number"] <= wrong else row["ruling"][0])
        for row in rows
    ]


def test_build(vscan: Vscan, made: tuple[Path, Path], tmp_path: Path) -> None:
    """Five files; the trainer's are the owner's alone, whatever was there; the manifest's digest
    is told; again only with --force, and then the same."""
    folder = tmp_path / "pack"
    command = ("train", "build", *made, "-o", folder, "-n", "20", "--on", "weapons", "--on", "hate")
    ran = vscan(*command)
    assert 0 == ran.code, ran.err
    files = {each.name: each.read_bytes() for each in folder.iterdir()}
    assert {
        "cases.jsonl", "picks.jsonl", "answers.jsonl", "manifest.json", "README.txt"
    } == set(files)  # fmt: skip
    assert hashlib.sha256(files["manifest.json"]).hexdigest() in ran.err
    told = ran.out.decode()
    assert all(
        each in told for each in ("answer benign", "flagged footage", "under another policy")
    )
    manifest = orjson.loads(files["manifest.json"])
    assert {"weapons", "hate.symbols"} == set(manifest["policies"])
    assert f"{manifest['exposure'][0]['footage_s']:g} seconds" in files["README.txt"].decode()
    again = vscan(*command)
    assert (2, b"") == (again.code, again.out) and "exists already" in again.err
    (folder / "answers.jsonl").chmod(0o644)
    ran = vscan(*command, "--force", "--json")
    assert (0, [manifest]) == (ran.code, ran.records)
    assert files == {each.name: each.read_bytes() for each in folder.iterdir()}
    for name in files:
        mode = stat.S_IMODE((folder / name).stat().st_mode)
        assert (name, mode & 0o077 == 0) == (name, name in ("answers.jsonl", "manifest.json"))


def test_picks_are_picks(pack: Path) -> None:
    """Each pick has the fields of `vscan.pick/1` and names the case in the same place."""
    cases, picks = (
        [orjson.loads(line) for line in (pack / name).read_bytes().splitlines()]
        for name in ("cases.jsonl", "picks.jsonl")
    )
    assert {
        "schema", "strategy", "seed", "verdict", "uri", "sha256", "policy", "score", "flagged",
        "stratum", "population", "sampled", "weight", "market", "views", "reason",
    } == set(picks[0])  # fmt: skip
    assert [(case["verdict"], case["policy"]) for case in cases] == [
        (pick["verdict"], pick["policy"]) for pick in picks
    ]
    assert list(range(1, 21)) == [case["number"] for case in cases]
    assert {("vscan.pick/1", 20, 40)} == {
        (p["schema"], p["sampled"], p["population"]) for p in picks
    }


def test_score(vscan: Vscan, pack: Path, tmp_path: Path) -> None:
    """Two trainees, as tables, as JSON and as a page without a script."""
    logs = (
        trainee_log(tmp_path / "t.db", "tess", said(pack)),
        trainee_log(tmp_path / "u.db", "<uma>", said(pack, wrong=11)),
    )
    page = tmp_path / "score.html"
    ran = vscan("train", "score", pack, *logs, "--html", page)
    assert 0 == ran.code, ran.err
    table = ran.out.decode()
    assert all(each in table for each in ("passed", "failed", "20 of 20", "answers by policy"))
    assert "pairs of answers" in ran.err
    told = page.read_text("utf-8")
    assert "&lt;uma&gt;" in told and "<script" not in told and "<img" not in told
    assert "exists already" in vscan("train", "score", pack, *logs, "--html", page).err
    (report,) = vscan("train", "score", pack, *logs, "--reviewer", "tess", "--json").records
    assert ("vscan.training_score/1", 0.8, ["tess"]) == (
        report["schema"], report["pass_at"], [each["reviewer"] for each in report["trainees"]]
    )  # fmt: skip
    assert hashlib.sha256((pack / "manifest.json").read_bytes()).hexdigest() == report["pack"]
    assert (1.0, 120.0) == (
        report["trainees"][0]["agreement"]["value"],
        report["trainees"][0]["viewed"]["total_s"],
    )


def test_what_goes_wrong_is_told(vscan: Vscan, made: tuple[Path, Path], tmp_path: Path) -> None:
    """Each mistake ends with 2 and a message, and leaves no folder behind."""
    log, verdicts = made
    folder, other = tmp_path / "pack", tmp_path / "other"
    once, once_verdicts = written(other, [Made(name="a", story="1u")])
    build = ("train", "build", log, verdicts, "-o", folder)
    for told, command in {
        "no such decision log": ("train", "build", tmp_path / "no.db", verdicts, "-o", folder),
        "1 one look only": ("train", "build", once, once_verdicts, "-o", folder),
        "'worst' is no severity": (*build, "--most-severe", "worst"),
        "'--most-seconds'": (*build, "--most-seconds", "nan"),
        "no case of the log can be used": (*build, "--market", "DE"),
        "decisions.db: cannot be written: File exists": (*build[:-1], log),
        "manifest.json: cannot be read": ("train", "score", folder, log),
    }.items():
        ran = vscan(*command)
        assert (2, b"") == (ran.code, ran.out), told
        assert told in ran.err, ran.err
        assert "Traceback" not in ran.err
        assert not folder.exists()


def test_the_documented_example_runs(
    vscan: Vscan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of docs/training-reviewers.md but those that scan ends with 0, on verdicts of
    the same names, and what the page says of the result is so."""
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "training-reviewers.md").read_text("utf-8")
    lines = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
        if line and not line.startswith(("vscan demo", "vscan scan"))
    ]
    assert len(lines) == 12
    shown = [("knife", "weapons"), ("bets", "gambling"), ("party", "alcohol")]
    Path("verdicts.jsonl").write_bytes(
        b"".join(
            Made(name=name, policy=policy, severity="high").verdict().to_line()
            for name, policy in shown
        )
    )
    known: dict[str, str] = {}
    for line in lines:
        name, _, command = line.rpartition("=$(")
        words = shlex.split(command.removesuffix(")"))
        assert "vscan" == words[0], line
        ran = vscan(*(known[word[1:]] if word[0] == "$" else word for word in words[1:]))
        assert 0 == ran.code, (line, ran.err)
        known[name] = ran.out.decode().strip()
        if "train build" in line:
            assert "benign cases that were asked for and could not be had: 1" in ran.err
    assert re.search(r"`(undecided: about .*?)`", page)[1] in ran.out.decode()  # type: ignore[index]


def test_a_trainee_log_that_was_changed(vscan: Vscan, pack: Path, tmp_path: Path) -> None:
    """It is scored, with a note that its chain does not hold; a changed pack is not."""
    import sqlite3
    from contextlib import closing

    log = trainee_log(tmp_path / "t.db", "tess", said(pack))
    with closing(sqlite3.connect(log)) as raw, raw:
        raw.execute("DROP TRIGGER decisions_are_not_changed")
        raw.execute(
            "UPDATE decisions SET decision = replace(decision, 'tess', 'jess') WHERE seq = 2"
        )
    ran = vscan("train", "score", pack, log, "--json")
    assert 0 == ran.code
    assert "its chain does not hold: row 2 was changed" in ran.err
    answers = pack / "answers.jsonl"
    answers.write_bytes(answers.read_bytes().replace(b"uphold", b"overturn"))
    ran = vscan("train", "score", pack, log)
    assert (2, b"") == (ran.code, ran.out) and "answers.jsonl: was changed" in ran.err
