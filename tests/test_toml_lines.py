"""Every key and list item of a TOML text is found on the line where it stands."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from vscan.toml_lines import KeyPath, TomlLines

TEXT = '''\
# a comment with [brackets] and "quotes"
schema = "s" # and one behind = a value
"quoted key" = 'single # not a comment'
many = [
  "first", # [
  "second",

  ["nested", {deep = 1}],
]
long = """
[not.a.table]
key = "not a key" \\""" still text"""
literal = \'\'\'
[[nor.this]]\'\'\'
a.b . c = nan

[[policy]]
id = "one"
[policy.thresholds]
review = 0.5

[[policy]]
id = "two"
thresholds = { review = 0.5, escalate = inf }
when = 1979-05-27T07:32:00Z
  [[policy.parts]]
  name = "x"
  [[policy.parts]]
  name = "y"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("schema",), 2),
        (("quoted key",), 3),
        (("many",), 4),
        (("many", 0), 5),
        (("many", 1), 6),
        (("many", 2), 8),
        (("many", 2, 1, "deep"), 8),
        (("long",), 10),
        (("literal",), 13),
        (("a", "b", "c"), 15),
        (("policy",), 17),
        (("policy", 0, "id"), 18),
        (("policy", 0, "thresholds"), 19),
        (("policy", 0, "thresholds", "review"), 20),
        (("policy", 1), 22),
        (("policy", 1, "id"), 23),
        (("policy", 1, "thresholds", "escalate"), 24),
        (("policy", 1, "when"), 25),
        (("policy", 1, "parts", 1, "name"), 29),
    ],
)
def test_finds_the_line(path: KeyPath, line: int) -> None:
    """Keys, items of lists, inline tables and lists of tables each have their own line."""
    assert tomllib.loads(TEXT)
    assert line == TomlLines(TEXT).line(path)


def test_falls_back_to_what_is_around() -> None:
    """A key that is missing has the line of its table; at the top, line 1."""
    lines = TomlLines(TEXT)
    assert 22 == lines.line(("policy", 1, "title"))
    assert 19 == lines.line(("policy", 0, "thresholds", "remove"))
    assert 1 == lines.line(("name",))


def test_windows_line_ends() -> None:
    """Lines that end in CR LF count once."""
    assert 2 == TomlLines('a = 1\r\nb = """\r\nx"""\r\n').line(("b",))


_SCALARS = st.one_of(
    st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), st.text(max_size=8), st.dates()
)
_KEYS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=5)
_TABLES = st.recursive(
    st.dictionaries(_KEYS, _SCALARS, max_size=4),
    lambda inner: st.dictionaries(
        _KEYS, inner | st.lists(inner, max_size=3) | st.lists(_SCALARS, max_size=3), max_size=4
    ),
    max_leaves=12,
)


def paths(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    """Every key path of a TOML value, items of lists included."""
    if isinstance(value, dict):
        return [p for key, one in value.items() for p in [(*path, key), *paths(one, (*path, key))]]
    if isinstance(value, list):
        return [p for i, one in enumerate(value) for p in [(*path, i), *paths(one, (*path, i))]]
    return []


@settings(max_examples=150, deadline=None)
@given(_TABLES)
def test_reads_whatever_tomllib_reads(document: dict[str, Any]) -> None:
    """Any TOML text is walked to its end, every path of it known, on a line that it has."""
    text = tomlkit.dumps(document)
    lines = TomlLines(text)
    count = text.count("\n") + 1
    assert all(1 <= lines.line(path) <= count for path in paths(tomllib.loads(text)))
    assert set(paths(tomllib.loads(text))) <= set(lines._lines)
