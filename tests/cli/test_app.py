"""The program as a whole: help, version, completion, and errors that cannot steer a terminal."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import typer
from tests.conftest import Library, Vscan

from vscan import __version__
from vscan.cli.app import app, main


def test_version(vscan: Vscan) -> None:
    """--version says what a record's provenance says."""
    ran = vscan("--version")
    assert (0, f"vscan {__version__}\n".encode()) == (ran.code, ran.out)


def commands() -> list[tuple[str, ...]]:
    """Every command as it is typed."""

    def below(command: object, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        found = [names]
        for name, each in getattr(command, "commands", {}).items():
            found += below(each, (*names, name))
        return found

    return below(typer.main.get_command(app), ())


@pytest.mark.parametrize("names", commands(), ids=lambda names: " ".join(names) or "vscan")
def test_help_teaches(vscan: Vscan, names: tuple[str, ...]) -> None:
    """Every command has help that says what it does and what each option means; -h works too."""
    ran = vscan(*names, "--help")
    assert (0, "") == (ran.code, ran.err)
    assert f"Usage: vscan {' '.join(names)}".strip() in ran.out.decode()
    assert len(ran.out.decode().split()) > 25
    assert ran.out == vscan(*names, "-h").out
    command = typer.main.get_command(app)
    for name in names:
        command = command.commands[name]  # type: ignore[attr-defined]  # a group, as `commands` saw
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{names}: {parameter.name} has no help"


@pytest.mark.parametrize(
    "command",
    [
        ("index", "create", "s3://bucket/new", "--no-embedding"),
        ("index", "add", "s3://bucket/known", "clips", "--under", "a.b"),
        ("review", "serve", "d.db", "s3://bucket/run/", "--reviewer", "ana"),
        ("report", "verdicts.jsonl", "-o", "gs://bucket/page.html"),
        ("scan", "clips", "-o", "out.jsonl", "--metrics-file", "az://bucket/vscan.prom"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_uri_where_a_path_is_wanted(
    vscan: Vscan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """It is refused as it was typed, and no local folder of that name is made."""
    monkeypatch.chdir(tmp_path)
    ran = vscan(*command)
    (uri,) = [each for each in command if "://" in each]
    assert 2 == ran.code
    assert f"{uri.rstrip('/')}: a path of this machine is wanted here" in ran.err
    assert [] == list(tmp_path.iterdir())


def test_no_arguments(vscan: Vscan) -> None:
    """`vscan` alone shows what there is."""
    ran = vscan()
    assert "scan" in ran.out.decode() + ran.err
    assert "Traceback" not in ran.err


def test_completion(vscan: Vscan, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's completion knows the commands."""
    monkeypatch.setenv("_VSCAN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "vscan po")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert ["policy"] == vscan().out.decode().split()


@pytest.mark.parametrize("arguments", [("scna",), ("scan", "--polcy", "x"), ("show",)])
def test_a_slip_of_the_fingers(vscan: Vscan, arguments: tuple[str, ...]) -> None:
    """A wrong command or option, or a missing argument, ends with 2 and says how to get help."""
    ran = vscan(*arguments)
    assert (2, b"") == (ran.code, ran.out)
    assert "for help" in ran.err
    assert "Traceback" not in ran.err


def test_errors_cannot_steer_the_terminal(vscan: Vscan, library: Library) -> None:
    """Names in a message are escaped; message and remedy stay apart."""
    ran = vscan("scan", library.good, "--policy", "evil\x1b[2J\u202e.toml")
    assert 2 == ran.code
    assert "\x1b" not in ran.err
    assert "\u202e" not in ran.err
    assert "evil\\x1b[2J\\u202e.toml" in ran.err
    assert all(line.isprintable() for line in ran.err.splitlines())


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt, 130)])
def test_control_c_anywhere(
    vscan: Vscan, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException], code: int
) -> None:
    """An interrupt within any command is a message and the shell's code, not a traceback."""

    def interrupted(path: Path) -> object:
        raise raised

    monkeypatch.setattr("vscan.store.browse.load_records", interrupted)
    ran = vscan("show", "v.jsonl")
    assert code == ran.code
    assert ["vscan: interrupted; what was done is kept, the same command goes on from there"] == (
        ran.err.splitlines()
    )


def test_main_hears_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM ends a run as Ctrl-C does, with 143."""
    monkeypatch.setattr("sys.argv", ["vscan", "show", "v.jsonl"])
    before = signal.getsignal(signal.SIGTERM)

    def terminated(path: Path) -> object:
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("nobody heard it")

    monkeypatch.setattr("vscan.store.browse.load_records", terminated)
    try:
        with pytest.raises(SystemExit) as left:
            main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert 143 == left.value.code
