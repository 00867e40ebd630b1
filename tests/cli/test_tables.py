"""What commands print cannot steer a terminal, and nothing of it is lost in a pipe."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vscan.cli.tables import print_json_lines, print_line, print_table, safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("naïve 漢字 🏳️‍🌈", "naïve 漢字 🏳️‍🌈"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("a\x9bb", "a\\x9bb"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("bad\udcff.mp4", "bad\\udcff.mp4"),
        ("no\u00a0break", "no\u00a0break"),
        ("line\u2028end", "line\\u2028end"),
    ],
)
def test_safe(text: str, shown: str) -> None:
    """Controls, marks of direction and broken bytes are written out; scripts and emoji stay."""
    assert shown == safe(text)


@given(st.text())
def test_safe_never_steers(text: str) -> None:
    """Whatever the text, what is printed is one line without controls."""
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in safe(text))


def test_pipe_gets_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe every row is one line, aligned, however long; markup in data is only text."""
    print_table(
        ("name", "note"), [("a", "[red]x[/red]"), ("b" * 300, "evil\x1b[2J")], title="files"
    )
    assert [
        "files",
        f"{'name':300}  note",
        f"{'a':300}  [red]x[/red]",
        f"{'b' * 300}  evil\\x1b[2J",
    ] == capsys.readouterr().out.splitlines()


class Terminal(io.TextIOWrapper):
    """A stdout that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, *, encoding: str = "utf-8") -> io.BytesIO:
    """Puts a terminal of 40 columns in stdout's place; returns what it is sent."""
    sent = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(sent, encoding=encoding))
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    return sent


def test_terminal_folds_and_cuts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a table keeps to its width, and long cells go on below."""
    sent = on_terminal(monkeypatch)
    print_table(("name", "note"), [("n", "x" * 100)])
    lines = sent.getvalue().decode().splitlines()
    plain = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in lines]
    assert max(len(line) for line in plain) <= 40
    assert 100 == sum(line.count("x") for line in lines)


def test_terminal_without_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a terminal's encoding lacks is written out instead of ending the program."""
    sent = on_terminal(monkeypatch, encoding="ascii")
    print_table(("name",), [("漢",)])
    print_line("ü")
    assert "\\u6f22" in sent.getvalue().decode("ascii")
    assert "\\xfc" in sent.getvalue().decode("ascii")


def test_row_of_another_length() -> None:
    """A row that does not fit its columns is a mistake in the program, and says so."""
    with pytest.raises(ValueError, match="a row of 1 cells under 2 columns"):
        print_table(("a", "b"), [("x",)])


@dataclass(frozen=True)
class Item:
    """Something to print."""

    name: str


@pytest.mark.parametrize(
    "value",
    ["plain", "esc \x1b", "\x9b", "\u202e", "\U000e0041", "bad \udcff", "漢字 🙂", 'quote " \\'],
)
def test_json_lines(capsysbinary: pytest.CaptureFixture[bytes], value: str) -> None:
    """One object a line, safe to look at, and the same value when it is read again."""
    print_json_lines([{"name": value}, Item(value)])
    first, second = capsysbinary.readouterr().out.decode().splitlines()
    assert {"name": value} == json.loads(first) == json.loads(second)
    assert first == safe(first)
