"""The whole simulation: shards with their misfortunes, merged and held against the truth."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bench.scheduler.checks import check_merged, check_shards
from bench.scheduler.keeper import FORK, Keeper
from bench.scheduler.listing import write_listings
from bench.scheduler.misfortunes import Misfortune, deal, those_of
from bench.scheduler.shard_run import Pieces, own_pieces
from bench.scheduler.truth import TROUBLE_CODES, Rates, World
from vscan.errors import VscanError
from vscan.shards import Shard


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """What a simulation came to."""

    seed: int
    sources: int
    shards: int
    rates: Mapping[str, float]
    """Shares of the sources, as `truth.Rates` has them."""
    runs: int
    injected: Mapping[str, int]
    """How often each fault did happen."""
    cost: Mapping[str, int]
    """By fault, tries of a source that came to no answer, or were another shard's."""
    readings: int
    """Readings of a source that were begun, in all runs."""
    read_again: int
    """Readings that came to their end, though the source was read to its end before or elsewhere:
    what faults, and runs at one time, cost."""
    hashed_again: int
    """Times that a source was hashed which had its answer."""
    drawn_ahead: int
    """The most sources that were drawn from a listing and had no verdict yet."""
    grown_bytes: int
    """The most memory that a run took beyond what it began with."""
    wall_s: float
    wrong: tuple[str, ...] = field(default=())
    """What must not be; empty where everything held."""

    def to_json(self) -> bytes:
        """One JSON object, indented."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def simulate(
    world: World, *, shards: int, misfortunes: int, processes: int, pieces: Pieces | None = None
) -> Simulated:
    """Runs all shards to their ends, `processes` at a time, each through so many misfortunes."""
    pieces = own_pieces() if pieces is None else pieces
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vscan-scheduler-") as name:
        folder = Path(name)
        listings, twice = write_listings(world, folder)
        keepers = []
        for number in range(shards):
            place = folder / f"shard-{number + 1}"
            place.mkdir()
            keepers.append(Keeper(world, Shard(number + 1, shards), listings, place, pieces))
        kinds = those_of(pieces.outputs)
        kept = _keep_all(keepers, deal(kinds, shards, misfortunes, world.seed), processes)
        wrong = [each for one in kept for each in one["wrong"]]
        read = {number for one in kept for number in one["read"]}
        wrong += check_shards(kept, world)
        try:
            merged = pieces.outputs.merge([each.output for each in keepers], folder / "all.jsonl")
            wrong += check_merged(world, merged, folder / "all.jsonl", read)
        except VscanError as error:
            wrong.append(f"the merge failed: {error}")
        return _told(world, shards, kept, kinds, twice, tuple(wrong), time.monotonic() - begun)


def _keep_all(
    keepers: list[Keeper], hands: list[list[Misfortune]], processes: int
) -> list[dict[str, Any]]:
    """Each keeper in a process of its own: what they say in the end, in order."""
    waiting = list(zip(keepers, hands, strict=True))
    active: list[Any] = []
    while waiting or active:
        while waiting and len(active) < processes:
            process = FORK.Process(target=_keep, args=waiting.pop(0))
            process.start()
            active.append(process)
        time.sleep(0.005)
        active = [each for each in active if each.is_alive()]
    said = [keeper.folder / "kept.json" for keeper in keepers]
    return [
        orjson.loads(path.read_bytes()) if path.exists()
        else {"wrong": [f"{path.parent.name}: its keeper failed"], "read": []}
        for path in said
    ]  # fmt: skip


def _keep(keeper: Keeper, misfortunes: list[Misfortune]) -> None:
    kept = keeper.keep(misfortunes)
    (keeper.folder / "kept.json").write_bytes(kept.to_json())


def _told(
    world: World, shards: int, kept: list[dict[str, Any]], kinds: tuple[Misfortune, ...],
    twice: int, wrong: tuple[str, ...], wall_s: float,
) -> Simulated:  # fmt: skip
    def added(name: str) -> Counter[str]:
        return sum((Counter(each.get(name, {})) for each in kept), Counter[str]())

    met, troubles = added("met"), added("troubles")
    read = {number for each in kept for number in each["read"]}
    late = sum(truth.listed_from > 0 for truth in world.all())
    injected: dict[str, int] = {
        **{str(kind): troubles[kind] for kind in TROUBLE_CODES},
        **{str(kind): met[kind] for kind in kinds},
        "named_twice": twice,
        "listed_later": late,
    }
    return Simulated(
        seed=world.seed,
        sources=world.sources,
        shards=shards,
        rates=_rates(world.rates),
        runs=sum(each.get("runs", 0) for each in kept),
        injected=injected,
        cost=dict(added("cost")),
        readings=sum(each.get("readings", 0) for each in kept),
        read_again=sum(each.get("read_to_end", 0) for each in kept) - len(read),
        hashed_again=sum(each.get("hashed_again", 0) for each in kept),
        drawn_ahead=max(each.get("drawn_ahead", 0) for each in kept),
        grown_bytes=max(each.get("grown_bytes", 0) for each in kept),
        wall_s=round(wall_s, 1),
        wrong=wrong,
    )


def _rates(rates: Rates) -> dict[str, float]:
    return asdict(rates)
