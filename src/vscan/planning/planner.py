"""A plan from its settings: probes every video, looks at some, tells what sampling plans take."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vscan.errors import SamplingError, SourceError, UsageError, internal_error
from vscan.names import record_uri
from vscan.planning.forecast import HOUR_S, Forecast, Machine, forecast
from vscan.sampling import parse_sampling
from vscan.settings import ScanSettings, available_cores

if TYPE_CHECKING:
    from vscan.planning.looking import Look
    from vscan.sampling import Plan
    from vscan.scanning import Prepared
    from vscan.scratch import Scratch
    from vscan.sources import Found

DEFAULT_EVENTS_S = (1.0, 2.0, 5.0, 10.0)
DEFAULT_LOOK = 12
_USUAL = ("fps:1", "fps:2", "keyframes", "adaptive")


def default_samplings() -> tuple[str, ...]:
    """The sampling plans that are set side by side where none is named."""
    return tuple(spec for spec in _USUAL if _is_known(spec))


def _is_known(spec: str) -> bool:
    try:
        parse_sampling(spec)
    except SamplingError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class PlanSettings:
    """What is planned, and how much of the videos is looked at for it."""

    samplings: tuple[str, ...] = ()
    """As `vscan scan --sampling`; none: `default_samplings`."""
    events_s: tuple[float, ...] = DEFAULT_EVENTS_S
    """Lengths of the events of which some will be missed, seconds."""
    look: int = DEFAULT_LOOK
    """Videos that are looked at, drawn from all that can be read."""
    seed: int = 0
    hours: float | None = None
    """Hours of such video to reckon with, beside those that were named."""
    price: float | None = None
    """Of one core for one hour."""
    window_s: float | None = None
    """Seconds of a long video that are read; None: WINDOW_S of planning/bounded_reading.py."""

    def __post_init__(self) -> None:
        for name, value in (("event", min(self.events_s, default=1.0)), ("hours", self.hours)):
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"{name} must be a number above 0, not {value:g}")
        if not all(map(math.isfinite, self.events_s)):
            raise UsageError("an event must last a finite number of seconds")
        if self.price is not None and not 0 <= self.price < math.inf:
            raise UsageError(f"the price must be a number from 0 on, not {self.price:g}")
        if self.look < 1:
            raise UsageError(f"at least one video must be looked at, not {self.look}")
        if self.window_s is not None and not 0 < self.window_s < math.inf:
            raise UsageError(f"the window must be a number above 0, not {self.window_s:g}")


@dataclass(frozen=True)
class Unreadable:
    """A video that is in no figure."""

    uri: str
    code: str
    """Of errors.ERROR_CODES."""
    message: str


@dataclass(frozen=True, kw_only=True)
class PlanReport:
    """What scanning these videos takes, under each sampling plan."""

    schema: str = "vscan.plan/1"
    videos: int
    """Named, readable or not."""
    unreadable: tuple[Unreadable, ...]
    unknown_lengths: int
    """Videos that claim no length: in no figure but the rates."""
    video_hours: float
    """Of all others, as their containers claim."""
    looked_at: tuple[str, ...]
    """URIs of the videos that were measured."""
    read_s: float
    """Seconds of video that were read of those, under the plan that read most."""
    seed: int
    signals: tuple[str, ...]
    model: str | None
    precision: str | None
    machine: Machine
    plans: tuple[Forecast, ...]


@dataclass(eq=False)
class Planner:
    """Makes one plan: `probe`, then `look`, each to its end, then `report`."""

    settings: PlanSettings
    prepared: Prepared
    samplings: tuple[Plan, ...]
    scratch: Scratch
    """Where objects behind URIs are fetched to; whoever plans closes it."""
    _threads: int = 1
    _named: list[tuple[Found, float | None]] = field(default_factory=list)
    _unreadable: list[Unreadable] = field(default_factory=list)
    _looks: list[tuple[str, list[Look]]] = field(default_factory=list)
    _seconds_each: float = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person who plans should know of the pack and the model."""
        return self.prepared.notes

    def probe(self, sources: Iterable[Found]) -> Iterator[None]:
        """Ask every video for its length, `workers` at a time; yields as each has answered."""
        from vscan.decode.workers import ReaderPool

        workers = self.prepared.workers
        every = list(sources)
        # Killing the readers, who are left first, lets waiting threads end.
        with (
            ThreadPoolExecutor(workers, "vscan-probe") as threads,
            ReaderPool(workers, self.prepared.limits) as readers,
        ):
            self._threads = readers.threads

            def length_s(source: Found) -> float | SourceError | None:
                try:
                    with (
                        self.scratch.at_hand(source) as here,
                        readers.session(here.path) as session,
                    ):
                        return session.info.duration_s
                except Exception as error:  # noqa: BLE001 -- as in a scan, it is that video's own
                    return _of_source(error)

            for source, found in zip(every, threads.map(length_s, every), strict=True):
                if isinstance(found, SourceError):
                    self._leave_out(source, found)
                else:
                    self._named.append((source, found))
                yield

    def look(self) -> Iterator[None]:
        """Read the beginning of some videos, drawn by the seed, under every plan; yields as each
        has been read. One that cannot be read is left out, and another one takes its place."""
        from vscan.planning.bounded_reading import WINDOW_S
        from vscan.planning.looking import Eye

        order = random.Random(self.settings.seed).sample(self._named, len(self._named))  # noqa: S311 -- nobody gains by guessing it
        limits = replace(self.prepared.limits, threads=self._threads)
        eye = Eye.of(self.prepared, limits, self.settings.window_s or WINDOW_S, self.scratch)
        with closing(eye.readers):
            warm = False
            for source, length_s in order:
                if len(self._looks) == self.settings.look:
                    break
                try:
                    if not warm:  # what is loaded once in a run is no video's
                        eye.look(source, list(self.samplings[:1]))
                        warm = True
                    found = eye.look(source, list(self.samplings))
                except Exception as error:  # noqa: BLE001 -- as in a scan, it is that video's own
                    self._named.remove((source, length_s))
                    self._leave_out(source, _of_source(error))
                    continue
                self._looks.append((record_uri(source.uri), found))
                yield
        self._seconds_each = eye.pictures.seconds_each()

    def report(self) -> PlanReport:
        """What was found. Raises SourceError where not one video of any length could be read."""
        known = [max(0.0, length_s) for _, length_s in self._named if length_s is not None]
        each = [looks for _, looks in self._looks]
        if not any(look.times.length_s > 0 for looks in each for look in looks):
            raise self._nothing_readable()
        machine = self._machine()
        forecasts = [
            forecast(
                [looks[k] for looks in each],
                sampling=plan.spec,
                first_pass=plan.follows,
                seconds_each=self._seconds_each,
                lengths_s=known,
                hours=self.settings.hours,
                events_s=self.settings.events_s,
                machine=machine,
                seed=self.settings.seed,
            )
            for k, plan in enumerate(self.samplings)
        ]
        recipe = self.prepared.recipe
        return PlanReport(
            videos=len(self._named) + len(self._unreadable),
            unreadable=tuple(self._unreadable),
            unknown_lengths=len(self._named) - len(known),
            video_hours=sum(known) / HOUR_S,
            looked_at=tuple(uri for uri, _ in self._looks),
            read_s=sum(max(look.times.seen_s for look in looks) for looks in each),
            seed=self.settings.seed,
            signals=recipe.signals,
            model=recipe.model,
            precision=recipe.precision,
            machine=machine,
            plans=tuple(forecasts),
        )

    def _machine(self) -> Machine:
        encoder = self.prepared.encoder
        return Machine(
            cores=available_cores(),
            workers=self.prepared.workers,
            threads=self._threads,
            device=None if encoder is None else encoder.device,
            price=self.settings.price,
        )

    def _leave_out(self, source: Found, error: SourceError) -> None:
        self._unreadable.append(Unreadable(record_uri(source.uri), error.code, error.message))

    def _nothing_readable(self) -> SourceError:
        if self._looks or not self._unreadable:
            return SourceError(
                "no_frames",
                "these are pictures, or videos of no length: there is no hour of video to plan",
                remedy="name videos",
            )
        ((code, count),) = Counter(each.code for each in self._unreadable).most_common(1)
        first = next(each for each in self._unreadable if each.code == code)
        total = len(self._unreadable)
        return SourceError(
            first.code,
            f"not one of {total} videos can be read; {count} of them: {first.message}",
            remedy="`vscan scan` tells of each what is wrong",
        )


def _of_source(error: Exception) -> SourceError:
    return error if isinstance(error, SourceError) else internal_error(error)


def prepare_plan(settings: PlanSettings, scanning: ScanSettings) -> Planner:
    """A planner that has loaded pack, indexes and model, as a scan with `scanning` would.

    Its `sampling` says nothing here. Raises UsageError where one of them cannot be used.
    """
    from vscan.scanning import prepare

    specs = settings.samplings or default_samplings()
    plans = tuple({plan.spec: plan for plan in map(parse_sampling, specs)}.values())
    prepared = prepare(replace(scanning, sampling=plans[0].spec, store=None))
    return Planner(settings, prepared, plans, scanning.new_scratch())
