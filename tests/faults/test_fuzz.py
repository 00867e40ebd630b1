"""The fuzz harness: every target holds for some cases, and what does not hold is found and told."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from fuzz import running
from fuzz.__main__ import main
from fuzz.mutators import BYTES, mutated, mutated_json
from fuzz.running import rng_of, run
from fuzz.target import Case
from fuzz.targets import TARGETS

from vscan.policies.pack import parse_pack

SOME = {"containers": 12, "indexes": 12, "interchange": 15}
"""Cases of a target that takes its time; of others 40."""


@pytest.mark.parametrize("name", TARGETS)
def test_some_cases_hold(tmp_path: Path, name: str) -> None:
    """None of the first cases of a seed ends in a traceback, a hang or a wrong answer."""
    outcome = run(TARGETS[name](), seed=2, found=tmp_path, most=SOME.get(name, 40))
    assert [] == [failure.said for failure in outcome.failures]
    assert outcome.cases == SOME.get(name, 40)


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_many_cases_hold(tmp_path: Path, name: str) -> None:
    """The same for two minutes each."""
    outcome = run(TARGETS[name](), seed=3, found=tmp_path, seconds=120)
    assert [] == [failure.said for failure in outcome.failures]
    assert outcome.cases > 100


@pytest.mark.parametrize("name", ["packs", "verdict-lines", "input-lists", "reader-talk"])
def test_a_case_comes_back_with_its_seed(tmp_path: Path, name: str) -> None:
    """Seed, target and number decide a case; another seed or number gives another one."""

    def cases(seed: int) -> list[Case]:
        target = TARGETS[name]()
        (folder := tmp_path / f"{seed}-{len(list(tmp_path.iterdir()))}").mkdir()
        target.prepare(folder)
        return [target.case(rng_of(seed, name, number)) for number in range(8)]

    first = cases(1)
    assert first == cases(1)
    assert first != cases(2)
    assert len({repr(case) for case in first}) > 4


def test_a_traceback_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exception that is none of vscan's fails the run, which says how to have it again and
    keeps the case's files."""

    def parse(content: bytes, *, file: str) -> object:
        if b"neutral" not in content:
            raise KeyError("neutral")
        return parse_pack(content, file=file)

    monkeypatch.setattr("fuzz.targets.packs.parse_pack", parse)
    command = ["packs", "--seed", "5", "--cases", "60", "--seconds", "60", "--found", str(tmp_path)]
    assert 1 == main(command)
    told = capsys.readouterr().out
    assert "KeyError: 'neutral'" in told
    kept = sorted(tmp_path.rglob("pack.toml"))
    assert kept
    assert not any(b"neutral" in path.read_bytes() for path in kept)
    number = kept[0].parent.name.rpartition("-")[2]
    assert f"python -m fuzz packs --seed 5 --case {number}" in told
    assert 1 == main([*command[:3], "--case", number, "--found", str(tmp_path / "again")])
    (again,) = (tmp_path / "again").rglob("pack.toml")
    assert kept[0].read_bytes() == again.read_bytes()
    monkeypatch.undo()
    assert 0 == main([*command[:3], "--case", number, "--found", str(tmp_path / "mended")])


def test_a_wrong_answer_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that no longer looks at its digests gives damaged values, and that is noticed."""
    monkeypatch.setattr("vscan.store.track_files._payload", lambda *_: "0" * 64)
    outcome = run(TARGETS["frame-stores"](), seed=1, found=tmp_path, most=120)
    assert outcome.failures
    assert any("another value" in failure.said for failure in outcome.failures)


def test_a_hang_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that does not end is broken off, also where every exception is swallowed."""
    monkeypatch.setattr(running, "HANG_S", 0.2)

    def parse(content: bytes, *, file: str) -> object:
        while True:
            with contextlib.suppress(Exception):  # as a library might
                bytes(len(file))

    monkeypatch.setattr("fuzz.targets.packs.parse_pack", parse)
    outcome = run(TARGETS["packs"](), seed=1, found=tmp_path, most=1)
    assert ["Hang" in failure.said for failure in outcome.failures] == [True]


def test_an_unknown_target(capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, with those that there are."""
    with pytest.raises(SystemExit) as left:
        main(["contaners"])
    assert left.value.code == 2
    assert "containers" in capsys.readouterr().err


@pytest.mark.parametrize("mutator", BYTES, ids=lambda each: each.__name__)
def test_mutators(mutator: object) -> None:
    """Each changes what it is given, sooner or later, and takes any bytes, none too."""
    assert callable(mutator)
    rng = np.random.default_rng(1)
    data = bytes(range(200)) + b"\nline\nline two\n"
    assert any(mutator(rng, data) != data for _ in range(20))
    for nothing in (b"", b"\n"):
        assert all(isinstance(mutator(rng, nothing), bytes) for _ in range(20))


def test_json_is_changed_in_kind_and_size() -> None:
    """A document comes back with a part missing, renamed, of another kind, or in excess."""
    rng = np.random.default_rng(1)
    document = {"a": [1, 2.5, {"b": "text"}], "c": None}
    made = [mutated_json(rng, document) for _ in range(300)]
    assert len({repr(each) for each in made}) > 100
    assert any("c" not in each for each in made if isinstance(each, dict))
    assert any(not isinstance(each, dict) for each in made)
    assert document == {"a": [1, 2.5, {"b": "text"}], "c": None}
    assert mutated(rng, b"abc" * 50) != b"abc" * 50
