"""vscan's scheduling, resuming and merging under faults; and that the simulation would tell."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest
from bench.scheduler.misfortunes import MISFORTUNES, Misfortune, deal, those_of
from bench.scheduler.outputs import FileOutputs, Outputs
from bench.scheduler.part_outputs import INTERVAL_S, PartOutputs
from bench.scheduler.reading import FakeReading
from bench.scheduler.shard_run import DRAWN_AHEAD, Pieces, own_pieces
from bench.scheduler.simulation import Simulated, simulate
from bench.scheduler.truth import TROUBLE_CODES, World, number_of

from vscan.digests import Digests
from vscan.engines import local
from vscan.measuring import Measured
from vscan.shards import Shard, share_of
from vscan.sources import Found, Source
from vscan.store.merging import Merged
from vscan.store.records import RecordFile, RecordSink
from vscan.store.verdict_folder import VerdictFolder
from vscan.store.verdict_parts import RecordParts
from vscan.verdicts import Verdict

ROOT = Path(__file__).parents[2]


def holds(came: Simulated, outputs: Outputs) -> None:
    """Every fault did happen, and nothing came of it but work done again."""
    assert came.wrong == ()
    expected = {*TROUBLE_CODES, *those_of(outputs), "named_twice", "listed_later"}
    assert expected == {kind for kind, count in came.injected.items() if count > 0}
    assert came.drawn_ahead <= DRAWN_AHEAD


@pytest.mark.parametrize(("output", "misfortunes"), [("file", 5), ("parts", 4)])
def test_nothing_is_lost_under_faults(
    output: Literal["file", "parts"], misfortunes: int
) -> None:  # fmt: skip
    """2,000 sources with every fault: each has one line in the end, as the truth says, and what
    had its answer was not read again. Parts cost readings that were done for nothing, and no more
    than that."""
    pieces = own_pieces(output)
    world = World(1, 2000)
    came = simulate(world, shards=2, misfortunes=misfortunes, processes=2, pieces=pieces)
    holds(came, pieces.outputs)
    assert came.readings >= 2000 - came.sources * came.rates["absent"] * 2
    assert came.read_again > 0
    if output == "parts":
        assert sum(came.cost[kind] for kind in ("killed_storing", "disk_full", "second_run")) > 0


@pytest.mark.soak
@pytest.mark.parametrize("output", ["file", "parts"])
def test_nothing_is_lost_of_a_hundred_thousand(output: str) -> None:
    """The same at the size that the page tells of, by its command."""
    sized = ["--sources", "100000", "--shards", "8", "--output", output]
    ran = subprocess.run(
        [sys.executable, "-m", "bench.scheduler", *sized],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert (0, "") == (ran.returncode, ran.stderr)
    assert "WRONG" not in ran.stdout


def test_misfortunes_go_round() -> None:
    """Each kind has its turn where there are turns enough, in an order in which each can happen."""
    kinds = {*those_of(FileOutputs()), *those_of(PartOutputs())}
    assert kinds == set(MISFORTUNES)
    for seed in range(5):
        hands = deal(MISFORTUNES, 3, 3, seed)
        assert {kind for hand in hands for kind in hand} == kinds
        assert all([*hand] == sorted(hand, key=MISFORTUNES.index) for hand in hands)


def chosen(uri: str) -> bool:
    """Every tenth source, on which the broken pieces below go wrong."""
    return number_of(uri) % 10 == 3


class Drops(RecordFile):
    """Does not write some of the lines."""

    def write(self, verdict: Verdict) -> None:
        if not chosen(verdict.source.uri):
            super().write(verdict)


class Forgets(RecordFile):
    """Knows nothing of what it holds."""

    def outcome_of(self, verdict_id: str) -> str | None:
        return None


class SaysFinal(RecordFile):
    """Takes every line for an answer."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        records = map(orjson.loads, path.read_bytes().splitlines())
        self._there = {record["id"]: record["outcome"] for record in records}

    def outcome_of(self, verdict_id: str) -> str | None:
        return self._there.get(verdict_id) or super().outcome_of(verdict_id)


class Cuts(RecordFile):
    """Takes away the last line that an earlier run wrote, and knows it all the same."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        lines = path.read_bytes().splitlines(keepends=True)
        os.truncate(path, sum(map(len, lines[:-1])))


class Sabotaged(FileOutputs):
    """Opens files as `made`, and takes the last line, or puts it there again, when merging."""

    def __init__(
        self, made: Callable[[Path], RecordSink] = RecordFile, *, drop: bool = False,
        twice: bool = False,
    ) -> None:  # fmt: skip
        self._made = made
        self._drop = drop
        self._twice = twice

    def open(self, place: Path, shard: Shard) -> RecordSink:
        return self._made(place)

    def merge(self, places: Sequence[Path], output: Path) -> Merged:
        merged = super().merge(places, output)
        lines = output.read_bytes().splitlines(keepends=True)
        output.write_bytes(b"".join([
            *(lines[:-1] if self._drop else lines), *(lines[-1:] if self._twice else ())
        ]))  # fmt: skip
        return merged


class Unnamed(RecordParts):
    """Counts only the parts that its manifest names."""

    def _learn(self, folder: VerdictFolder) -> None:
        super()._learn(replace(folder, parts=tuple(sorted(folder.entries))))


class Tidies(RecordParts):
    """Removes the newest part of earlier runs, and knows its lines all the same."""

    def _learn(self, folder: VerdictFolder) -> None:
        super()._learn(folder)
        for part in folder.parts[-1:]:
            (Path(folder.root) / part.path).unlink()


class Rewrites(RecordParts):
    """Stores a part under another digest than its own."""

    def _put(self, name: str, data: bytes) -> None:
        super()._put(name, data.replace(b"clear", b"CLEAR") if name[0] == "p" else data)


class SabotagedParts(PartOutputs):
    """Opens the folder as `made`."""

    def __init__(self, made: type[RecordParts]) -> None:
        self._made = made

    def open(self, place: Path, shard: Shard) -> RecordSink:
        return self._made(place, shard=shard, interval_s=INTERVAL_S)


class Blind(FakeReading):
    """Answers for some sources without having looked."""

    def measure(self, source: Source, digests: Digests, **more: Any) -> Measured:
        if not chosen(source.uri) or self.world.of(source.uri).code is not None:
            return super().measure(source, digests, **more)
        note, self.journal.note = self.journal.note, lambda *_: None  # type: ignore[method-assign]
        try:
            return super().measure(source, digests, **more)
        finally:
            self.journal.note = note  # type: ignore[method-assign]


class Mild(FakeReading):
    """Finds nothing anywhere."""

    def judge(
        self, uri: str, _meta: object, measured: Measured, *, rules: Any, **_: Any
    ) -> Verdict:
        made = super().judge(uri, _meta, measured, rules=rules)
        return replace(made, outcome="clear", action="allow", findings=())


def greedy(sources: Iterator[Found], shard: Shard, **more: Any) -> Iterator[Found]:
    """A shard that takes the next one's sources too."""
    for source in sources:
        after = Shard(shard.number % shard.count + 1, shard.count)
        if shard.holds(source.uri) or (after.holds(source.uri) and chosen(source.uri)):
            yield source
        else:
            more["leave"]()


def lazy(sources: Iterator[Found], shard: Shard, **more: Any) -> Iterator[Found]:
    """A shard that passes some of its own over."""
    return (each for each in share_of(sources, shard, **more) if not chosen(each.uri))


def eager(sources: Iterator[Found], *arguments: Any, **more: Any) -> Any:
    """An engine that is given the listing as a whole."""
    return local.run(list(sources), *arguments, **more)


def twice(sources: Iterator[Found], *arguments: Any, **more: Any) -> Any:
    """An engine that does everything twice."""
    return local.run((each for each in sources for _ in range(2)), *arguments, **more)


OWN = own_pieces()
BROKEN: dict[str, tuple[Pieces, str]] = {
    "a sink drops lines": (replace(OWN, outputs=Sabotaged(Drops)), "lost: "),
    "a sink forgets": (replace(OWN, outputs=Sabotaged(Forgets)), "in spite of an answer"),
    "a sink takes errors for answers": (
        replace(OWN, outputs=Sabotaged(SaysFinal)), "not done after",
    ),
    "a sink cuts its end off": (replace(OWN, outputs=Sabotaged(Cuts)), "lost from an output"),
    "a merge drops a line": (replace(OWN, outputs=Sabotaged(drop=True)), "lost: "),
    "a merge doubles a line": (replace(OWN, outputs=Sabotaged(twice=True)), "more than one line"),
    "a source is judged unread": (replace(OWN, reading=Blind), "without having been read"),
    "a finding is lost": (replace(OWN, reading=Mild), "not as the truth says"),
    "a shard takes more": (replace(OWN, share=greedy), "though another's"),
    "a shard takes less": (replace(OWN, share=lazy), "lost: "),
    "a listing is held": (replace(OWN, engine=eager), "drawn ahead"),
    "a source is read twice": (replace(OWN, engine=twice), "read twice within a run"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_piece_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each planted fault is found, and by what it is."""
    monkeypatch.setattr("bench.scheduler.keeper.MOST_RUNS", 5)
    pieces, expected = BROKEN[name]
    came = simulate(World(2, 150), shards=2, misfortunes=0, processes=2, pieces=pieces)
    assert any(expected in each for each in came.wrong), came.wrong


BROKEN_PARTS: dict[str, tuple[type[RecordParts], Misfortune, str]] = {
    "parts without a name in the manifest do not count": (
        Unnamed, "killed_between", "in spite of an answer",
    ),
    "a part is removed": (Tidies, "killed", "lost from an output"),
    "a part is not what it was": (Rewrites, "disk_full", "is not whole"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_PARTS)
def test_a_broken_part_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of what parts alone can do wrong, each after the fault that lets it show."""
    made, kind, expected = BROKEN_PARTS[name]
    monkeypatch.setattr("bench.scheduler.keeper.MOST_RUNS", 4)
    monkeypatch.setattr("bench.scheduler.simulation.deal", lambda *_: [[kind]])
    pieces = replace(OWN, outputs=SabotagedParts(made))
    came = simulate(World(2, 300), shards=1, misfortunes=1, processes=1, pieces=pieces)
    assert any(expected in each for each in came.wrong), came.wrong


def test_a_missing_lock_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs on one output, of which neither is refused: whatever that comes to, it is told."""
    kinds: list[list[Misfortune]] = [["second_run"]]
    monkeypatch.setattr("bench.scheduler.simulation.deal", lambda *_: kinds)
    monkeypatch.setattr("vscan.store.locked.lock", lambda *_: None)
    came = simulate(World(2, 600), shards=1, misfortunes=1, processes=1)
    assert came.wrong
