"""One run of one shard, in a process of its own: `vscan scan` but for the reading of videos."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson

from bench.machine import peak_bytes
from bench.scheduler.journal import Journal
from bench.scheduler.outputs import FileOutputs, OutputFault, Outputs
from bench.scheduler.part_outputs import PartOutputs
from bench.scheduler.reading import PROVENANCE, FakeReading, instead_of_videos
from bench.scheduler.truth import World
from vscan.cli.progress import ScanProgress
from vscan.cli.scan_end import Ended
from vscan.cli.stopping import StopSignals
from vscan.cli.writing import known_to, settle, write_verdicts
from vscan.decode.workers import ReaderPool, ReadLimits
from vscan.earlier import Earlier
from vscan.engines import local
from vscan.errors import InterruptedRunError, VscanError
from vscan.measuring import Embed
from vscan.pipeline import scan_source
from vscan.policies import load_pack
from vscan.recipe import Recipe
from vscan.rules import Rules
from vscan.runs import Run, RunConfiguration, SummaryPlace
from vscan.sampling import parse_sampling
from vscan.scratch import Scratch
from vscan.shards import Shard, share_of
from vscan.sources import Found, SourceFinder
from vscan.verdicts import Verdict

WORKERS = 4
DRAWN_AHEAD = 2 * WORKERS
"""Sources that may have been drawn from the listing and have no verdict yet: engines/local.py."""
RECIPE = Recipe(plan=parse_sampling("fps:1"), signals=("pdq",), image=None, model=None)
RULES = Rules(load_pack("baseline"), None, (), PROVENANCE)


@dataclass(frozen=True)
class Pieces:
    """What a simulation is made of: vscan's own, unless a test puts a broken one in."""

    outputs: Outputs
    reading: type[FakeReading] = FakeReading
    share: Callable[..., Iterator[Found]] = share_of
    engine: Callable[..., Generator[Verdict | None, None, None]] = local.run


def own_pieces(output: Literal["file", "parts"] = "file") -> Pieces:
    """vscan's, with verdicts in files or in parts."""
    return Pieces(FileOutputs() if output == "file" else PartOutputs())


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one run is told."""

    number: int
    """Of the run, within its shard."""
    world: World
    shard: Shard
    listing: Path
    output: Path
    folder: Path
    """For journal, log and report."""
    tries: Mapping[int, int]
    """Of each source, in earlier runs of this shard."""
    fault: tuple[OutputFault, int] | None = None
    """What happens to the output, and after how many lines."""

    @property
    def journal(self) -> Path:
        """What the run noted."""
        return self.folder / f"journal-{self.number}.txt"

    @property
    def report(self) -> Path:
        """What it says of itself where it comes to its end, as JSON."""
        return self.folder / f"report-{self.number}.json"


def run_shard(job: Job, pieces: Pieces) -> None:
    """Body of the process: ends it with the exit code that `vscan scan` would end with."""
    with (job.folder / "log.txt").open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 2)
    # Names of sources are relative: nothing of that name may be there.
    os.chdir(job.folder)
    before = peak_bytes(anew=True)
    try:
        with Journal(job.journal) as journal, contextlib.ExitStack() as stack:
            if job.fault is not None:
                stack.enter_context(pieces.outputs.failing(*job.fault, journal))
            stack.enter_context(instead_of_videos(pieces.reading(job.world, journal, job.tries)))
            ahead = _Ahead()
            code = _scan(job, pieces, ahead)
    except InterruptedRunError as error:
        sys.exit(error.exit_code)
    except VscanError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    said = {"drawn_ahead": ahead.most, "grown_bytes": peak_bytes() - before}
    job.report.write_bytes(orjson.dumps(said))
    sys.exit(code)


def _scan(job: Job, pieces: Pieces, ahead: _Ahead) -> int:
    """As `vscan.cli.scan` puts its pieces together."""
    sink = pieces.outputs.open(job.output, job.shard)
    with closing(sink), StopSignals() as stop:
        ended = Ended(signals=("pdq",), indexed=False)
        done = known_to(sink, ended)

        def work(source: Found, readers: ReaderPool, embed: Embed) -> Verdict | None:
            return scan_source(
                source, recipe=RECIPE, rules=RULES, readers=readers, embed=embed,
                scratch=scratch, earlier=Earlier(PROVENANCE, done),
            )  # fmt: skip

        scratch = Scratch()
        finder = SourceFinder(scratch.fetching)
        found = finder.find([], from_file=str(job.listing))
        share = pieces.share(found, job.shard, leave=ended.tally.leave_to_others)
        with _run(job, ended, pieces.outputs.summary(job.output, job.shard)) as run:
            verdicts = pieces.engine(
                ahead.drawn(share), work, encoder=None, workers=WORKERS, limits=ReadLimits()
            )
            progress = ScanProgress(None)
            write_verdicts(ahead.taken(verdicts), sink, ended, progress=progress, stop=stop)
            ended.tell_inputs(finder)
            if ended.tally.other_shards:
                sink.keep_empty()
            settle(sink, ended, watch=None, run=run, fail_on=None)
    return ended.exit_code(None)


def _run(job: Job, ended: Ended, summary: SummaryPlace) -> Run:
    configuration = RunConfiguration(
        command="vscan scan", provenance=PROVENANCE, readers=(), workers=WORKERS,
        shard=str(job.shard), settings={},
    )  # fmt: skip
    return Run(summary, configuration, ended.tally, output=str(job.output))


class _Ahead:
    """Counts how far the listing is drawn from ahead of what has a verdict."""

    def __init__(self) -> None:
        self.most = 0
        self._open = 0

    def drawn(self, sources: Iterable[Found]) -> Iterator[Found]:
        for source in sources:
            self._open += 1
            self.most = max(self.most, self._open)
            yield source

    def taken(
        self, verdicts: Generator[Verdict | None, None, None]
    ) -> Generator[Verdict | None, None, None]:
        with closing(verdicts):
            for verdict in verdicts:
                self._open -= 1
                yield verdict
