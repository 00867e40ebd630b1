"""Verdicts wherever they lie: in a local file, on stdin, in a folder of parts, in an object.

run.jsonl    -    run/    s3://bucket/run/    s3://bucket/run.jsonl
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from vscan.at_hand import at_hand
from vscan.errors import OutputError, UsageError
from vscan.storage import location, scheme_of
from vscan.store.lines import StoredLine, read_lines
from vscan.store.verdict_folder import look_at
from vscan.store.verdict_part_names import names_a_file

Told = Callable[[int, int], None]
"""Told of each part of a folder: how many are read by now, of how many."""


def silent(done: int, total: int) -> None:
    """Tells nobody."""


def read_verdicts(name: Path | str) -> Iterator[StoredLine]:
    """The records of what is named, the older ones first; a torn last line is passed over.

    A folder of parts gives the lines of all its parts in order, a part at a time in memory; stdin
    is read whole, and an object copied. Raises OSError of a local file, OutputError where something
    is no verdict, or a part is missing or damaged, and UsageError where an object cannot be read,
    for a scheme that is unknown, and for one whose extra of vscan is not installed.
    """
    path = local_file(name)
    if path is None:
        if not is_object(name):
            yield from part_lines(name)
            return
        with at_hand(str(name)) as copy, copy.open("rb") as fetched:
            yield from read_lines(fetched, name=str(name))
        return
    if str(path) == "-":
        file: io.BufferedIOBase = io.BytesIO(sys.stdin.buffer.read())
    else:
        file = path.open("rb")
    with file:
        yield from read_lines(file, name=str(name))  # type: ignore[arg-type]  # as BinaryIO


def local_file(name: Path | str) -> Path | None:
    """The local file that a name means, or `-`; None for a folder and what lies elsewhere."""
    if str(name) == "-":
        return Path(name)
    if scheme_of(str(name)) not in (None, "file"):
        return None
    path = location(name)
    return path if isinstance(path, Path) and not path.is_dir() else None


def is_object(name: Path | str) -> bool:
    """Whether a name is the URI of one object; a folder's otherwise."""
    return scheme_of(str(name)) not in (None, "file") and names_a_file(str(name))


def split_object(uri: str) -> tuple[Path | str, str]:
    """The folder of an object, as `location` gives it, and its own name. Raises UsageError."""
    folder, _, own = uri.rpartition("/")
    if not own or folder.endswith(":/") or not folder.partition("://")[2]:
        raise UsageError(
            f"{uri}: names no object", remedy="give bucket and name: s3://bucket/verdicts.jsonl"
        )
    return location(folder), own


def part_lines(name: Path | str, *, told: Told = silent) -> Iterator[StoredLine]:
    """The records of a folder of parts, the older parts first. Raises OutputError."""
    folder = look_at(location(name))
    if folder.is_empty:
        raise OutputError(
            f"{name}: holds no verdicts",
            remedy="name a file, or a folder that `vscan scan -o DIR/` wrote",
        )
    for done, part in enumerate(folder.parts, start=1):
        yield from folder.lines(part)
        told(done, len(folder.parts))
