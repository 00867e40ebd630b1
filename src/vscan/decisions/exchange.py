"""Decisions into and out of a log as JSON lines."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vscan.decisions.decision import parse_decision
from vscan.decisions.log import DecisionLog
from vscan.errors import DecisionError, OutputError, UsageError
from vscan.store.replaced import replacing


@dataclass(frozen=True)
class Imported:
    """What became of the lines of a file."""

    added: int
    known: int
    """Lines whose decision was in the log already."""
    head: str
    """Of the log, afterwards."""


def import_lines(log: DecisionLog, lines: Iterable[bytes], *, name: str) -> Imported:
    """Adds the decisions of a file to the log, in the file's order: all of them, or none.

    A decision that the log holds already, by its id, is passed over. name: of the file, for errors.
    Raises DecisionError naming the line that is no decision, that does not fit what came before, or
    whose id the log has with something else.
    """
    added = known = 0
    with log.appending():
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                decision = parse_decision(line)
                held = log.get(decision.id)
                if held is None:
                    log.add(decision)
                    added += 1
                elif held == decision:
                    known += 1
                else:
                    raise DecisionError(f"the log holds another decision as {decision.id}")
            except DecisionError as error:
                raise DecisionError(
                    f"{name}:{number}: {error.message}",
                    remedy="; ".join(filter(None, (error.remedy, "nothing was imported"))),
                ) from error
        return Imported(added, known, log.head)


def import_file(path: Path, file: Path) -> Imported:
    """Adds the decisions of a file to the log at `path`, as `import_lines`; it is made where there
    is none, unless a line does not hold.

    Raises UsageError where the file cannot be read, DecisionLogError, DecisionError.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    if not path.exists():
        with (
            tempfile.TemporaryDirectory() as folder,
            DecisionLog(Path(folder) / "trial.db", create=True) as trial,
        ):
            import_lines(trial, lines, name=str(file))
    with DecisionLog(path, create=True) as log:
        return import_lines(log, lines, name=str(file))


def export_file(log: DecisionLog, output: Path, *, force: bool = False) -> int:
    """Writes every decision as a line, in the order of the log, whole or not at all; how many.

    force: an existing output is replaced; the log itself never is. Raises OutputError where the
    output cannot be written, UsageError where it is there already.
    """
    if os.path.lexists(output):
        if output.exists() and output.samefile(log.path):
            raise UsageError(f"{output}: is the log itself", remedy="name another file with -o")
        if not force:
            raise UsageError(
                f"{output}: exists already", remedy="name another file with -o, or add --force"
            )
    written = 0
    try:
        with replacing(output) as out:
            for decision in log.decisions():
                out.write(decision.to_line())
                written += 1
        out.close()
    except OSError as error:
        raise OutputError(
            f"{output}: cannot be written ({error.strerror})",
            remedy="free space or choose another -o, in a folder that exists",
        ) from error
    return written
