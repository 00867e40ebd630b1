"""Seats given out in proportion: by largest remainders, and to nobody more than can be filled."""

from __future__ import annotations

from collections.abc import Mapping


def apportioned(
    seats: int, weights: Mapping[str, float], most: Mapping[str, int]
) -> dict[str, int]:
    """Whole seats by name, in proportion to the weights; `sum(most)` where that is less than asked.

    Hamilton's method (largest remainders; Balinski & Young, Fair Representation, 1982): each gets
    the whole part of its exact share, and the largest remainders one more. Who cannot fill an exact
    share gets its `most`, and the others share the rest. Of equal remainders the earlier name of
    `weights` wins. A weight of 0 gets none. Raises ValueError for a negative weight.
    """
    if any(weight < 0 for weight in weights.values()):
        raise ValueError("a weight is negative")
    given = dict.fromkeys(weights, 0)
    sharing = [name for name, weight in weights.items() if weight > 0]
    left = min(seats, sum(most[name] for name in sharing))
    while sharing:
        total = sum(weights[name] for name in sharing)
        exact = {name: left * weights[name] / total for name in sharing}
        full = [name for name in sharing if exact[name] >= most[name]]
        if not full:
            return given | _by_remainders(left, exact)
        for name in full:
            given[name] = most[name]
            left -= most[name]
        sharing = [name for name in sharing if name not in full]
    return given


def _by_remainders(seats: int, exact: Mapping[str, float]) -> dict[str, int]:
    # A share that only rounding keeps from being whole is whole.
    whole = {name: int(share + 1e-9) for name, share in exact.items()}
    order = sorted(exact, key=lambda name: round(whole[name] - exact[name], 9))
    for name in order[: seats - sum(whole.values())]:
        whole[name] += 1
    return whole
