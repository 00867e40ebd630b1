"""Why a policy says something else of a video, in words that a person can check."""

from __future__ import annotations

from vscan.metrics.backtest.flip import Side


def reason(policy: str, old: Side, new: Side) -> str:
    """As `drugs.tobacco: 0.66 >= review 0.60, was below 0.70`."""
    same = old.score is not None and old.score == new.score
    return f"{policy}: {_now(new)}, {_before(old, repeat=not same)}"


def _now(side: Side) -> str:
    if side.state == "fires":
        return _fires(side)
    if side.state == "not_in_pack":
        return "not in the new pack"
    return _silent(side, repeat=True)


def _before(side: Side, *, repeat: bool) -> str:
    """The old side; its score is left out where the new side has the same."""
    if side.state == "fires":
        return f"was {_fires(side, repeat=repeat)}"
    if side.state == "not_in_pack":
        return "not in the old pack"
    return f"was {_silent(side, repeat=repeat)}"


def _fires(side: Side, *, repeat: bool = True) -> str:
    if side.exemplar is not None:
        match = f"{side.exemplar} ({side.signal} {_number(side.score)})"
        return f"{side.action} by a match with {match}"
    score = f"{_number(side.score)} " if repeat else ""
    graver = ""
    if side.next_threshold is not None:
        graver = f" and below {side.next_action} {_number(side.next_threshold)}"
    return f"{score}>= {side.action} {_number(side.threshold)}{graver}"


def _silent(side: Side, *, repeat: bool) -> str:
    """Why a policy of the pack does not fire."""
    if side.state == "suppressed":
        return f"set aside by the benign exemplar {side.exemplar}" if side.exemplar else "set aside"
    if side.state == "elsewhere":
        return "the match counts under a policy of the pack"
    score = f"{_number(side.score)} " if repeat else ""
    limit = f"{side.threshold_action} {_number(side.threshold)}"
    if side.state == "below_threshold":
        return f"{score}below {limit}"
    if side.state == "too_short":
        return f"{score}>= {limit} for too short a time"
    return "without a match"


def _number(value: float | None) -> str:
    """With two decimals at least, and with as many of four as it has."""
    if value is None:
        return "-"
    decimals = f"{value:.4f}".rstrip("0").partition(".")[2]
    return f"{value:.{max(2, len(decimals))}f}"
