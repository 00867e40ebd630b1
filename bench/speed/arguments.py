"""The command line: what each command takes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

PROGRAM = "python -m bench.speed"
ABOUT = """\
How fast scans are, against what else could be run and against what the machine allows. Each command
prints one claim's table in Markdown. Nothing else should run meanwhile.

  make        clips of a folder of your own videos, with a keyframe every two (or --gop) seconds
  end-to-end  scans against the loop that everybody writes, and against the limit of the machine
  hash-only   a scan with PDQ alone against vPDQ's own program and ffmpeg decoding to nothing
  events      adaptive and keyframes against fps:1: CPU, and what they find of spliced scenes
  memory      memory of a scan against the length of a video
"""


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; the name of the one asked for is `command`."""
    whole = argparse.ArgumentParser(
        prog=PROGRAM, description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _make(_command(commands, "make", "make clips of a folder's videos"))
    _end_to_end(_command(commands, "end-to-end", "scans against the plain loop and the limit"))
    _hash_only(_command(commands, "hash-only", "PDQ alone against vPDQ and ffmpeg"))
    _events(_command(commands, "events", "what each sampling costs and finds"))
    _memory(_command(commands, "memory", "memory against length"))
    return whole


def _command(commands: Any, name: str, about: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    return made


def _make(make: argparse.ArgumentParser) -> None:
    make.add_argument("--videos", type=Path, required=True, help="folder of videos")
    make.add_argument("--out", type=Path, required=True, help="folder of the set")
    make.add_argument("--seed", type=int, default=1, help="the cuts follow from it")
    make.add_argument("--gop", type=float, default=2.0, help="seconds from keyframe to keyframe")
    make.add_argument("--long-side", type=_count, default=720, help="of every clip, in pixels")
    make.add_argument("--processes", type=int, default=2, help="clips encoded at one time")


def _set(command: argparse.ArgumentParser) -> None:
    command.add_argument("--set", type=Path, required=True, help="folder that make made")
    command.add_argument("--limit", type=_count, help="only the first N clips, to try it out")


def _end_to_end(command: argparse.ArgumentParser) -> None:
    _set(command)
    command.add_argument("--cases", type=_names, default="loop,exact,fast,adaptive,keyframes",
                         help="comma-separated")  # fmt: skip
    command.add_argument("--repeats", type=_count, default=3, help="runs, interleaved")
    command.add_argument("--workers", type=_counts, default="", help="readers to compare: 1,2,4")
    command.add_argument("--device", default="auto", help="of the model, on both sides")


def _hash_only(command: argparse.ArgumentParser) -> None:
    _set(command)
    command.add_argument("--vpdq-python", type=Path, help="an interpreter that has vpdq==0.2.5")
    command.add_argument("--repeats", type=_count, default=3, help="runs, interleaved")


def _events(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, required=True, help="folder of the videos; goes on")
    command.add_argument("--seed", type=int, default=1, help="videos and events follow from it")
    command.add_argument("--count", type=_count, default=10, help="videos: events of each length")
    command.add_argument("--gop", type=_seconds, default="2,10", help="seconds between keyframes")
    command.add_argument("--samplings", type=_names, default="fps:1,adaptive,keyframes")
    command.add_argument("--processes", type=_count, default=2, help="videos encoded at one time")


def _memory(command: argparse.ArgumentParser) -> None:
    _set(command)
    command.add_argument("--seconds", type=float, default=60.0, help="length that is multiplied")
    command.add_argument("--times", type=_counts, default="1,4,16", help="how many times as long")
    command.add_argument("--sampling", default="fps:1")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


def _counts(text: str) -> tuple[int, ...]:
    return tuple(_count(each) for each in _names(text))


def _seconds(text: str) -> tuple[float, ...]:
    found = tuple(float(each) for each in _names(text))
    if not found or not all(0.0 < each < float("inf") for each in found):
        raise ValueError(text)
    return found
