"""What happens to the runs of a shard from outside, and in which order."""

from __future__ import annotations

import random
from typing import Literal

from bench.scheduler.outputs import OUTPUT_FAULTS, OutputFault

Misfortune = Literal[
    "killed", "terminated", "second_run", "other_shards", "disk_full", "torn_line",
    "killed_rewriting",
]  # fmt: skip
"""`killed`: SIGKILL at a random moment. `terminated`: SIGTERM. `second_run`: another run on the
same output meanwhile. `other_shards`: the output is given to a shard of another number of shards.
`torn_line`: SIGKILL within a line. `killed_rewriting`: SIGKILL before a rewritten file takes its
place."""
MISFORTUNES: tuple[Misfortune, ...] = (
    "killed", "torn_line", "disk_full", "terminated",
    "second_run", "killed_rewriting", "other_shards",
)  # fmt: skip


def deal(shards: int, each: int, seed: int) -> list[list[Misfortune]]:
    """Misfortunes of every shard, `each` of them: kinds go round, so that all have their turn where
    shards times `each` is at least as many as there are."""
    # In the order above: what breaks runs off comes before what lets them end, and there is
    # something to rewrite only after a run whose errors pass.
    chosen = random.Random(seed)
    dealt: list[Misfortune] = []
    while len(dealt) < shards * each:
        dealt += chosen.sample(MISFORTUNES, len(MISFORTUNES))
    hands = [dealt[number : shards * each : shards] for number in range(shards)]
    return [sorted(hand, key=MISFORTUNES.index) for hand in hands]


def as_fault(kind: Misfortune) -> OutputFault | None:
    """The fault of the output that it is, if it is one."""
    return next((fault for fault in OUTPUT_FAULTS if fault == kind), None)
