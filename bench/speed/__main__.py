"""`python -m bench.speed make|end-to-end|hash-only|events|memory`: one table for each claim."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Iterator

from bench.speed.arguments import PROGRAM, parser
from vscan.errors import VscanError


def main() -> int:
    """Run one of the commands."""
    args = parser().parse_args()
    commands = {
        "make": _make,
        "end-to-end": _end_to_end,
        "hash-only": _hash_only,
        "events": _events,
        "memory": _memory,
    }
    try:
        for line in commands[args.command](args):
            print(line, flush=True)
    except VscanError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _make(args: argparse.Namespace) -> Iterator[str]:
    from bench.speed.clips import make_clips

    begun = time.perf_counter()
    yield f"cutting clips of the videos of {args.videos}"
    made = make_clips(
        args.videos,
        args.out,
        seed=args.seed,
        gop_s=args.gop,
        processes=args.processes,
        long_side=args.long_side,
    )
    yield f"{args.out}: {made}; {time.perf_counter() - begun:.0f} s"
    yield f"next: {PROGRAM} end-to-end --set {shlex.quote(str(args.out))}"


def _end_to_end(args: argparse.Namespace) -> Iterator[str]:
    from bench.speed.clip_set import read_clip_set
    from bench.speed.end_to_end import Comparison, compare

    clips = read_clip_set(args.set, args.limit)
    yield from _heading(str(clips))
    yield from compare(Comparison(clips, args.cases, args.repeats, args.workers, args.device))


def _hash_only(args: argparse.Namespace) -> Iterator[str]:
    from bench.speed.clip_set import read_clip_set
    from bench.speed.hash_only import compare

    clips = read_clip_set(args.set, args.limit)
    yield from _heading(str(clips))
    yield from compare(clips, vpdq_python=args.vpdq_python, repeats=args.repeats)


def _events(args: argparse.Namespace) -> Iterator[str]:
    from bench.speed.event_set import make_events
    from bench.speed.events import compare

    made = make_events(
        args.out, seed=args.seed, count=args.count, gops_s=args.gop, processes=args.processes
    )
    yield from _heading(str(made))
    yield from compare(made, args.samplings)


def _memory(args: argparse.Namespace) -> Iterator[str]:
    from bench.speed.clip_set import read_clip_set
    from bench.speed.memory import compare

    clips = read_clip_set(args.set, args.limit)
    yield from _heading(str(clips))
    yield from compare(clips, seconds=args.seconds, times=args.times, sampling=args.sampling)


def _heading(about: str) -> Iterator[str]:
    from bench.speed.tables import machine

    yield f"command: {PROGRAM} {shlex.join(sys.argv[1:])}"
    yield machine()
    yield f"videos: {about}"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
