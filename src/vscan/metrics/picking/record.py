"""A pick: a video that somebody should label next, one JSON line each (`vscan.pick/1`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

from vscan.metrics.record_schema import json_schema

PICK_SCHEMA: Literal["vscan.pick/1"] = "vscan.pick/1"
Strategy = Literal["stratified", "uncertain", "disagreement", "near-miss", "growing"]


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A video, under one policy, and why it was picked. With a field `label` (violating or benign)
    added, the line is a label."""

    schema: Literal["vscan.pick/1"] = PICK_SCHEMA
    strategy: Strategy | Literal["training"]
    """How it was picked; `training`: for a pack of reviewer training."""
    seed: int
    verdict: str
    """Id of the verdict that it was picked by."""
    uri: str
    sha256: str | None
    policy: str | None
    """The policy to label it for; null where it was picked for none, as what grows is."""
    score: float | None
    """The highest threshold, 0..1, at which the policy's prompts would flag it; from verdict files
    the score of the finding. Null where there is none."""
    flagged: bool
    """Whether the policy flags it; without a policy, whether any does."""
    stratum: str
    """What it was picked from."""
    population: int
    """Videos in the stratum."""
    sampled: int
    """Videos that were picked of it."""
    weight: float | None
    """population / sampled: how many videos it stands for. Null where it was picked for what it
    shows: then no rate may be estimated from it."""
    market: str | None
    """As the input list said, likewise `views`."""
    views: int | float | None
    reason: str
    """Why it was picked, in words."""

    def to_line(self) -> bytes:
        """One JSON line with its newline."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)


def pick_json_schema() -> str:
    """JSON Schema (2020-12) of one pick, as text."""
    parts: list[type[Any]] = [Pick]
    return json_schema(Pick, parts)
