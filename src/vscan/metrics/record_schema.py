"""JSON Schema of a record that is made of dataclasses."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def json_schema(record: type[Any], parts: Iterable[type[Any]]) -> str:
    """JSON Schema (2020-12) of a record, as text: every field is written, and there are no others.

    parts: dataclasses that it is made of, itself included.
    """
    from pydantic import TypeAdapter

    for each in parts:
        # The fields' docstrings become the schema's descriptions.
        setattr(each, "__pydantic_config__", {"use_attribute_docstrings": True})  # noqa: B010 -- a hook that dataclasses do not declare
    schema = TypeAdapter(record).json_schema(mode="serialization")
    for part in (schema, *schema.get("$defs", {}).values()):
        if "properties" in part:
            part["additionalProperties"] = False
            part["required"] = list(part["properties"])
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
