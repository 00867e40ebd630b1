"""Sampling plans: which presentation times of a video are looked at, asked for step by step."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Protocol

from vscan.errors import SamplingError

DEFAULT_SAMPLING = "fps:1"
MAX_FPS = 120.0


@dataclass(frozen=True)
class GridRequest:
    """The first frame at or after each of 0, step, 2 step … seconds, until the video ends.

    A frame is delivered once, even where it is the first one after several grid times (a video
    slower than the grid).
    """

    step_s: float


@dataclass(frozen=True)
class TimesRequest:
    """The first frame at or after each of these presentation times (seconds, ascending)."""

    times_s: tuple[float, ...]


@dataclass(frozen=True)
class EveryRequest:
    """Every `n`-th frame in file order, beginning with the first."""

    n: int


@dataclass(frozen=True)
class KeyframesRequest:
    """Every frame that the container marks as a keyframe; other packets are not decoded."""


FrameRequest = GridRequest | TimesRequest | EveryRequest | KeyframesRequest


@dataclass(frozen=True)
class Known:
    """What has been learnt of a video when a plan is asked again."""

    duration_s: float | None
    """As the container claims it; None where it does not say."""
    rounds: int = 0
    """Requests already answered."""
    times_s: tuple[float, ...] = ()
    """Presentation times of the samples read so far, ascending."""
    scores: tuple[float, ...] = field(default=())
    """Highest score 0..1 at each of `times_s`, where scores are known; else empty."""


class Plan(Protocol):
    """A sampling plan; `spec` is how it is written, as `fps:1`."""

    @property
    def spec(self) -> str: ...

    def next_request(self, known: Known) -> FrameRequest | None:
        """The frames wanted next given what is known, or None when the plan is satisfied."""
        ...


@dataclass(frozen=True)
class SinglePlan:
    """A plan that knows from the start what it wants and asks once."""

    spec: str
    request: FrameRequest

    def next_request(self, known: Known) -> FrameRequest | None:
        """The plan's one request on the first round, None afterwards."""
        return self.request if known.rounds == 0 else None


def parse_sampling(spec: str) -> Plan:
    """The plan that `spec` names: `fps:N` (N > 0, decimals allowed), `every:N`, or `keyframes`.

    Raises SamplingError with the accepted forms when `spec` is none of them.
    """
    text = spec.strip().lower()
    if text == "keyframes":
        return SinglePlan("keyframes", KeyframesRequest())
    if match := re.fullmatch(r"fps:(\d+(?:\.\d+)?|\.\d+)", text):
        fps = float(match.group(1))
        if math.isfinite(fps) and 0 < fps <= MAX_FPS:
            return SinglePlan(f"fps:{fps:g}", GridRequest(1.0 / fps))
        raise SamplingError(
            f"sampling {spec!r}: the rate must be above 0 and at most {MAX_FPS:g} frames a second",
            remedy="try fps:1, or fps:0.5 for one frame every two seconds",
        )
    if (match := re.fullmatch(r"every:(\d+)", text)) and int(match.group(1)) >= 1:
        n = int(match.group(1))
        return SinglePlan(f"every:{n}", EveryRequest(n))
    raise SamplingError(
        f"sampling {spec!r} is not known",
        remedy="use fps:N (N frames a second), every:N (every Nth frame) or keyframes",
    )
