"""What a backtest found, as one object: schema `vscan.backtest/1`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vscan.metrics.backtest.flip import Flip
from vscan.metrics.backtest.flip_sample import Sample
from vscan.metrics.backtest.volumes import Transition, Volume, Workload
from vscan.metrics.labelled import LabelReport
from vscan.metrics.record_schema import json_schema


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One of the two packs, and what it was judged by."""

    given: str
    """The name or path that was given for it."""
    pack: str
    """As in a verdict's provenance: name, version and digest."""
    signals: tuple[str, ...]
    """Judged, where they are stored."""
    without_signal: Mapping[str, int]
    """Videos that the store has no track of, by signal: they were judged without it, and a scan may
    find more (`signal_not_stored`)."""


@dataclass(frozen=True, kw_only=True)
class Unjudged:
    """Videos that could not be judged under both packs."""

    code: str
    """As `error.code` in a verdict."""
    videos: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One way in which stored videos were measured."""

    sampling: str
    model: str | None
    precision: str | None


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What the store held."""

    videos: int
    """Source records: equal content under two names counts twice. One that is too damaged to tell
    whose it is counts under `damaged` alone."""
    compared: int
    """Judged under both packs: what all other figures are of."""
    unjudged: tuple[Unjudged, ...]
    """The rest, which a person has to look at under either pack."""
    damaged: int
    """Files of the store that are not what was written."""
    damages: tuple[str, ...]
    """What is wrong with the first of them."""
    measured: tuple[Measured, ...]


@dataclass(frozen=True, kw_only=True)
class FlipCounts:
    """Videos that the change of the pack changes."""

    total: int
    outcome: int
    """Their outcome changes."""
    action: int
    """Their outcome does not, and their action does."""
    policies: int
    """Neither changes, but what single policies recommend."""
    listed: int
    """How many stand under `listed_flips`; with `-o` all stand in a file of their own."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """A reviewer's work, by an assumption: every flagged video takes the same time."""

    minutes_per_review: float
    old: Workload
    new: Workload
    change_videos: int
    change_hours: float


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """What changes where one pack takes another's place, on everything in a frame store."""

    schema: Literal["vscan.backtest/1"] = "vscan.backtest/1"
    vscan: str
    """Version that judged."""
    store: str
    old: Judged
    new: Judged
    indexes: Mapping[str, str]
    """Name to digest, as in a verdict's provenance."""
    sources: Sources
    flips: FlipCounts
    review: Review
    volumes: tuple[Volume, ...]
    transitions: tuple[Transition, ...]
    labels: LabelReport | None
    """Null without labels."""
    sample: Sample | None
    """Null where none was asked for."""
    listed_flips: tuple[Flip, ...]
    """Flips in the order of the store, up to a limit."""
    notes: tuple[str, ...]
    """What whoever reads this should know."""

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self)


def backtest_json_schema() -> str:
    """JSON Schema (2020-12) of a backtest's report, as text."""
    return json_schema(Backtest, _parts())


def _parts() -> list[type[Any]]:
    """Every dataclass that a report is made of."""
    import vscan.metrics.backtest.flip
    import vscan.metrics.backtest.flip_sample
    import vscan.metrics.backtest.volumes
    import vscan.metrics.labelled
    import vscan.verdicts

    rooms = (
        vscan.metrics.backtest.flip,
        vscan.metrics.backtest.flip_sample,
        vscan.metrics.labelled,
        vscan.metrics.backtest.volumes,
        vscan.verdicts,
    )
    found = [each for room in rooms for each in vars(room).values()] + list(globals().values())
    return [each for each in found if isinstance(each, type) and dataclasses.is_dataclass(each)]
