"""The published schemas of verdicts, run summaries and manifests, to hold documents against."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson


@cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no types

    schema = orjson.loads((Path(__file__).parents[1] / "docs" / name).read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def check(record: object) -> list[str]:
    """Everything in which a record is not what the schema says."""
    return _problems("verdict-schema.json", record)


def check_run(summary: object) -> list[str]:
    """Everything in which a run summary is not what its schema says."""
    return _problems("run-schema.json", summary)


def check_parts(manifest: object) -> list[str]:
    """Everything in which a manifest of verdict parts is not what its schema says."""
    return _problems("parts-schema.json", manifest)


def _problems(name: str, document: object) -> list[str]:
    found = _validator(name).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]
