"""The command line: what each command takes, and help texts that say what it is for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

PROGRAM = "python -m bench.copies"
ABOUT = """\
Copy detection measured: copies of videos are made by known edits, searched for, and what was found
is held against what the copies really hold, second by second.

  make         a set of a folder of your own videos: references, edited copies, distractors, traps
  demo-scenes  a small set of the demonstration's drawn scenes, for the built-in model
  run          searches a set with vscan, one column for each choice of signals; prints the table
  score        scores the predictions of anything else, a CSV of segments

COMMAND --help says more and gives an example.
"""
MAKE = """\
Makes copies of every video of a folder: 22 edits of each, and clips of it spliced into long
unrelated footage. Distractors match nothing; traps share what is no content of their own (a card,
black, a logo). The same folder and seed make the same set. A second run makes only what is missing.
"""
MAKE_EXAMPLE = """\
example, the development corpus (26 videos of up to a minute are encoded for each original):
  python -m bench.copies make --videos "$VSCAN_CORPUS" --out bench-copies \\
      --same bench/copies/corpus-same.txt
"""
SCENES = """\
Draws scene videos as `vscan demo` does, pictograms that drift over soft grounds, and copies each
one recompressed, cropped to 80 % and mirrored. The built-in model knows this world and no other:
what its embedding can do is measured here, not on photographs. Takes less than a minute.
"""
SCENES_EXAMPLE = """\
example:
  python -m bench.copies demo-scenes --out demo-scenes
  python -m bench.copies run --set demo-scenes --columns embedding
"""
RUN = """\
Indexes the references and searches every query, once for each column, then prints what that took
and found: pair micro-AP, segments, false pairs, boundaries, and which gates are met. Columns: all
(every signal together), pdq, keypoints, embedding, and vpdq, Meta's own program for comparison.
Predictions stay in the set's folder as predictions-COLUMN.csv.
"""
RUN_EXAMPLE = """\
examples:
  python -m bench.copies run --set bench-copies --columns all,pdq,keypoints,embedding
  python -m bench.copies run --set bench-copies --columns vpdq --vpdq-python vpdq-env/bin/python
"""
SCORE = """\
Scores a CSV of segments that anything found on a set. Columns: query_id, ref_id, query_start,
query_end, ref_start, ref_end (seconds, or all four empty), score. Ids are those of the set's
queries.csv and references.csv; its ground_truth.csv has the same form.
"""
SCORE_EXAMPLE = """\
example:
  python -m bench.copies score --set bench-copies --predictions bench-copies/predictions-pdq.csv
"""


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; the name of the one asked for is `command`."""
    whole = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} COMMAND …",
        description=ABOUT,
        formatter_class=_Formatter,
    )
    commands = whole.add_subparsers(
        dest="command", metavar="COMMAND", required=True, prog=PROGRAM, help=argparse.SUPPRESS
    )
    _make(_command(commands, "make", MAKE, MAKE_EXAMPLE))
    _demo_scenes(_command(commands, "demo-scenes", SCENES, SCENES_EXAMPLE))
    _run(_command(commands, "run", RUN, RUN_EXAMPLE))
    _score(_command(commands, "score", SCORE, SCORE_EXAMPLE))
    return whole


class _Formatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Texts as they are written, and every default that there is."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


def _command(commands: Any, name: str, about: str, example: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name, description=about, epilog=example, formatter_class=_Formatter
    )
    return made


def _make(make: argparse.ArgumentParser) -> None:
    make.add_argument("--videos", type=Path, required=True, help="folder of originals")
    _made(make)
    make.add_argument("--limit", type=int, help="edit only the first N originals, to try it out")
    make.add_argument(
        "--same",
        type=Path,
        help="file that says which videos show the same, so that one found in place of another is "
        "no false pair; bench/copies/corpus-same.txt explains the form",
    )
    make.add_argument(
        "--combinations", type=int, default=0, help="copies of each original by two edits at once"
    )
    make.add_argument(
        "--all-references",
        action="store_true",
        help="make a reference of every video of a group of --same, not of its first alone",
    )


def _demo_scenes(scenes: argparse.ArgumentParser) -> None:
    _made(scenes)


def _made(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--out", type=Path, required=True, help="folder of the set; an interrupted run goes on"
    )
    command.add_argument("--seed", type=int, default=1, help="strengths and footage follow from it")
    command.add_argument("--processes", type=int, default=2, help="videos encoded at one time")


def _run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--set", type=Path, required=True, help="folder that make or demo-scenes made")
    run.add_argument(
        "--columns", default="pdq", help="comma-separated, of all,pdq,keypoints,embedding,vpdq"
    )
    _sampling(run)
    run.add_argument("--model", default="builtin", help="embedding model, as `vscan models` names")
    run.add_argument("--workers", type=int, help="videos read at the same time")
    run.add_argument("--vpdq-python", type=Path, help="an interpreter that has vpdq==0.2.5")


def _score(score: argparse.ArgumentParser) -> None:
    score.add_argument("--set", type=Path, required=True, help="folder that make made")
    score.add_argument("--predictions", type=Path, required=True, help="CSV of segments")
    _sampling(score)
    score.add_argument("--json", action="store_true", help="everything as JSON, no table")


def _sampling(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--sampling",
        default="fps:1",
        help="which frames are looked at; boundaries may be off by one of its steps",
    )
