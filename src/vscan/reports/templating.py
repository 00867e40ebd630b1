"""The templates of pages: every text in them escaped, a name that they miss an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vscan.names import shown

TEMPLATES = Path(__file__).parent / "templates"
MAY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser lets a page do: nothing but its own style."""
MAY_SHOW = MAY.replace("base-uri", "img-src data:; base-uri")
"""The same, and pictures that are in the page itself."""


def rendered(template: str, **values: Any) -> str:
    """A template with its values; the same values always give the same text.

    Raises jinja2.UndefinedError where the template asks for what is not there.
    """
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["pick"] = _pick
    return environment


def _pick(value: Any, *names: str) -> tuple[Any, ...]:
    """Some of a value's fields, for a row of a table."""
    return tuple(getattr(value, name) for name in names)


def _final(value: Any) -> Any:
    """A value as it stands on the page: what steers the eye or the browser of a reader is shown
    as an escape, be it from a file's name, a prompt or a note. Jinja2 escapes markup after it."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value
