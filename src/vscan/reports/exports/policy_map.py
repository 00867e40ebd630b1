"""The policy map: a TOML file that says what a receiver calls things, one table for each format."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from vscan.errors import UsageError
from vscan.policies.problems import parse_toml
from vscan.storage import read_bytes

MOST_BYTES = 4 << 20


def load_map(
    path: Path | None, table: str, shape: type[BaseModel], known: Collection[str]
) -> BaseModel:
    """The table of one format, checked; without a file, what the format needs no map for.

    known: names of all tables that a map may have. Raises UsageError that names every key that is
    missing, misspelt or not one of the format's words, with its line.
    """
    name = "the policy map" if path is None else str(path)
    values: dict[str, Any] = {}
    lines = None
    if path is not None:
        toml = parse_toml(read_bytes(path, limit=MOST_BYTES), file=name)
        values, lines = dict(toml.values), toml.lines
        if unknown := sorted(set(values) - set(known)):
            raise UsageError(
                f"{name}: {unknown[0]!r} is no format's table",
                remedy=f"tables: {', '.join(sorted(known))}",
            )
    try:
        return shape.model_validate(values.get(table, {}))
    except ValidationError as error:
        told = []
        for each in error.errors():
            where = (table, *each["loc"])
            line = f":{lines.line(where)}" if lines is not None and table in values else ""
            told.append(f"{name}{line}: {'.'.join(map(str, where))}: {_said(each)}")
        raise UsageError(
            "\n".join(told),
            remedy=f"docs/exports.md has a map for {table} to begin with"
            if path is not None
            else f"give a map with a table [{table}]: --policy-map FILE.toml",
        ) from error


def _said(error: Any) -> str:
    return "is missing" if error["type"] == "missing" else str(error["msg"])
