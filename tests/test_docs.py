"""The documents say what the code does: generated pages, commands, codes, examples."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer

from tests.verdict_schema import check
from vscan.cli.app import app
from vscan.errors import ERROR_CODES, WARNING_CODES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def commands() -> Iterator[tuple[str, Any]]:
    """Every command as it is typed, and what it is."""

    def below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        yield name, command
        for word, each in getattr(command, "commands", {}).items():
            yield from below(each, f"{name} {word}")

    yield from below(typer.main.get_command(app), "vscan")


def test_generated_pages_are_up_to_date() -> None:
    """Command reference, codes and schemas are what `make docs` would write now."""
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_every_option_is_documented(name: str, command: Any) -> None:
    """Each command has its section, with every option and argument in words."""
    page = (DOCS / "commands.md").read_text("utf-8")
    section = re.search(rf"^## `{name}`$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section is not None
    for parameter in command.params:
        for spelling in (*parameter.opts, *parameter.secondary_opts):
            if spelling.startswith("-") and parameter.name != "help":
                assert f"`{spelling}`" in section[1]
                (told,) = [line for line in section[1].splitlines() if f"`{spelling}`" in line]
                assert len(told.partition(":")[2]) > 15, f"{name}: {spelling}"


def test_no_page_names_an_option_that_is_not_there() -> None:
    """An option in the text of README and docs is one that some command has."""
    known = {
        spelling
        for _, command in commands()
        for parameter in command.params
        for spelling in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help"}
    for page in (ROOT / "README.md", *DOCS.glob("*.md")):
        for line in page.read_text("utf-8").splitlines():
            if "vscan " in line and "docs.generate" not in line:
                used = re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", line.partition("vscan ")[2])
                assert [] == [each for each in used if each not in known], f"{page.name}: {line}"


def test_codes_are_documented() -> None:
    """Every code that a record can have stands on the page of codes."""
    page = (DOCS / "codes.md").read_text("utf-8")
    for code, meaning in (ERROR_CODES | WARNING_CODES).items():
        assert f"| `{code}` | {meaning} |" in page


def test_the_example_of_a_verdict_is_one() -> None:
    """The record that docs/verdicts.md shows is what the schema says."""
    page = (DOCS / "verdicts.md").read_text("utf-8")
    examples = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert examples
    for example in examples:
        assert [] == check(orjson.loads(example))


def test_the_words_are_one_word_each() -> None:
    """The concepts name every field that a record has at its top."""
    words = "\n".join((DOCS / name).read_text("utf-8") for name in ("concepts.md", "verdicts.md"))
    schema = orjson.loads((DOCS / "verdict-schema.json").read_bytes())
    assert [] == [name for name in schema["properties"] if name not in words]
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values())
    assert schema["additionalProperties"] is False
