"""Turns are taken in order, and who waits for one is told of without a moment's error."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from vscan.decode.turns import Turns


def wait_for(told: list[object], count: int) -> None:
    """Blocks until so many things were told; fails after ten seconds."""
    give_up = time.monotonic() + 10
    while len(told) < count:
        assert time.monotonic() < give_up
        time.sleep(0.001)


def test_first_come_first_served() -> None:
    """With one place, callers go on in the order in which they came; each wait is told twice."""
    told: list[object] = []
    turns = Turns(1, stalls=lambda: told.append(1), resumes=lambda: told.append(-1))
    order: list[int] = []

    def go(number: int) -> None:
        with turns.turn():
            order.append(number)

    with ThreadPoolExecutor(4) as pool:
        with turns.turn():
            for number in range(4):
                pool.submit(go, number)
                wait_for(told, number + 1)
        pool.shutdown()
    assert [0, 1, 2, 3] == order
    assert [1, 1, 1, 1, -1, -1, -1, -1] == told


def test_the_one_that_leaves_tells() -> None:
    """Before a turn has ended for the one that leaves, the next one no longer counts as waiting."""
    told: list[object] = []
    turns = Turns(
        1,
        stalls=lambda: told.append(("stalls", threading.current_thread().name)),
        resumes=lambda: told.append(("resumes", threading.current_thread().name)),
    )

    def go() -> None:
        with turns.turn():
            pass

    other = threading.Thread(target=go, name="other")
    with turns.turn():
        other.start()
        wait_for(told, 1)
    other.join(10)
    assert [("stalls", "other"), ("resumes", threading.current_thread().name)] == told


def test_a_turn_ends_with_an_error() -> None:
    """A block that raises gives its place back, and one that finds it free is not told to wait."""
    told: list[object] = []
    turns = Turns(1, stalls=lambda: told.append(1))
    for _ in range(3):
        try:
            with turns.turn():
                raise ValueError("as a damaged file may")
        except ValueError:
            pass
    assert not told
