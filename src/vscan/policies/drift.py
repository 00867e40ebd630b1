"""What a certificate of a pack rests on, and whether the pack still says that."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import orjson

from vscan.policies.pack import Policy, PolicyPack

ACTIONS = ("review", "escalate", "remove")
"""Those with a threshold, the mildest first."""


def wording_digest(pack: PolicyPack, policy: Policy) -> str:
    """`sha256:…` of the texts that decide a policy's score: two packs with the same one give every
    sample the same score, on one model. The order of texts does not count, how often one stands
    does."""
    texts: list[Sequence[str]] = [
        sorted(policy.prompts),
        sorted(policy.contrast),
        sorted(pack.neutral),
        sorted(pack.templates),
    ]
    return f"sha256:{hashlib.sha256(orjson.dumps(texts)).hexdigest()}"


def opens_at(policy: Policy, action: str) -> float | None:
    """The policy's lowest threshold, where it is a milder action's than `action`."""
    milder = ACTIONS[: ACTIONS.index(action)]
    return min(
        (value for each in milder if (value := getattr(policy.thresholds, each)) is not None),
        default=None,
    )


def drifted(pack: PolicyPack, policy: Policy) -> Iterator[tuple[str, str]]:
    """Actions whose threshold is no longer what was certified, each with what has changed."""
    calibration = policy.calibration
    for action, held in () if calibration is None else calibration.certificates():
        now = getattr(policy.thresholds, action)
        if now is None:
            yield action, f"{action} was certified at {held.threshold:g} and is not there any more"
        elif now != held.threshold:
            yield action, f"{action} is {now:g}, and {held.threshold:g} was certified"
        if wording_digest(pack, policy) != held.wording:
            yield action, f"prompts, contrast, neutral or templates changed since {action} was"
        for key in ("min_duration_s", "release"):
            if (given := getattr(policy, key)) != (before := getattr(held, key)):
                yield action, f"{action} was certified with {key} = {before:g}, and it is {given:g}"
        if opens_at(policy, action) != held.opens_at:
            yield action, f"the lowest threshold changed since {action} was certified"
