"""What comes back of a source from another process: plain columns, and errors that end a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import orjson

from vscan import errors
from vscan.errors import UsageError, VscanError

Kind = Literal["verdict", "done", "failed"]


@dataclass(frozen=True)
class Answer:
    """What was made of one source."""

    kind: Kind
    """`verdict`; `done` where it was done before; `failed` where the whole run must end."""
    body: bytes
    """The verdict's line; the id of what was done before; a failure, as `of_failure` writes it."""
    damaged: tuple[str, ...] = ()
    """What was found damaged in the frame store since the worker's last answer."""

    @classmethod
    def of_failure(cls, error: VscanError) -> Self:
        """The answer that ends the run with that error."""
        told = [type(error).__name__, error.message, error.remedy]
        return cls("failed", orjson.dumps(told))

    def failure(self) -> VscanError:
        """The error of an answer `failed`: of its own class, or a UsageError with its words where
        the class needs more than words."""
        name, message, remedy = orjson.loads(self.body)
        kind = getattr(errors, name, UsageError)
        if not issubclass(kind, UsageError) or kind is errors.PackError:
            kind = UsageError
        error: VscanError = kind(message, remedy=remedy)
        return error

    def row(self) -> dict[str, list[Any]]:
        """One row of columns, as Ray Data takes them."""
        return {"kind": [self.kind], "body": [self.body], "damaged": [orjson.dumps(self.damaged)]}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """The answer that `row` wrote."""
        return cls(row["kind"], row["body"], tuple(orjson.loads(row["damaged"])))
