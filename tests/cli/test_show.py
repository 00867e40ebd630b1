"""`vscan show`: the table, its filters, and the same as JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Library, Vscan

from vscan.cli.show import clock


@pytest.fixture
def verdicts(vscan: Vscan, library: Library, tmp_path: Path) -> Path:
    """A violation, a clear video and an error."""
    vscan("scan", library.clips, *library.rules, "-o", tmp_path / "v.jsonl")
    return tmp_path / "v.jsonl"


def test_the_table(vscan: Vscan, library: Library, verdicts: Path) -> None:
    """The gravest first, with when and why; the error with its reason; how many on stderr."""
    ran = vscan("show", verdicts)
    assert 0 == ran.code
    head, copy, broken, plain = ran.out.decode().splitlines()
    assert ["source", "outcome", "action", "policy", "score", "when", "why"] == head.split()
    assert str(library.clips / "deep" / "copy.mp4") in copy
    for told in ("violation", "remove", "hoax.known_clip", "s–5", "pdq match with ex_"):
        assert told in copy
    assert "error" in broken
    assert ": " in broken.split("review")[1]
    assert ["clear", "allow"] == plain.split()[1:]
    assert ["3 of 3 videos"] == ran.err.splitlines()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--outcome", "clear"), ["plain"]),
        (("--outcome", "error", "--outcome", "violation"), ["copy", "broken"]),
        (("--policy", "hoax"), ["copy"]),
        (("--policy", "weapons"), []),
        (("--action", "review"), ["copy", "broken"]),
        (("--action", "remove"), ["copy"]),
        (("--min-score", "0.5"), ["copy"]),
    ],
)
def test_filters(
    vscan: Vscan, verdicts: Path, options: tuple[str, ...], expected: list[str]
) -> None:
    """Each filter chooses, in the table as in the records."""
    records = vscan("show", verdicts, *options, "--json").records
    assert expected == [Path(each["source"]["uri"]).stem for each in records]
    ran = vscan("show", verdicts, *options)
    assert f"{len(expected)} of 3 videos" == ran.err.splitlines()[0]
    # A policy that nothing was found under may be misspelt: those that there are, are named.
    assert ("policies that fired in this file: hoax.known_clip" in ran.err) == (not expected)
    assert len(expected) == len(ran.out.splitlines()) - 1


def test_json_is_the_records(vscan: Vscan, verdicts: Path) -> None:
    """--json prints whole records, and stderr stays silent."""
    ran = vscan("show", verdicts, "--json")
    assert "" == ran.err
    assert sorted(verdicts.read_bytes().splitlines()) == sorted(ran.out.splitlines())


def test_from_a_pipe(vscan: Vscan, verdicts: Path) -> None:
    """`-` reads the records from stdin."""
    ran = vscan("show", "-", "--json", stdin=verdicts.read_bytes())
    assert 3 == len(ran.records)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("gone.jsonl",), "gone.jsonl: cannot be read"),
        (("v.jsonl", "--outcome", "bad"), "'bad' is no outcome"),
        (("v.jsonl", "--action", "delete"), "delete"),
    ],
)
def test_errors(
    vscan: Vscan,
    verdicts: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    """What cannot be shown is told, with 2."""
    monkeypatch.chdir(verdicts.parent)
    ran = vscan("show", *arguments)
    assert (2, b"") == (ran.code, ran.out)
    assert ran.err.startswith("vscan: error: ")
    assert told in ran.err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0s"), (7.5, "7.5s"), (59.94, "59.9s"), (60, "1:00.0"), (123.5, "2:03.5"),
     (3599.94, "59:59.9"), (3723, "1:02:03"), (59.96, "1:00.0"), (3599.97, "1:00:00")],
)  # fmt: skip
def test_clock(seconds: float, text: str) -> None:
    """Seconds as people read them, never `60.0s` or `60:00.0`."""
    assert text == clock(seconds)
