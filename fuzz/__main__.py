"""Feeds hostile inputs to vscan: `python -m fuzz --seconds 60 --seed 1 [TARGET…]`.

A target fails on a traceback, a hang, or damage that gives another value without an error. The
files of a case that failed are written to --found, with the command that runs it again. Exit code 1
where any failed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# As in a reader process: set before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from fuzz.running import Outcome, run
from fuzz.targets import TARGETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the targets that are named, else all, each for its share of the time."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=60.0, help="for all together (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="another seed: other cases (default 1)")
    parser.add_argument("--cases", type=int, help="at most so many for each target")
    parser.add_argument("--case", type=int, help="only the case of this number")
    parser.add_argument("--found", type=Path, default=Path("build/fuzz-found"))
    told = parser.parse_args(arguments)
    unknown = [name for name in told.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target {unknown[0]!r}; there are: {', '.join(TARGETS)}")
    names = told.targets or list(TARGETS)
    failed = 0
    for name in names:
        target = TARGETS[name]()
        print(f"{name}: {target.about}", flush=True)
        outcome = run(
            target,
            seed=told.seed,
            found=told.found,
            seconds=told.seconds / len(names),
            most=told.cases,
            only=told.case,
        )
        _tell(name, outcome, told.seed)
        failed += len(outcome.failures)
    return 1 if failed else 0


def _tell(name: str, outcome: Outcome, seed: int) -> None:
    ended = ", ".join(f"{count} {word}" for word, count in outcome.ended.most_common())
    print(f"  {outcome.cases} cases: {ended}")
    for failure in outcome.failures:
        print(f"  case {failure.number}: {failure.kept}")
        print(f"    python -m fuzz {name} --seed {seed} --case {failure.number}")
        print("".join(f"    {line}\n" for line in failure.said.splitlines()), end="")


if __name__ == "__main__":
    sys.exit(main())
