"""The export formats by name: what each is, what it needs, and who writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from vscan.errors import UsageError
from vscan.reports.exports import coop, csv_rows, dsa, labels, osprey, rekognition
from vscan.reports.exports.exporting import Exported, Exporting
from vscan.reports.exports.policy_map import load_map


@dataclass(frozen=True)
class Format:
    """One export format."""

    name: str
    title: str
    written_as: str
    """What one line of the file is."""
    mapped: type[BaseModel]
    """Its table in a policy map."""
    write: Callable[[Exporting, Any], Exported]
    needs_log: bool = False
    """Whether it is made of decisions."""

    @property
    def needs_map(self) -> bool:
        """Whether its table has keys without a default."""
        return any(each.is_required() for each in self.mapped.model_fields.values())


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(csv_rows.NAME, "Rows for spreadsheets", "a segment",
               csv_rows.CsvMap, csv_rows.write),
        Format(dsa.NAME, "EU DSA Transparency Database, statements of reasons",
               f"a request of up to {dsa.MOST_STATEMENTS} statements",
               dsa.DsaMap, dsa.write, needs_log=True),
        Format(coop.NAME, "Coop (ROOST), Report API", "a request for a finding",
               coop.CoopMap, coop.write),
        Format(osprey.NAME, "Osprey (ROOST), events", "an event for a verdict",
               osprey.OspreyMap, osprey.write),
        Format(rekognition.NAME, "Amazon Rekognition, answers of GetContentModeration",
               "an answer for a video", rekognition.RekognitionMap, rekognition.write),
        Format(labels.NAME, "Labels, as vscan policy backtest reads them",
               "a label of a video and policy", labels.LabelsMap, labels.write, needs_log=True),
    )
}  # fmt: skip
"""Every format by name, in the order in which they are told."""


def format_named(name: str) -> Format:
    """The format of that name. Raises UsageError naming those there are."""
    if name not in FORMATS:
        raise UsageError(
            f"{name!r} is no export format",
            remedy=f"known: {', '.join(FORMATS)} (docs/exports.md says what each is)",
        )
    return FORMATS[name]


def export(given: Exporting, name: str, policy_map: Path | None = None) -> Exported:
    """Verdicts in a format, the same for the same input.

    Raises UsageError for a format that is none, one that lacks its log or its map, and what does
    not fit it, by name.
    """
    form = format_named(name)
    if form.needs_log and given.rulings is None:
        raise UsageError(
            f"{name} is made of decisions: a verdict alone is none", remedy="give --log LOG"
        )
    return form.write(given, load_map(policy_map, name, form.mapped, FORMATS))
