"""A flip: a video for which another pack means another outcome or action, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

from vscan.verdicts import ActionName, Outcome, Segment

Direction = Literal["gained", "raised", "lowered", "lost"]
DIRECTIONS: tuple[Direction, ...] = ("gained", "raised", "lowered", "lost")
State = Literal[
    "fires", "below_threshold", "too_short", "suppressed", "elsewhere", "not_in_pack", "no_evidence"
]
"""Why a policy fires on a video or does not: `elsewhere` is known content that a policy of the pack
takes, `no_evidence` a policy of which nothing was scored and no exemplar matched."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one pack says of a video under one policy."""

    action: ActionName
    """`allow` where the policy does not fire."""
    state: State
    score: float | None
    """Of the evidence that decided, 0..1; where the policy does not fire, the highest prompt score
    of any sample. Null where nothing was scored."""
    threshold: float | None
    """The threshold that was reached; where the policy does not fire, its lowest one."""
    threshold_action: ActionName | None
    """The action that this threshold is of; null for a match."""
    next_action: ActionName | None = None
    """The next graver action, whose threshold the prompts did not reach."""
    next_threshold: float | None = None
    prompt: str | None = None
    """The prompt that decided."""
    exemplar: str | None = None
    """The exemplar that decided, or for `suppressed` the benign one, as `index/exemplar`."""
    signal: str | None = None
    """By which that exemplar was matched."""
    segments: tuple[Segment, ...] = ()
    """Where the policy fires."""


@dataclass(frozen=True, kw_only=True)
class PolicyChange:
    """A policy that recommends something else for a video."""

    policy: str
    change: Direction
    """`gained`: it fires only under the new pack; `lost`: only under the old one; `raised` and
    `lowered`: under both, with a graver or a milder action."""
    old: Side
    new: Side
    reason: str
    """The change in words."""


@dataclass(frozen=True, kw_only=True)
class Flip:
    """A video for which the pack's change changes the outcome, the action or a policy's action."""

    schema: Literal["vscan.flip/1"] = "vscan.flip/1"
    uri: str
    sha256: str | None
    duration_s: float | None
    meta: Mapping[str, Any]
    old_outcome: Outcome
    old_action: ActionName
    new_outcome: Outcome
    new_action: ActionName
    policies: tuple[PolicyChange, ...]
    """At least one, the gravest first."""

    def to_line(self) -> bytes:
        """One JSON line with its newline."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)
