"""The sample of flips: the same for the same seed, whatever the order, and nobody left out."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from vscan.metrics.backtest.flip import Direction, Flip, PolicyChange, Side
from vscan.metrics.backtest.flip_sample import FlipSample, Sample

SIDE = Side(
    action="allow", state="below_threshold", score=0.5, threshold=0.6, threshold_action="review"
)


def flip(uri: str, *changes: tuple[str, Direction]) -> Flip:
    """A flip of these policies."""
    return Flip(
        uri=uri, sha256=None, duration_s=None, meta={}, old_outcome="clear", old_action="allow",
        new_outcome="review", new_action="review",
        policies=tuple(
            PolicyChange(policy=policy, change=change, old=SIDE, new=SIDE, reason="")
            for policy, change in changes
        ),
    )  # fmt: skip


FLIPS = [
    *(flip(f"a{n}", ("alcohol", "gained")) for n in range(200)),
    *(flip(f"b{n}", ("alcohol", "lost")) for n in range(3)),
    flip("c", ("weapons", "gained"), ("alcohol", "lost")),
]


def drawn(flips: list[Flip], size: int, seed: int) -> Sample:
    """The sample after all of them."""
    sample = FlipSample(size, seed)
    for each in flips:
        sample.see(each)
    return sample.drawn()


@settings(deadline=None)
@given(size=st.integers(1, 30), seed=st.integers(), shuffle=st.randoms(use_true_random=False))
def test_order_does_not_matter(size: int, seed: int, shuffle: random.Random) -> None:
    """The same flips in any order give the same sample, of different videos."""
    flips = list(FLIPS)
    shuffle.shuffle(flips)
    sample = drawn(flips, size, seed)
    assert sample == drawn(FLIPS, size, seed)
    assert min(size, len(FLIPS)) == len({each.uri for each in sample.flips}) == len(sample.flips)


def test_rare_strata_are_in_it() -> None:
    """Policies and directions take turns: two rare ones stand beside 200 of a frequent one."""
    sample = drawn(FLIPS, 6, 1)
    assert "c" in {each.uri for each in sample.flips}
    counts = {(each.policy, each.change): each for each in sample.strata}
    assert {("alcohol", "gained"): 200, ("alcohol", "lost"): 4, ("weapons", "gained"): 1} == {
        stratum: each.flips for stratum, each in counts.items()
    }
    assert all(each.sampled >= 1 for each in sample.strata)


def test_the_seed_decides() -> None:
    """Other seeds draw other flips."""
    assert drawn(FLIPS, 10, 1).flips != drawn(FLIPS, 10, 2).flips


def test_less_than_was_asked_for() -> None:
    """Fewer flips than asked: all of them."""
    assert {"x", "y"} == {
        each.uri
        for each in drawn([flip("x", ("a", "gained")), flip("y", ("a", "lost"))], 9, 0).flips
    }
    assert () == drawn([], 9, 0).flips
