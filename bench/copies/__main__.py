"""`python -m bench.copies make|demo-scenes|run|score`: makes sets, measures vscan, or others."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from typing import TYPE_CHECKING

# numpy's products run in one thread, as in a reader process: set before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bench.copies.arguments import parser
from vscan.errors import VscanError

if TYPE_CHECKING:
    from bench.copies.set_files import CopySet

OWN_COLUMNS = "all,pdq,keypoints,embedding"


def main() -> int:
    """Run one of the commands."""
    args = parser().parse_args()
    commands = {"make": _make, "demo-scenes": _demo_scenes, "run": _run, "score": _score}
    try:
        commands[args.command](args)
    except VscanError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _make(args: argparse.Namespace) -> None:
    from bench.copies.kinship import Kinship, read_kinship
    from bench.copies.making import Wanted, make_set

    begun = time.perf_counter()
    wanted = Wanted(
        videos=args.videos,
        seed=args.seed,
        kinship=read_kinship(args.same) if args.same else Kinship(),
        limit=args.limit,
        combinations=args.combinations,
        all_references=args.all_references,
        processes=args.processes,
    )
    _print_made(make_set(wanted, args.out, _say), begun, OWN_COLUMNS)


def _demo_scenes(args: argparse.Namespace) -> None:
    from bench.copies.demo_scenes import make_demo_set

    begun = time.perf_counter()
    copies = make_demo_set(args.out, _say, seed=args.seed, processes=args.processes)
    _print_made(copies, begun, "embedding")


def _print_made(copies: CopySet, begun: float, columns: str) -> None:
    print(
        f"{copies.folder}: {len(copies.references)} references, {len(copies.queries)} queries, "
        f"{len(copies.truth)} true segments, {time.perf_counter() - begun:.0f} s"
    )
    folder = shlex.quote(str(copies.folder))
    print(f"next: python -m bench.copies run --set {folder} --columns {columns}")


def _score(args: argparse.Namespace) -> None:
    import json

    from bench.copies.gates import sampling_step_s
    from bench.copies.scoring import score_predictions
    from bench.copies.set_files import read_segments, read_set
    from bench.copies.tables import as_json, score_tables

    step_s = sampling_step_s(args.sampling)
    scores = score_predictions(read_set(args.set), read_segments(args.predictions))
    if args.json:
        print(json.dumps(as_json(scores, step_s=step_s), indent=1))
    else:
        print("\n".join(score_tables({args.predictions.stem: scores}, step_s=step_s)))


def _run(args: argparse.Namespace) -> None:
    from bench.copies.running import Choice, run_columns

    choice = Choice(
        columns=tuple(args.columns.split(",")),
        sampling=args.sampling,
        model=args.model,
        workers=args.workers,
        vpdq_python=args.vpdq_python,
    )
    for line in run_columns(args.set, choice, command=shlex.join(sys.argv[1:])):
        _say(line)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
