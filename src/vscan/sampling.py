"""Sampling plans: which presentation times of a video are looked at, asked for step by step."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vscan.errors import SamplingError
from vscan.halving import GAP_SLACK, Gap, gaps_wanted, spread

DEFAULT_SAMPLING = "fps:1"
MAX_FPS = 120.0
MAX_GAP_S = 2.0
"""Seconds between samples of an adaptive plan's first pass, at most, where nothing else is said."""
LEAST_GAP_S = 0.1
MAX_ROUNDS = 8
LONG_GROUP_S = 4.0
"""Between keyframes: from here on a look at any frame costs many others."""
LONG_GROUP_STEP_S = 1.0
"""Between samples of an adaptive plan's first pass there, at most: they cost little more than half
as many."""


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

    max_gap_s: float = 0.0
    """Seconds; of keyframes that lie densely, as few are taken as leave no more than that between
    two. 0: all are."""


FrameRequest = GridRequest | TimesRequest | EveryRequest | KeyframesRequest


@dataclass(frozen=True)
class GapsRequest:
    """Frames in these gaps, ascending, of which those become samples that halving them needs.

    All that it may need is read at once, so that the frames before them are decoded once and not in
    every round. What it does not need leaves no trace.
    """

    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Known:
    """What has been learnt of a video when a plan is asked again."""

    duration_s: float | None
    """As the container claims it; None where it does not say."""
    rounds: int = 0
    """Requests already answered: readings of the file."""
    times_s: tuple[float, ...] = ()
    """Presentation times of the samples read so far, ascending."""
    end_s: float = 0.0
    """Where the last frame seen so far ends."""
    interest: NDArray[np.float64] | None = None
    """(T, P) of each of `times_s` to each of P rules: halving.FIRES and more where it fires; see
    matching/interest.py. None where nobody has asked for it."""
    first_gap_s: float = 0.0
    """The widest gap that the first round left between two samples, or from the last to the end."""
    looked: tuple[Gap, ...] = ()
    """All that was asked for by a GapsRequest."""


class Plan(Protocol):
    """A sampling plan; `spec` is how it is written, as `fps:1`."""

    @property
    def spec(self) -> str: ...

    def next_request(self, known: Known) -> FrameRequest | GapsRequest | None:
        """The frames wanted next given what is known, or None when the plan is satisfied."""
        ...

    @property
    def follows(self) -> bool:
        """Whether what it asks for depends on the interest of what was read."""
        ...


@dataclass(frozen=True)
class SinglePlan:
    """A plan that knows from the start what it wants and asks once."""

    spec: str
    request: FrameRequest
    follows: bool = False

    def next_request(self, known: Known) -> FrameRequest | None:
        """The plan's one request on the first round, None afterwards."""
        return self.request if known.rounds == 0 else None


@dataclass(frozen=True)
class KeyframePlan:
    """Keyframes, and where they are further apart than `max_gap_s` seconds, frames between them."""

    max_gap_s: float
    follows: bool = False

    @property
    def spec(self) -> str:
        """As `keyframes:2`."""
        return f"keyframes:{self.max_gap_s:g}"

    def next_request(self, known: Known) -> FrameRequest | None:
        """Keyframes first, then what lies in their gaps."""
        if known.rounds == 0:
            return KeyframesRequest()
        return _at(between(known, self.max_gap_s)) if known.rounds == 1 else None


@dataclass(frozen=True)
class AdaptivePlan:
    """A cheap first pass, then more samples where a rule fires or is near to it.

    First as few keyframes as leave no more than `max_gap_s` between two, and frames in wider gaps;
    then the middle between two samples, again and again: until they are RESOLUTION_S apart where a
    rule begins or ceases to fire between them, and NEAR_STEP_S where one is near to it. The file is
    read MAX_ROUNDS times at most.
    """

    max_gap_s: float = MAX_GAP_S
    follows: bool = True

    @property
    def spec(self) -> str:
        """As `adaptive:2`."""
        return f"adaptive:{self.max_gap_s:g}"

    def next_request(self, known: Known) -> FrameRequest | GapsRequest | None:
        """What is still wanted; None where nothing is."""
        if known.rounds == 0:
            return KeyframesRequest(self.max_gap_s * (1.0 + GAP_SLACK))
        step_s = self.max_gap_s
        groups_are_long = known.first_gap_s > self.max_gap_s * (1.0 + GAP_SLACK)
        if groups_are_long and known.first_gap_s >= LONG_GROUP_S:
            step_s = min(step_s, LONG_GROUP_STEP_S)
        if known.rounds == 1 and (missing := between(known, step_s)):
            return _at(missing)
        if known.interest is None or known.rounds >= MAX_ROUNDS:
            return None
        gaps = gaps_wanted(np.array(known.times_s), known.interest, known.looked)
        return GapsRequest(tuple(gaps)) if gaps else None


def between(known: Known, max_gap_s: float) -> list[float]:
    """Times, seconds, ascending, that leave no more than `max_gap_s` between samples, nor from the
    start to the first or from the last one to the end."""
    added = []
    for start_s, stop_s in pairwise((0.0, *known.times_s, known.end_s)):
        added += spread(start_s, stop_s, max_gap_s, GAP_SLACK)
    return [0.0, *added] if known.times_s and known.times_s[0] > max_gap_s else added


def _at(times_s: list[float]) -> TimesRequest | None:
    return TimesRequest(tuple(times_s)) if times_s else None


def parse_sampling(spec: str, max_gap_s: float | None = None) -> Plan:
    """The plan that `spec` names.

    `fps:N` (N > 0, decimals allowed), `every:N`, `keyframes`, `keyframes:S` (S seconds between
    samples at most) or `adaptive`, which is `adaptive:2`. max_gap_s: S, where it is told apart.
    Raises SamplingError with the accepted forms when `spec` is none of them.
    """
    text = spec.strip().lower()
    if match := re.fullmatch(r"(keyframes|adaptive)(?::(\d+(?:\.\d+)?))?", text):
        return _by_keyframes(spec, match[1], match[2], max_gap_s)
    if max_gap_s is not None:
        raise SamplingError(
            f"sampling {spec!r} has no largest gap",
            remedy="leave --max-gap out, or sample by keyframes or adaptive",
        )
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
        remedy="use fps:N (N frames a second), every:N (every Nth frame), keyframes or adaptive",
    )


def parse_fixed_sampling(spec: str) -> Plan:
    """As `parse_sampling`, for what is not judged; SamplingError for a plan that follows rules."""
    plan = parse_sampling(spec)
    if plan.follows:
        raise SamplingError(
            f"sampling {spec!r} follows what a policy pack finds, and there is none here",
            remedy="use fps:N, every:N or keyframes",
        )
    return plan


def _by_keyframes(spec: str, name: str, gap: str | None, max_gap_s: float | None) -> Plan:
    gap_s = max_gap_s if gap is None else float(gap)
    if gap_s is not None and (gap_s < LEAST_GAP_S or gap_s != (max_gap_s or gap_s)):
        raise SamplingError(
            f"sampling {spec!r}: the largest gap must be one number, {LEAST_GAP_S:g} s or more",
            remedy=f"try --sampling {name} --max-gap 2; or fps:1",
        )
    if name == "adaptive":
        return AdaptivePlan(MAX_GAP_S if gap_s is None else gap_s)
    return SinglePlan("keyframes", KeyframesRequest()) if gap_s is None else KeyframePlan(gap_s)
