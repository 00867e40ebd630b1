"""From what a few videos took to what all will: rates with intervals, time, cost, misses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vscan.planning.looking import Look

RESAMPLES = 1000
HOUR_S = 3600.0
Draws = NDArray[np.float64]
"""(1 + RESAMPLES,): a figure on the videos looked at, then on each resample of them."""


@dataclass(frozen=True)
class Figure:
    """A figure, and its 95 % bootstrap interval over the videos that were looked at."""

    value: float
    low: float | None
    """None where one video alone was looked at: it says nothing of how others differ."""
    high: float | None


@dataclass(frozen=True)
class Machine:
    """What the videos will be scanned on."""

    cores: int
    workers: int
    threads: int
    """Decoding threads of each worker's reader process."""
    device: str | None
    """Where the model runs, as `cpu` or `cuda`; None without a model."""
    price: float | None
    """Of one core for one hour, in whatever currency; None: not told."""


@dataclass(frozen=True)
class Bill:
    """What so much video takes under one sampling plan."""

    video_hours: float
    samples: Figure
    wall_s: Figure
    """Seconds on the clock at best: at the limit of the machine, nothing waits."""
    core_hours: Figure
    """All cores for that time, whether they are busy or not."""
    cost: Figure | None
    """Core hours at the machine's price; None where none was told."""


@dataclass(frozen=True)
class Missed:
    """The chance 0..1 that no sample shows an event of so many seconds."""

    event_s: float
    chance: Figure | None
    """None where no video that was looked at is longer than the event."""


@dataclass(frozen=True)
class Forecast:
    """What one sampling plan costs and misses. Rates are for an hour of video."""

    sampling: str
    first_pass: bool
    """Whether the plan will ask for more than is counted here, once it knows the first scores."""
    samples: Figure
    reading_cpu_s: Figure
    """Digests, decoding, and measuring what is measured in the reader process."""
    judging_cpu_s: Figure
    """Exemplar search, and judging."""
    embedding_s: Figure
    """The model: of CPU time, or where it runs on another device, of that device's time."""
    cpu_s: Figure
    """All that the CPU does."""
    here: Bill
    """For the videos that were named."""
    there: Bill | None
    """For as many hours of such video as were asked for."""
    missed: tuple[Missed, ...]


class Bootstrap:
    """Resamples of n videos, the same for every figure, so that figures go together.

    Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7:1 (1979); the
    2.5 and 97.5 percentiles. A rate is a ratio of sums, so long videos weigh as much as they last.
    """

    def __init__(self, videos: int, *, seed: int) -> None:
        drawn = np.random.default_rng(seed).multinomial(
            videos, np.full(videos, 1.0 / videos), size=RESAMPLES
        )
        self._counts = np.concatenate([np.ones((1, videos)), drawn])
        self._tells = videos > 1

    def ratio(self, parts: Sequence[float], wholes: Sequence[float]) -> Draws:
        """Sum of parts over sum of wholes, (n,) each; NaN where a draw's wholes are 0."""
        sums = self._counts @ np.array(wholes, np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Draws = np.where(
                sums > 0, self._counts @ np.array(parts, np.float64) / sums, np.nan
            )
        return found

    def figure(self, draws: Draws) -> Figure:
        """The figure and its interval."""
        if not self._tells:
            return Figure(float(draws[0]), None, None)
        low, high = np.nanpercentile(draws[1:], (2.5, 97.5))
        return Figure(float(draws[0]), float(low), float(high))


@dataclass(frozen=True, eq=False)
class _Rates:
    """Seconds for one second of video, as draws."""

    samples: Draws
    reading_s: Draws
    judging_s: Draws
    embedding_s: Draws


def forecast(
    looks: Sequence[Look],
    *,
    sampling: str,
    first_pass: bool,
    seconds_each: float,
    lengths_s: Sequence[float],
    hours: float | None,
    events_s: Sequence[float],
    machine: Machine,
    seed: int,
) -> Forecast:
    """What a plan comes to, from one look at each of a few videos.

    seconds_each: of the model, for a picture. lengths_s: of all videos that were named. hours: of
    video to reckon with beside them. Raises ValueError where the looks make no second of video.
    """
    lasting = [look.times.length_s for look in looks]
    if sum(lasting) <= 0:
        raise ValueError("no video of any length was looked at")
    bootstrap = Bootstrap(len(looks), seed=seed)
    samples = bootstrap.ratio([look.times.samples for look in looks], lasting)
    rates = _Rates(
        samples,
        bootstrap.ratio([look.reading_cpu_s for look in looks], lasting),
        bootstrap.ratio([look.judging_cpu_s for look in looks], lasting),
        samples * seconds_each,
    )
    on_cpu = machine.device in (None, "cpu")
    cpu_s = rates.reading_s + rates.judging_s + (rates.embedding_s if on_cpu else 0.0)

    def hourly(draws: Draws) -> Figure:
        return bootstrap.figure(draws * HOUR_S)

    def bill(video_s: float, longest_s: float) -> Bill:
        wall_s = _wall_s(rates, cpu_s, machine, video_s, longest_s)
        core_hours = wall_s * machine.cores / HOUR_S
        cost = None if machine.price is None else bootstrap.figure(core_hours * machine.price)
        return Bill(
            video_s / HOUR_S,
            bootstrap.figure(samples * video_s),
            bootstrap.figure(wall_s),
            bootstrap.figure(core_hours),
            cost,
        )

    return Forecast(
        sampling=sampling,
        first_pass=first_pass,
        samples=hourly(samples),
        reading_cpu_s=hourly(rates.reading_s),
        judging_cpu_s=hourly(rates.judging_s),
        embedding_s=hourly(rates.embedding_s),
        cpu_s=hourly(cpu_s),
        here=bill(sum(lengths_s), max(lengths_s, default=0.0)),
        there=None if hours is None else bill(hours * HOUR_S, 0.0),
        missed=tuple(_missed(looks, event_s, bootstrap) for event_s in events_s),
    )


def _wall_s(
    rates: _Rates, cpu_s: Draws, machine: Machine, video_s: float, longest_s: float
) -> Draws:
    """Seconds on the clock that so much video takes at least.

    The greatest of: all that the CPU does, over its cores; what the workers do, over as many
    threads as they have; the model, where it has a device of its own; the longest video, which one
    worker reads alone. Starting, waiting for the disk, and what keeps a run from its limit are not
    in it.
    """
    busy = min(machine.cores, machine.workers * machine.threads)
    working_s = rates.reading_s + rates.judging_s
    own = rates.embedding_s if machine.device not in (None, "cpu") else 0.0 * rates.embedding_s
    per_second = np.maximum.reduce([cpu_s / machine.cores, working_s / busy, own])
    alone_s = longest_s * (rates.reading_s / machine.threads + rates.judging_s)
    found: Draws = np.maximum(video_s * per_second, alone_s)
    return found


def _missed(looks: Sequence[Look], event_s: float, bootstrap: Bootstrap) -> Missed:
    draws = bootstrap.ratio(
        [look.times.missed_starts_s(event_s) for look in looks],
        [look.times.starts_s(event_s) for look in looks],
    )
    return Missed(event_s, None if np.isnan(draws[0]) else bootstrap.figure(draws))
