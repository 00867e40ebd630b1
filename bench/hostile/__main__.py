"""`python -m bench.hostile make|run|memory`: makes a hostile corpus, reads it, prints the gates."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

# numpy's products run in one thread, as in a reader process: set before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

SEED = 7


def main() -> int:
    """Run one of the commands."""
    args = _parser().parse_args()
    begun = time.perf_counter()
    if args.command == "make":
        from bench.hostile.making import make_corpus

        made = make_corpus(args.out, seed=args.seed, mutants=args.mutants)
        print(f"{len(made)} files in {args.out}, {time.perf_counter() - begun:.0f} s")
        return 0
    if args.command == "memory":
        from bench.hostile.long_videos import measure

        return 0 if measure(args.out, fps=args.fps, step_s=args.step) else 1
    from bench.hostile.reference import installed
    from bench.hostile.running import run_corpus, summary, write_outcomes

    paths = sorted(p for p in args.set.iterdir() if args.only in p.name and p.suffix != ".jsonl")
    if not paths:
        print(f"no files in {args.set}", file=sys.stderr)
        return 2
    compare = installed() and not args.alone
    if not compare:
        print("not compared: there is no ffmpeg, or --alone", file=sys.stderr)
    outcomes = run_corpus(paths, timeout_s=args.timeout, compare=compare)
    if args.out:
        write_outcomes(args.out, outcomes)
    print("\n".join(summary(outcomes, timeout_s=args.timeout)))
    return 1 if any(each.crash for each in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make a corpus")
    make.add_argument("--out", type=Path, required=True, help="folder to write into")
    make.add_argument("--seed", type=int, default=SEED)
    make.add_argument("--mutants", type=int, default=400)
    run = commands.add_parser("run", help="read a corpus and hold it against ffmpeg")
    run.add_argument("--set", type=Path, required=True, help="folder of the corpus")
    run.add_argument("--timeout", type=float, default=20.0, help="seconds for one file")
    run.add_argument("--only", default="", help="only files whose names hold this")
    run.add_argument("--alone", action="store_true", help="do not compare with ffmpeg")
    run.add_argument("--out", type=Path, help="write one JSON line per file to this file")
    memory = commands.add_parser("memory", help="peak memory at 1080p, ten minutes and three hours")
    memory.add_argument("--out", type=Path, required=True, help="folder to make the videos in")
    memory.add_argument("--fps", type=int, default=2, help="frames a second of the videos")
    memory.add_argument("--step", type=float, default=4.0, help="seconds from sample to sample")
    return parser


if __name__ == "__main__":
    sys.exit(main())
