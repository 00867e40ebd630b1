"""The collector of timings: many threads add to it, and each pays for what it did itself."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tests.colour_encoder import ColourEncoder
from tests.conftest import Library
from vscan.engines.timed_encoder import TimedEncoder
from vscan.scanning import prepare, run_scan
from vscan.settings import ScanSettings
from vscan.sources import Source
from vscan.timings import Spent, Timings

BURNT_S = 0.05
"""CPU seconds that a test spends where it should be seen."""


def burn(seconds: float = BURNT_S) -> None:
    """Spends that much CPU time in the calling thread."""
    until_s = time.thread_time() + seconds
    while time.thread_time() < until_s:
        sum(range(1000))


def spent(timings: Timings) -> Spent:
    """What came of it, once it began."""
    told = timings.spent()
    assert told is not None
    return told


@pytest.fixture
def begun() -> Timings:
    """Timings of a run that has begun."""
    timings = Timings()
    timings.begin()
    return timings


def aside(work: Callable[[], None]) -> threading.Thread:
    """A thread that does this."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_nothing_is_lost_among_threads(begun: Timings) -> None:
    """What many threads add at once is all there, each step and each video."""

    def add(_: int) -> None:
        begun.add_video({"decode": 0.25, "pdq": 0.5, "surprise": 9.0}, {"decode": 0.25}, samples=3)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(2000)))
    told = spent(begun)
    assert (500.0, 1000.0) == (told.cpu_s["decode"], told.cpu_s["pdq"])
    assert (2000, 6000) == (told.videos, told.samples)


def test_a_thread_pays_for_itself(begun: Timings) -> None:
    """A step costs what its own thread did, and no waiting; the others' work is `other`."""
    done = aside(lambda: burn(4 * BURNT_S))
    with begun.of_thread("judge"):
        burn()
        done.join()
    told = spent(begun)
    assert BURNT_S <= told.cpu_s["judge"] < 3 * BURNT_S
    assert told.cpu_s["other"] >= 3 * BURNT_S


@pytest.mark.skipif(sys.platform != "linux", reason="no clock of other threads there")
def test_the_model_pays_for_no_other_thread(begun: Timings) -> None:
    """What Python's other threads do while the model works is not its cost."""
    working, may_end = threading.Event(), threading.Event()

    def beside() -> None:
        burn(6 * BURNT_S)
        working.set()
        may_end.wait()

    thread = aside(beside)
    with begun.of_model():
        burn()
        working.wait()
    may_end.set()
    thread.join()
    assert BURNT_S <= spent(begun).cpu_s["model"] < 4 * BURNT_S


def test_a_timed_encoder_is_the_same(begun: Timings) -> None:
    """Its vectors are the encoder's own, and the model has worked."""
    pictures = np.zeros((3, 16, 16, 3), np.uint8)
    timed = TimedEncoder(ColourEncoder(), begun)
    assert ColourEncoder.batch_size == timed.batch_size
    same = ColourEncoder().encode_images(pictures)
    np.testing.assert_array_equal(same, timed.encode_images(pictures))
    assert 0 < spent(begun).model_wall_s


def test_every_step_of_a_scan_is_told(library: Library) -> None:
    """A scan with a model tells what each of its steps took, and one after the other they are no
    more than the whole."""
    pack, index = (str(library.folder / name) for name in ("known.toml", "index"))
    prepared = prepare(ScanSettings(policy=pack, indexes=(index,), workers=1))
    model = ColourEncoder()
    recipe = replace(
        prepared.recipe,
        signals=("embedding", "pdq"),
        image=model.image_spec,
        model=model.fingerprint,
    )
    timings = Timings()
    source = Source("plain.mp4", library.good)
    list(run_scan(replace(prepared, recipe=recipe, encoder=model), [source], timings=timings))
    told = spent(timings)
    assert (1, model.pictures) == (told.videos, told.samples)
    # Not the hashes: the clock of a reader, which has a limit on its CPU time, goes by ticks.
    assert {"digests", "decode", "judge", "model", "readers"} <= {
        step for step, cpu_s in told.cpu_s.items() if cpu_s > 0
    }
    assert told.all_s == pytest.approx(told.run.cpu_s, rel=0.01)


def test_nothing_began() -> None:
    """Before a first source there is nothing to tell."""
    assert Timings().spent() is None
