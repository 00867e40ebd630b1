"""Types of the keys and tables of a policy pack, each with what it accepts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from vscan.policies.actions import Action


class Table(BaseModel):
    """A table of a pack: unknown keys, wrong types, `nan` and `inf` are errors."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


_RECOMMENDED = [str(action) for action in Action if action is not Action.ALLOW]


def _from_word(value: object) -> Action:
    if isinstance(value, Action) and value is not Action.ALLOW:
        return value
    if isinstance(value, str) and value in _RECOMMENDED:
        return Action.of(value)
    expected = "'review', 'escalate' or 'remove'"
    raise PydanticCustomError("literal_error", "must be {expected}", {"expected": expected})


ActionWord = Annotated[
    Action,
    BeforeValidator(_from_word),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "enum": _RECOMMENDED}),
]
"""An action above ALLOW, as a pydantic field that is written as its word."""


def _matching(pattern: str, words: str) -> tuple[AfterValidator, object]:
    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise PydanticCustomError("bad_name", "{text} is not {words}", {"words": words})
        return text

    return AfterValidator(check), Field(json_schema_extra={"pattern": f"^(?:{pattern})$"})


def _prompt(text: str) -> str:
    flat = " ".join(text.split())
    if not flat:
        raise PydanticCustomError("blank", "is blank")
    if not flat.isprintable():
        raise PydanticCustomError("control", "holds control characters")
    return flat


def _template(text: str) -> str:
    flat = _prompt(text)
    if flat.count("{}") != 1 or re.search(r"[{}]", flat.replace("{}", "", 1)):
        raise PydanticCustomError("bad_template", "must hold exactly one {}, where the prompt goes")
    return flat


Slug = Annotated[str, *_matching(r"[a-z0-9][a-z0-9_-]*", "lower-case letters, digits, - and _")]
PolicyId = Annotated[
    str,
    *_matching(
        r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*",
        "lower_snake words joined by dots, as weapons.firearms",
    ),
]
Version = Annotated[str, *_matching(r"[0-9A-Za-z][0-9A-Za-z.+_-]*", "a version, as 2026.11")]
IndexName = Annotated[
    str, *_matching(r"[0-9A-Za-z][0-9A-Za-z._-]*", "the name of an exemplar index")
]
Text = Annotated[str, AfterValidator(lambda text: " ".join(text.split()))]
"""Any text, white space made single."""
Prompt = Annotated[str, AfterValidator(_prompt), Field(json_schema_extra={"pattern": r"\S"})]
"""Text that is not blank, white space made single."""
Template = Annotated[
    str, AfterValidator(_template), Field(json_schema_extra={"pattern": r"^[^{}]*\{\}[^{}]*$"})
]
"""A prompt's surroundings, with exactly one {}."""
Prompts = Annotated[tuple[Prompt, ...], Field(strict=False)]
Score = Annotated[float, Field(ge=0.0, le=1.0)]
