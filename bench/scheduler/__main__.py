"""`python -m bench.scheduler`: scheduling, resuming and merging under faults, at any size."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.scheduler.misfortunes import MISFORTUNES
from bench.scheduler.shard_run import own_pieces
from bench.scheduler.simulation import Simulated, simulate
from bench.scheduler.truth import World
from bench.speed.tables import markdown

ABOUT = """\
Made-up sources with a hidden truth go through vscan's own shards, engine, outputs and merge; only
reading a video is made up. Faults of sources, of disks and of processes are injected at rates that
follow from the seed; shards are run again until they end cleanly, and what they come to is held
against the truth. The exit code is 1 where anything is wrong.
"""


def parser() -> argparse.ArgumentParser:
    """What the program takes."""
    made = argparse.ArgumentParser(
        prog="python -m bench.scheduler", description=ABOUT,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    made.add_argument("--sources", type=int, default=100_000, help="how many there are")
    made.add_argument("--shards", type=int, default=8, help="of the array job")
    made.add_argument("--seed", type=int, default=1, help="truth and faults follow from it")
    made.add_argument("--output", choices=("file", "parts"), default="file",
                      help="a verdict file for each shard, or one folder of parts")  # fmt: skip
    made.add_argument("--misfortunes", type=int, default=2,
                      help=f"of each shard, of those that its output can have, in turn:"
                      f" {', '.join(MISFORTUNES)}")  # fmt: skip
    made.add_argument("--processes", type=int, default=os.cpu_count() or 1,
                      help="shards that run at one time")  # fmt: skip
    made.add_argument("--json", type=Path, help="also write what came of it to this file")
    return made


def main() -> int:
    """Simulate, print, and tell by the exit code whether everything held."""
    args = parser().parse_args()
    came = simulate(
        World(args.seed, args.sources),
        shards=args.shards,
        misfortunes=args.misfortunes,
        processes=args.processes,
        pieces=own_pieces(args.output),
    )
    for line in told(came):
        print(line)
    if args.json is not None:
        args.json.write_bytes(came.to_json())
    return 1 if came.wrong else 0


def told(came: Simulated) -> Iterator[str]:
    """What came of it, as lines of Markdown."""
    yield (
        f"{came.sources:,} sources, {came.shards} shards, seed {came.seed}: {came.runs} runs,"
        f" {came.readings:,} readings, {came.read_again:,} that were done again;"
        f" {came.hashed_again:,} sources hashed that had an answer;"
        f" at most {came.drawn_ahead} drawn ahead; {came.grown_bytes / 1e6:.0f} MB a run;"
        f" {came.wall_s:.0f} s"
    )
    yield ""
    rows = [
        (kind, f"{count:,}", f"{came.cost.get(kind, 0):,}") for kind, count in came.injected.items()
    ]
    rows.append(("no answer ever", "", f"{came.cost.get('no answer ever', 0):,}"))
    yield from markdown(("fault", "injected", "tries in vain"), rows)
    yield ""
    yield from (f"WRONG: {each}" for each in came.wrong)
    if not came.wrong:
        yield (
            "every source has one line, as the truth says; no run read again what had its answer"
            " when it began"
        )


if __name__ == "__main__":
    sys.exit(main())
