"""What every exporter is given and gives back, and what they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from vscan.errors import UsageError
from vscan.metrics.enforcement.picks import Picks
from vscan.reports.ruled import Rulings
from vscan.store.browse import Record

Mapped = TypeVar("Mapped")
Made = TypeVar("Made", bound=BaseModel)


class Shape(BaseModel):
    """A form that a format's own page describes: nothing beside its fields, no other kinds."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True)
class Exporting:
    """What is exported."""

    records: Sequence[Record]
    """Verdicts, by URI."""
    rulings: Rulings | None = None
    """Of the decision log, where one was given."""
    scanned_at: str | None = None
    """When the scan ended, UTC, as its run summary says."""
    sample: Picks | None = None
    """Where only the cases of a drawn sample are wanted, with their weights."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What came of it."""

    data: bytes
    written: int
    """Entries in the format's own sense."""
    left_out: Mapping[str, int] = field(default_factory=Counter)
    """By reason, what the format has no place for."""
    notes: Mapping[str, int] = field(default_factory=Counter)
    """What else was done to make it fit."""


def checked(shape: type[Made], values: Mapping[str, Any], what: str) -> Made:
    """The values in the format's form. Raises UsageError that names what does not fit, and where.

    what: that the values are of, for messages.
    """
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'all'}: {each['msg']}"
            for each in error.errors()
        )
        raise UsageError(
            f"{what}: does not fit the format: {told}",
            remedy="mend the policy map or the verdict; docs/exports.md says what each field is",
        ) from error


def of_policy(mapped: Mapping[str, Mapped], policy: str) -> Mapped | None:
    """What a map says of a policy, or of the nearest one above it: `weapons` stands for
    `weapons.knives` where that has no entry of its own."""
    while policy:
        if policy in mapped:
            return mapped[policy]
        policy = policy.rpartition(".")[0]
    return None


def flagged(records: Sequence[Record]) -> Iterator[tuple[Record, dict[str, Any]]]:
    """Every finding with its verdict."""
    for record in records:
        for finding in record["findings"]:
            yield record, finding


def moment(given: Exporting, told: str | None, key: str) -> str:
    """When the scan was: as the map tells, else as the run summary does.

    Raises UsageError that names the key where neither says.
    """
    at = told or given.scanned_at
    if at is None:
        raise UsageError(
            f"nothing says when the scan was: {key} is missing, and no run summary lies beside the "
            "verdicts",
            remedy=f'write {key} = "2026-11-02T09:30:00Z" into the policy map',
        )
    return at
