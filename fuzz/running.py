"""Runs targets within a time: case after case from a seed, hangs noticed, failures kept."""

from __future__ import annotations

import faulthandler
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np

from fuzz.mutators import Rng
from fuzz.target import Case, Target, lay

HANG_S = 60.0
"""Seconds after which a case counts as one that hangs."""
STDERR = 2
MOST_FAILURES = 5
"""Of one target, after which it is left: they tend to be the same one."""


class Hang(BaseException):
    """A case took too long."""


@dataclass(frozen=True)
class Failure:
    """A case for which something did not hold."""

    number: int
    said: str
    """The end of the traceback."""
    kept: Path
    """The folder that its files were written to."""


@dataclass
class Outcome:
    """What came of one target."""

    cases: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    """How cases ended, by the target's words."""
    failures: list[Failure] = field(default_factory=list)


def rng_of(seed: int, target: str, number: int) -> Rng:
    """The generator of one case: another for every seed, target and number, and always the same."""
    return np.random.default_rng([seed, *target.encode(), number])


def run(
    target: Target,
    *,
    seed: int,
    found: Path,
    seconds: float | None = None,
    most: int | None = None,
    only: int | None = None,
) -> Outcome:
    """Feeds a target until the time or the number of cases is used up.

    only: the number of the one case to be fed. found: where the files of failures go. At least one
    case is fed, whatever the time.
    """
    outcome, until = Outcome(), None if seconds is None else time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{target.name}-") as name:
        folder = Path(name)
        (folder / "intact").mkdir()
        target.prepare(folder / "intact")
        try:
            for number in _numbers(only, most):
                _feed(target, number, seed, folder / "case", found, outcome)
                late = until is not None and time.monotonic() > until
                if late or len(outcome.failures) >= MOST_FAILURES:
                    break
        finally:
            target.close()
    return outcome


def _numbers(only: int | None, most: int | None) -> Iterator[int]:
    number = 0 if only is None else only
    while only is None or number == only:
        if most is not None and number >= most and only is None:
            return
        yield number
        number += 1


def _feed(
    target: Target, number: int, seed: int, place: Path, found: Path, outcome: Outcome
) -> None:
    case = target.case(rng_of(seed, target.name, number))
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    outcome.cases += 1
    try:
        with watched():
            ended = target.check(case, place)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it is what was looked for
        said = "".join(traceback.format_exception(error)[-6:])
        outcome.failures.append(Failure(number, said, keep(case, target, seed, number, found)))
        outcome.ended["FAILED"] += 1
    else:
        outcome.ended[ended] += 1


def keep(case: Case, target: Target, seed: int, number: int, found: Path) -> Path:
    """Writes the files of a case that failed."""
    folder = found / f"{target.name}-{seed}-{number}"
    lay(case, folder)
    return folder


@contextmanager
def watched() -> Iterator[None]:
    """A block that is broken off where it hangs; one that holds the interpreter ends the program
    with a traceback."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"not done after {HANG_S:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    faulthandler.dump_traceback_later(2 * HANG_S, exit=True, file=STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
