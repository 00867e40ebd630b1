"""What happens to the runs of a shard from outside, and in which order."""

from __future__ import annotations

import random
from typing import Literal

from bench.scheduler.outputs import OutputFault, Outputs

Misfortune = Literal["killed", "terminated", "second_run", "other_shards"] | OutputFault
"""`killed`: SIGKILL at a random moment. `terminated`: SIGTERM. `second_run`: another run on the
same output meanwhile. `other_shards`: the output is given to a shard of another number of shards.
`disk_full`: nothing more can be written.

Of files, `torn_line`: SIGKILL within a line. `killed_rewriting`: SIGKILL before a rewritten file
takes its place. Of parts, `killed_storing`: SIGKILL before a part that is written takes its name.
`killed_between`: SIGKILL when the part is there, and the manifest does not name it."""
MISFORTUNES: tuple[Misfortune, ...] = (
    "killed", "torn_line", "killed_storing", "killed_between", "disk_full", "terminated",
    "second_run", "killed_rewriting", "other_shards",
)  # fmt: skip
_ONLY_SOME = ("torn_line", "killed_rewriting", "killed_storing", "killed_between", "disk_full")


def those_of(outputs: Outputs) -> tuple[Misfortune, ...]:
    """What can happen to runs with such an output, in the order above."""
    return tuple(each for each in MISFORTUNES if each not in _ONLY_SOME or as_fault(each, outputs))


def deal(
    kinds: tuple[Misfortune, ...], shards: int, each: int, seed: int
) -> list[list[Misfortune]]:
    """Misfortunes of every shard, `each` of them: kinds go round, so that all have their turn where
    shards times `each` is at least as many as there are."""
    # In the order above: what breaks runs off comes before what lets them end, and there is
    # something to rewrite only after a run whose errors pass.
    chosen = random.Random(seed)
    dealt: list[Misfortune] = []
    while len(dealt) < shards * each:
        dealt += chosen.sample(kinds, len(kinds))
    hands = [dealt[number : shards * each : shards] for number in range(shards)]
    return [sorted(hand, key=MISFORTUNES.index) for hand in hands]


def as_fault(kind: Misfortune, outputs: Outputs) -> OutputFault | None:
    """The fault of the output that it is, if it is one."""
    return next((fault for fault in outputs.faults if fault == kind), None)
