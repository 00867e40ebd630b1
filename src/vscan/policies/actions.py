"""Recommended actions and severities, both in order; a verdict recommends, a decision enforces."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal


class Action(IntEnum):
    """What a verdict recommends; compares by how severe it is: ALLOW < REVIEW < ESCALATE < REMOVE.

    `str(action)` is the word of the record, as `review`.
    """

    ALLOW = 0
    REVIEW = 1
    ESCALATE = 2
    REMOVE = 3

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Action:
        """The action that `word` (as `review`) names. Raises ValueError for any other word."""
        for action in cls:
            if str(action) == word:
                return action
        raise ValueError(f"{word!r} is no action; actions: {', '.join(map(str, cls))}")


Severity = Literal["low", "medium", "high", "critical"]
"""How grave a violation of a policy is."""

SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
"""From the mildest to the gravest."""
