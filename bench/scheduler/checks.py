"""What must hold in the end: every source has its line, as the truth says, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from bench.scheduler.reading import PROVENANCE, verdict_of
from bench.scheduler.shard_run import DRAWN_AHEAD
from bench.scheduler.truth import World
from bench.scheduler.watching import told_numbers
from vscan.digests import Digests
from vscan.store.merging import Merged

BASE_BYTES = 48 << 20
"""Memory that a run may take for itself: threads, tables of its libraries."""
LISTED_BYTES = 400
"""And for each source that is listed, since a finder remembers each name as a digest; what held the
sources themselves would take twice as much."""


def check_shards(kept: Sequence[dict[str, Any]], world: World) -> list[str]:
    """What is wrong about how the runs went."""
    wrong = []
    ahead = max(each.get("drawn_ahead", 0) for each in kept)
    if ahead > DRAWN_AHEAD:
        wrong.append(f"{ahead} sources were drawn ahead of their verdicts, {DRAWN_AHEAD} may be")
    grown = max(each.get("grown_bytes", 0) for each in kept)
    most = BASE_BYTES + LISTED_BYTES * world.sources
    if grown > most:
        wrong.append(f"a run took {grown} bytes of memory, {most} are allowed")
    return wrong


def check_merged(world: World, merged: Merged, path: Path, read: set[int]) -> list[str]:
    """What is wrong about the file that all shards came to. read: sources that were read to their
    end by some run."""
    found: dict[int, int] = {}
    untrue: list[int] = []
    unread: list[int] = []
    order: list[str] = []
    for line in path.read_bytes().splitlines(keepends=True):
        record = orjson.loads(line)
        order.append(record["source"]["uri"])
        truth = world.of(order[-1])
        found[truth.number] = found.get(truth.number, 0) + 1
        if record["outcome"] != "error" and truth.number not in read:
            unread.append(truth.number)
        if not _is_true(world, truth.number, record, line):
            untrue.append(truth.number)
    lost = set(range(world.sources)) - found.keys()
    strange = found.keys() - set(range(world.sources))
    told = {
        "lost": lost,
        "of no source": strange,
        "with more than one line": {each for each, count in found.items() if count > 1},
        "not as the truth says": untrue,
        "judged without having been read": unread,
    }
    wrong = [f"{what}: {told_numbers(numbers)}" for what, numbers in told.items() if numbers]
    if order != sorted(order):
        wrong.append("merged lines are not in order")
    if merged.lines != world.sources or merged.conflicts or merged.torn:
        wrong.append(
            f"the merge told {merged.lines} lines, {merged.conflicts} conflicts,"
            f" {len(merged.torn)} torn files"
        )
    return wrong


def _is_true(world: World, number: int, record: dict[str, Any], line: bytes) -> bool:
    truth = world.truth(number)
    if truth.code is not None:
        told = (record["outcome"], record.get("error", {}).get("code"), record["source"]["sha256"])
        return told == ("error", truth.code, truth.sha256)
    assert truth.sha256 is not None
    digests = Digests(truth.sha256, "0" * 32, truth.bytes)
    return line == verdict_of(truth.uri, truth.outcome, digests, PROVENANCE).to_line()
