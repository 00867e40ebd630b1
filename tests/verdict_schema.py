"""The published schema of a verdict, to hold lines against."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no types

    schema = orjson.loads((Path(__file__).parents[1] / "docs/verdict-schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check(record: object) -> list[str]:
    """Everything in which a record is not what the schema says."""
    return [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(record)]
