"""A decision made on a line of a verdict file."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from vscan.decisions.decision import Decision, Kind, Reason, Ruling, moment, new_id
from vscan.errors import DecisionError


def decide(
    record: dict[str, Any],
    *,
    ruling: str,
    reviewer: str,
    at: datetime,
    policy: str | None = None,
    reason: str | None = None,
    kind: str = "first",
    about: str | None = None,
    market: str | None = None,
    seconds_viewed: float | None = None,
    note: str = "",
    asked: bool = False,
) -> Decision:
    """The decision on a verdict, with its source and the segments that it flags.

    record: the verdict's line as plain values. at: with a time zone. market: where None, what the
    verdict's `source.meta` says. asked: whether it was asked for although the policy may not have
    fired; it can then be upheld or escalated too, with no segments. Raises DecisionError where the
    parts do not hold together, or the policy did not fire; only a missed segment can be found under
    one that did not.
    """
    fired = {finding["policy"]: finding["segments"] for finding in record["findings"]}
    silent = policy is not None and policy not in fired
    if silent and reason != "missed_segment" and not (asked and ruling != "overturn"):
        told = f"it has {', '.join(sorted(fired))}" if fired else "it has none"
        raise DecisionError(
            f"{record['id']} has no finding under {policy!r}: {told}",
            remedy="name one of its policies, leave --policy out to rule on the whole verdict, or "
            "overturn it for missed_segment",
        )
    wanted = fired if policy is None else {policy: fired.get(policy, [])}
    spans = {
        (float(segment["start_s"]), float(segment["end_s"]))
        for segments in wanted.values()
        for segment in segments
    }
    source = record["source"]
    said = source.get("meta", {}).get("market")
    return Decision(
        id=new_id(),
        kind=cast("Kind", kind),
        about=about,
        verdict=record["id"],
        uri=source["uri"],
        sha256=source["sha256"],
        policy=policy,
        ruling=cast("Ruling", ruling),
        reason=cast("Reason | None", reason),
        segments=tuple(sorted(spans)),
        reviewer=reviewer,
        market=said if market is None and isinstance(said, str) and said else market,
        seconds_viewed=seconds_viewed,
        decided_at=moment(at),
        note=note,
    )
