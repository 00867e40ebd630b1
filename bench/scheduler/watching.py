"""What lies in a shard's output between its runs, and what each run may and may not have done."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from bench.scheduler.journal import Event
from bench.scheduler.outputs import Outputs
from bench.scheduler.truth import Truth, World
from vscan.shards import Shard

if TYPE_CHECKING:
    from bench.scheduler.keeper import Kept

MOST_TOLD = 5


@dataclass
class Seen:
    """An output at one moment, by sources' numbers."""

    final: set[int] = field(default_factory=set)
    """With an answer that no later run may ask for again."""
    passing: dict[int, str] = field(default_factory=dict)
    """Without one: code of the error that the last line has."""


def see(world: World, outputs: Outputs, place: Path, shard: Shard) -> Seen:
    """What lies there. What is an answer is told by the truth, not by vscan's rule."""
    seen = Seen()
    for line in outputs.lines(place, shard):
        record: dict[str, Any] = orjson.loads(line)
        truth = world.of(record["source"]["uri"])
        code = record.get("error", {}).get("code")
        if truth.final and code == truth.code:
            seen.final.add(truth.number)
            seen.passing.pop(truth.number, None)
        elif truth.number not in seen.final:
            seen.passing[truth.number] = code
    return seen


def after_run(
    kept: Kept,
    noted: Mapping[Event, list[int]],
    before: Seen,
    after: Seen,
    *,
    shard: Shard,
    home: Shard,
    world: World,
    owed_to: str | None,
    shared: bool,
) -> None:
    """Adds to `kept` what one run did, and what of it must not be.

    shard: that the run was given; home: whose output it is. owed_to: the misfortune that the run
    met, whose cost is what the run began and left no line of, or, unless the output is shared,
    what is another shard's.
    """
    begun, hashed = set(noted["begun"]), set(noted["hashed"])
    told = after.final | after.passing.keys()
    _tell(kept, "read twice within a run", _twice(noted["begun"]))
    _tell(kept, "read again in spite of an answer", begun & before.final)
    _tell(
        kept, "lost from an output", (before.final - after.final) | (before.passing.keys() - told)
    )
    strangers = {each for each in hashed if not belongs(world.truth(each), shard)}
    _tell(kept, f"tried by the shard {shard}, though another's", strangers)
    kept.readings += len(begun)
    kept.read.update(noted["read"])
    kept.read_to_end += len(noted["read"])
    kept.hashed_again += len(before.final & hashed)
    for number in hashed & after.passing.keys():
        truth = world.truth(number)
        if truth.trouble is not None:
            kept.troubles[truth.trouble] += 1
            kept.cost[truth.trouble] += 1
        elif number in before.passing:
            kept.cost["no answer ever"] += 1
    if owed_to == "other_shards" and not shared:
        kept.cost[owed_to] += sum(not belongs(world.truth(each), home) for each in begun)
    elif owed_to is not None:
        kept.cost[owed_to] += len(begun - told)


def belongs(truth: Truth, shard: Shard) -> bool:
    """Whether a shard has that source, by the rule as docs/runs.md has it."""
    digest = hashlib.sha256(truth.uri.encode()).digest()
    return int.from_bytes(digest[:8], "big") % shard.count + 1 == shard.number


def told_numbers(numbers: Iterable[int]) -> str:
    """Some of them, and how many there are."""
    ordered = sorted(numbers)
    more = len(ordered) - MOST_TOLD
    some = ", ".join(map(str, ordered[:MOST_TOLD]))
    return f"{some} and {more} more" if more > 0 else some


def _tell(kept: Kept, what: str, numbers: set[int]) -> None:
    if numbers:
        kept.wrong.append(f"{what}: {told_numbers(numbers)}")


def _twice(numbers: list[int]) -> set[int]:
    return {each for each, count in Counter(numbers).items() if count > 1}
