"""Refuses URIs where a command takes paths of this machine: `Path` would make folders of them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from vscan.errors import UsageError


def refuse_uris(app: typer.Typer) -> None:
    """Let every command below `app` refuse a URI for any of its options that is a Path."""
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _checked(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            refuse_uris(group.typer_instance)


def _checked(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def checked(*arguments: Any, **options: Any) -> Any:
        for path in _paths((*arguments, *options.values())):
            _refuse(path)
        return command(*arguments, **options)

    return checked


def _paths(values: tuple[Any, ...]) -> Iterator[Path]:
    for value in values:
        for each in value if isinstance(value, list | tuple) else (value,):
            if isinstance(each, Path):
                yield each


def _refuse(path: Path) -> None:
    """Raises UsageError for a URI that became a path: `s3://b/k` is `s3:/b/k` then."""
    scheme, mark, rest = str(path).partition(":/")
    if not mark or os.path.lexists(path):
        return
    from vscan.remote.redacted import redacted
    from vscan.remote.systems import EXTRAS

    if scheme.lower() in EXTRAS:
        raise UsageError(
            f"{redacted(f'{scheme}://{rest}')}: a path of this machine is wanted here, not a URI",
            remedy="give a local file or folder, and copy it from or to object storage; verdicts: "
            "vscan verdicts merge s3://BUCKET/RUN/ -o verdicts.jsonl",
        )
