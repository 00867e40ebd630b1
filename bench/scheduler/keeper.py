"""A shard, run again through its misfortunes until it ends cleanly, and watched meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bench.scheduler.journal import read_journal
from bench.scheduler.misfortunes import Misfortune, as_fault
from bench.scheduler.outputs import OutputFault
from bench.scheduler.shard_run import Job, Pieces, run_shard
from bench.scheduler.truth import LISTINGS, Truth, World
from bench.scheduler.watching import Seen, after_run, belongs, see
from vscan.shards import Shard

FORK = multiprocessing.get_context("fork")
MOST_RUNS = 40
MOST_MISSES = 3
"""Times that a misfortune may come too late, when the run has ended, before it is given up."""
_POLL_S = 0.002


@dataclass(kw_only=True)
class Kept:
    """What came of one shard."""

    runs: int = 0
    met: Counter[str] = field(default_factory=Counter)
    """Misfortunes that did happen, by kind."""
    troubles: Counter[str] = field(default_factory=Counter)
    """Troubles of sources that stood in a record of some run, by kind."""
    cost: Counter[str] = field(default_factory=Counter)
    """Readings that were done again, by what they are owed to."""
    hashed_again: int = 0
    """Sources that had their answer and were hashed by a later run, which finds that out so."""
    readings: int = 0
    wrong: list[str] = field(default_factory=list)
    """What must not be."""
    drawn_ahead: int = 0
    grown_bytes: int = 0
    read: set[int] = field(default_factory=set)
    """Numbers of the sources that were read to their end."""
    read_to_end: int = 0
    """Readings that came to their end."""

    def to_json(self) -> bytes:
        """For the process that asked."""
        return orjson.dumps(vars(self) | {"read": sorted(self.read)})


class Keeper:
    """Runs one shard. A run is a process; what it leaves is looked at after each."""

    def __init__(
        self, world: World, shard: Shard, listings: list[Path], folder: Path, pieces: Pieces
    ) -> None:
        self.world = world
        self.shard = shard
        self.listings = listings
        self.folder = folder
        self.pieces = pieces
        self.output = pieces.outputs.place(folder, "verdicts")
        self.kept = Kept()
        self._random = random.Random(f"{world.seed} {shard}")
        self._tries: Counter[int] = Counter()
        self._seen = Seen()
        self._own_final = 0
        """Sources of this shard that have their answer."""
        self._share = 1.0
        """Of what is left to be read, within which a misfortune comes."""

    def keep(self, misfortunes: list[Misfortune]) -> Kept:
        """Through all of them, then on until nothing is left to be done."""
        for met, kind in enumerate(misfortunes):
            self._share = 1 / (len(misfortunes) - met + 1)
            self.kept.met[kind] += any(self._meet(kind) for _ in range(MOST_MISSES))
        clean = False
        while not clean and self.kept.runs < MOST_RUNS:
            code, seen = self._finish(self._start())
            clean = code in (0, 3) and not self._mending(seen)
        if not clean:
            self.kept.wrong.append(f"shard {self.shard}: not done after {MOST_RUNS} runs")
        self.kept.wrong.extend(self.pieces.outputs.damage(self.output, self.shard))
        return self.kept

    def _mending(self, seen: Seen) -> bool:
        """Whether a further run has something to mend, or a listing not yet seen."""
        own = (each for each in map(self.world.truth, seen.passing) if self._is_own(each))
        return self.kept.runs < LISTINGS or any(truth.final for truth in own)

    def _is_own(self, truth: Truth) -> bool:
        return belongs(truth, self.shard)

    def _meet(self, kind: Misfortune) -> bool:
        fault = as_fault(kind, self.pieces.outputs)
        if fault is not None:
            return self._faulty(fault)
        if kind == "other_shards":
            count = self.shard.count + 1
            shard = Shard(self._random.randint(1, count), count)
            code, _ = self._finish(self._start(shard=shard), owed_to=kind, shard=shard)
            if code not in (0, 3):
                self.kept.wrong.append(f"a run as shard {shard} ended with {code}")
            return code in (0, 3)
        run = self._start()
        if not self._wait(run):
            self._finish(run)
            return False
        if kind == "second_run":
            return self._second(run)
        os.kill(run.process.pid or 0, _SIGNALS[kind])
        code, _ = self._finish(run, owed_to=kind)
        if kind == "terminated" and code not in (143, -signal.SIGTERM, 0, 3):
            self.kept.wrong.append(f"SIGTERM ended a run with {code}")
        return code in (143, -signal.SIGKILL)

    def _left(self) -> int:
        """Sources of this shard that have no answer yet, about."""
        return max(0, self.world.sources // self.shard.count - self._own_final)

    def _faulty(self, kind: OutputFault) -> bool:
        after = self._random.randrange(1 + int(self._left() * self._share))
        run = self._start(fault=(kind, after))
        code, _ = self._finish(run, owed_to=kind)
        fired = bool(read_journal(run.job.journal)["fired"])
        if fired and code != (2 if kind == "disk_full" else -signal.SIGKILL):
            self.kept.wrong.append(f"{kind} ended a run with {code}")
        return fired

    def _second(self, first: _Started) -> bool:
        second = self._start()
        both = False
        while second.process.is_alive():
            # Asked in this order: what it noted, it noted while the first one was at work.
            noted = second.job.journal.exists() and second.job.journal.stat().st_size > 0
            both = both or (noted and first.process.is_alive())
            time.sleep(_POLL_S)
        if self.pieces.outputs.shared:
            self._finish_both(first, second)
            return both
        refused = second.process.exitcode == 2
        if both:
            self.kept.wrong.append("a second run wrote to an output that another run had")
        self._finish(first)
        if not refused:
            self._finish(second)  # it came when the first one had ended, and did its work
        return refused or both

    def _finish_both(self, first: _Started, second: _Started) -> None:
        """They knew the same at their beginnings, and both did their work."""
        before = self._seen
        codes = [self._finish(run, before=before)[0] for run in (first, second)]
        if not {*codes} <= {0, 3}:
            self.kept.wrong.append(f"two runs at one time ended with {codes}")
        one, other = ({*read_journal(run.job.journal)["read"]} for run in (first, second))
        self.kept.cost["second_run"] += len(one & other)

    def _start(
        self, *, shard: Shard | None = None, fault: tuple[OutputFault, int] | None = None
    ) -> _Started:
        number = self.kept.runs
        self.kept.runs += 1
        job = Job(
            number=number,
            world=self.world,
            shard=shard or self.shard,
            listing=self.listings[min(number, LISTINGS - 1)],
            output=self.output,
            folder=self.folder,
            tries=self._tries,
            fault=fault,
        )
        process = FORK.Process(target=run_shard, args=(job, self.pieces))
        process.start()
        return _Started(job, process)

    def _wait(self, run: _Started) -> bool:
        """Until a random moment of the run; False where it ended before."""
        # Sources come in one order: those that are done first, with one event each, not three.
        event = len(f"b {self.world.sources}\n")
        fresh = self._random.random() * self._share * self._left()
        target = int(event * (self._own_final + 3 * fresh))
        while run.process.is_alive():
            if run.job.journal.exists() and run.job.journal.stat().st_size >= target:
                return True
            time.sleep(_POLL_S)
        return False

    def _finish(
        self, run: _Started, *, owed_to: str | None = None, shard: Shard | None = None,
        before: Seen | None = None,
    ) -> tuple[int | None, Seen]:  # fmt: skip
        run.process.join()
        noted = read_journal(run.job.journal)
        outputs = self.pieces.outputs
        seen = see(self.world, outputs, self.output, self.shard)
        self._tries.update(noted["hashed"])
        after_run(
            self.kept, noted, before or self._seen, seen,
            shard=shard or self.shard, home=self.shard, world=self.world, owed_to=owed_to,
            shared=outputs.shared,
        )  # fmt: skip
        self._seen = seen
        self._own_final = sum(self._is_own(self.world.truth(each)) for each in seen.final)
        if run.job.report.exists():
            said = orjson.loads(run.job.report.read_bytes())
            self.kept.drawn_ahead = max(self.kept.drawn_ahead, said["drawn_ahead"])
            self.kept.grown_bytes = max(self.kept.grown_bytes, said["grown_bytes"])
        elif run.process.exitcode not in (2, 143, -signal.SIGKILL, -signal.SIGTERM):
            self.kept.wrong.append(f"a run ended with {run.process.exitcode}: see log.txt")
        return run.process.exitcode, seen


@dataclass(frozen=True)
class _Started:
    job: Job
    process: Any
    """A multiprocessing process of the fork context."""


_SIGNALS: dict[Misfortune, signal.Signals] = {
    "killed": signal.SIGKILL,
    "terminated": signal.SIGTERM,
}
