"""What is wrong in a pack's TOML, each problem with its line, its key and how to mend it.

The one border where errors of tomllib and pydantic become ours.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from vscan.errors import PackError, PackProblem
from vscan.policies.checks import pack_contradictions
from vscan.toml_lines import KeyPath, TomlLines

CONTRADICTION = "contradiction"
"""Type of a pydantic error that stands for what checks.py finds."""

KnownKeys = Mapping[tuple[str, ...], Sequence[str]]
"""Keys of each table by its path: {(): …, ("policy",): …, ("policy", "thresholds"): …}."""


@dataclass(frozen=True)
class TomlFile:
    """A TOML file as it was read: its values, and the line of each key."""

    file: str
    values: Mapping[str, Any]
    lines: TomlLines


def parse_toml(content: bytes, *, file: str) -> TomlFile:
    """Reads TOML (UTF-8, with or without a byte order mark). Raises PackError with the line."""

    def problem(line: int, message: str, hint: str = "") -> PackError:
        return PackError((PackProblem(file, line, "", message, hint),))

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise problem(line, "is not UTF-8 text", "save the file as UTF-8") from None
    try:
        return TomlFile(file, tomllib.loads(text), TomlLines(text))
    except tomllib.TOMLDecodeError as error:
        message, line = _syntax_error(str(error), text)
        raise problem(line, message, _syntax_hint(message)) from None
    except RecursionError:
        raise problem(0, "lists or tables are nested too deeply") from None


def pack_problems(
    error: ValidationError, toml: TomlFile, keys: KnownKeys
) -> tuple[PackProblem, ...]:
    """Every problem of a pack in file order: those of single keys and those between keys."""
    found: list[PackProblem] = []
    for one in error.errors(include_url=False):
        path: KeyPath = one["loc"]
        # Of a list whose items are all wrong pydantic says too that it is empty.
        echo = one["type"] == "too_short" and bool(one["input"])
        if one["type"] != CONTRADICTION and not echo:
            message, hint = _explain(one["type"], one["msg"], one["input"], one.get("ctx", {}))
            if one["type"] == "extra_forbidden":
                hint = _key_hint(path, keys)
            found.append(_at(toml, path, message, hint))
    for clash in pack_contradictions(toml.values):
        seen = f"; see line {toml.lines.line(clash.see)}" if clash.see else ""
        found.append(_at(toml, clash.path, clash.message + seen, clash.hint))
    return tuple(sorted(found, key=lambda problem: problem.line))


def where(path: KeyPath) -> str:
    """A key path as people read it: `policy[2].thresholds.review`, list items from 0."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _at(toml: TomlFile, path: KeyPath, message: str, hint: str) -> PackProblem:
    return PackProblem(toml.file, toml.lines.line(path), where(path), message, hint)


def _syntax_error(message: str, text: str) -> tuple[str, int]:
    last = len(text.rstrip("\n").splitlines()) or 1
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    if found is None:
        return message, last
    cause = message[: found.start()]
    if found[1] is None:
        return f"{cause}, at the end of the file", last
    return f"{cause}, in column {found[2]}", int(found[1])


def _syntax_hint(message: str) -> str:
    if "overwrite a value" in message:
        return "the key is set a second time"
    if "Cannot declare" in message or "Cannot mutate" in message:
        return "a table may be opened once; each policy begins with [[policy]], in two brackets"
    if "Invalid value" in message:
        return "text stands in quotes, true and false in lower case"
    return ""


def _key_hint(path: KeyPath, keys: KnownKeys) -> str:
    names = tuple(part for part in path if isinstance(part, str))
    table, key = names[:-1], names[-1]
    for other, known in keys.items():
        if key in known and other != table:
            home = f"[{'.'.join(other)}]" if len(other) > 1 else "[[policy]]"
            above = f"above [{'.'.join(table)}]" if len(table) > len(other) else f"under {home}"
            return f"{key} belongs {above if other else 'at the top, above the first [[policy]]'}"
    near = difflib.get_close_matches(key, keys.get(table, ()), n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(keys.get(table, ()))}"


def _explain(kind: str, message: str, value: object, context: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong with `value`, and how to mend it."""
    got = f"got {_shown(value)}"
    match kind:
        case "extra_forbidden":
            return "unknown key", ""
        case "missing":
            return "is required and missing", ""
        case "literal_error":
            expected = str(context["expected"])
            near = difflib.get_close_matches(str(value), re.findall(r"'([^']+)'", expected), n=1)
            return f"must be {expected}, {got}", f"did you mean {near[0]}?" if near else ""
        case "finite_number":
            return f"must be a finite number, {got}", ""
        case "greater_than_equal":
            return f"must be {context['ge']:g} or more, {got}", ""
        case "greater_than":
            return f"must be above {context['gt']:g}, {got}", ""
        case "less_than_equal":
            return f"must be {context['le']:g} or less, {got}", _share_hint(value, context["le"])
        case "float_type":
            return f"must be a number, {got}", "write it without quotes" if _is_number(
                value
            ) else ""
        case "string_type":
            hint = f'write it in quotes: "{value}"' if isinstance(value, int | float) else ""
            return f"must be text, {got}", hint
        case "tuple_type":
            return f"must be a list, {got}", _list_hint(value)
        case "too_short":
            return "must hold at least one", ""
        case "model_type" | "model_attributes_type":
            return f"must be a table, {got}", ""
        case "bad_name":
            return f"must be {context['words']}, {got}", _name_hint(value)
    return message, got if isinstance(value, str) else ""


def _shown(value: object) -> str:
    text = repr(value)
    text = text if len(text) <= 60 else f"{text[:57]}…"
    match value:
        case bool():
            return text.lower()
        case str():
            return f"text {text}"
        case dict():
            return "a table"
        case list():
            return f"a list of {len(value)}"
    return text


def _share_hint(value: object, limit: float) -> str:
    if limit == 1.0 and isinstance(value, int | float) and 1 < value <= 100:
        return f"from 0 to 1: for {value:g} % write {value / 100:g}"
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[+-]?\d*\.?\d+", value.strip()) is not None


def _list_hint(value: object) -> str:
    if isinstance(value, str):
        return 'write ["…"], in square brackets'
    return "write [[policy]], in two brackets" if isinstance(value, dict) else ""


def _name_hint(value: object) -> str:
    if not isinstance(value, str):
        return ""
    plain = re.sub(r"[^a-z0-9_.]+", "_", value.lower()).strip("_.")
    return f"for instance {plain}" if plain and plain != value else ""
