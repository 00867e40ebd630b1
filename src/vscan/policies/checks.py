"""What must hold between the keys of a policy pack, beyond each key on its own.

Works on plain TOML values and skips whatever has the wrong type, so that these problems are told
together with those of single keys, not one run later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vscan.toml_lines import KeyPath

ASCENDING = ("review", "escalate", "remove")
"""Threshold keys from the mildest to the most severe action."""


@dataclass(frozen=True)
class Contradiction:
    """Keys that do not fit together: where it shows, and how to mend it."""

    path: KeyPath
    message: str
    hint: str = ""
    see: KeyPath = ()
    """The earlier key that it collides with, where there is one."""


def pack_contradictions(pack: Mapping[str, object]) -> list[Contradiction]:
    """Everything between the keys of a whole pack, given as TOML read it."""
    found: list[Contradiction] = []
    policies = pack.get("policy")
    neutral = bool(pack.get("neutral"))
    first_with: dict[str, int] = {}
    for number, policy in enumerate(policies if isinstance(policies, list | tuple) else ()):
        if not isinstance(policy, Mapping):
            continue
        found += policy_contradictions(policy, ("policy", number))
        if policy.get("prompts") and not policy.get("contrast") and not neutral:
            found.append(
                Contradiction(
                    ("policy", number, "prompts"),
                    "prompts have nothing to be scored against",
                    "add contrast prompts here, or neutral prompts to the pack",
                )
            )
        identifier = policy.get("id")
        if not isinstance(identifier, str):
            continue
        if identifier in first_with:
            found.append(
                Contradiction(
                    ("policy", number, "id"),
                    f"{identifier!r} is the id of an earlier policy too",
                    see=("policy", first_with[identifier], "id"),
                )
            )
        first_with.setdefault(identifier, number)
    return found


def policy_contradictions(policy: Mapping[str, object], path: KeyPath = ()) -> list[Contradiction]:
    """Everything between the keys of one policy that stands at `path`."""
    found: list[Contradiction] = []
    thresholds = policy.get("thresholds")
    if not policy.get("prompts") and not policy.get("indexes"):
        shown = "prompts" if "prompts" in policy else "indexes" if "indexes" in policy else ""
        found.append(
            Contradiction(
                (*path, shown) if shown else path,
                "a policy needs prompts or exemplar indexes, and has neither",
                'add prompts = ["…"], or indexes = ["…"]',
            )
        )
    elif policy.get("prompts") and not thresholds:
        found.append(
            Contradiction(
                (*path, "thresholds") if "thresholds" in policy else path,
                "prompts need at least one threshold, and there is none",
                "add [policy.thresholds] with review = 0.8",
            )
        )
    if isinstance(thresholds, Mapping):
        found += threshold_contradictions(thresholds, (*path, "thresholds"))
    return found


def threshold_contradictions(
    thresholds: Mapping[str, object], path: KeyPath = ()
) -> list[Contradiction]:
    """Thresholds of more severe actions that lie below those of milder ones."""
    found: list[Contradiction] = []
    milder: tuple[str, float] | None = None
    for action in ASCENDING:
        value = thresholds.get(action)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if milder is not None and value < milder[1]:
            found.append(
                Contradiction(
                    (*path, action),
                    f"{action} = {value:g} lies below {milder[0]} = {milder[1]:g}",
                    "thresholds ascend: review <= escalate <= remove",
                    see=(*path, milder[0]),
                )
            )
        else:
            milder = (action, float(value))
    return found
