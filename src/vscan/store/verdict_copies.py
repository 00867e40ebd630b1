"""Verdicts wherever they lie, as local files: folders of parts and objects are copied first.

with local_verdicts(["s3://bucket/run/", "old.jsonl"]) as copies:
    merge(copies.paths, Path("verdicts.jsonl"))
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vscan.at_hand import fetch_to
from vscan.errors import OutputError, UsageError, VscanError
from vscan.folders import exists_under, put_under
from vscan.storage import location, scheme_of
from vscan.store.verdict_part_names import names_a_file
from vscan.store.verdict_places import (
    Told,
    is_object,
    local_file,
    part_lines,
    silent,
    split_object,
)


@dataclass
class LocalVerdicts:
    """Verdict files that can be read at random, in the order in which they were named."""

    paths: list[Path] = field(default_factory=list)
    names: dict[Path, str] = field(default_factory=dict)
    """What the copies among them are copies of."""

    def name(self, path: Path) -> str:
        """What a person calls this file."""
        return self.names.get(path, str(path))

    def say_names(self, error: VscanError) -> None:
        """Makes an error speak of what was named, and not of its copy."""
        for path, name in self.names.items():
            error.message = error.message.replace(str(path), name)
            error.remedy = error.remedy.replace(str(path), name)


@contextmanager
def local_verdicts(names: Sequence[Path | str], *, told: Told = silent) -> Iterator[LocalVerdicts]:
    """Local files that hold what is named, for as long as the block lasts.

    A local file, and `-`, is itself. A folder of parts (`run/`, `s3://bucket/run/`) is one file
    with the lines of all its parts, the older ones first; an object (`s3://bucket/old.jsonl`) is
    its copy. Copies take room in the folder for temporary files, not in memory.

    Raises OutputError where something cannot be read, or a part is missing or damaged, and
    UsageError for a scheme that is unknown or whose extra of vscan is not installed.
    """
    found = LocalVerdicts()
    with tempfile.TemporaryDirectory(prefix="vscan-verdicts-") as folder:
        for number, name in enumerate(map(str, names)):
            copy = Path(folder, f"{number}.jsonl")
            path = local_file(name)
            if path is None:
                found.names[copy] = name
                path = copy
                _copy(name, copy, told)
            found.paths.append(path)
        try:
            yield found
        except VscanError as error:
            found.say_names(error)
            raise


def _copy(name: str, copy: Path, told: Told) -> None:
    try:
        if is_object(name):
            fetch_to(name, copy)
            return
        with copy.open("wb") as out:
            # Looked through on the way, where a line that is none is told with its part's name.
            for stored in part_lines(name, told=told):
                out.write(stored.line + b"\n")
    except OSError as error:
        raise OutputError(
            f"{name}: cannot be copied to {copy.parent}: {error.strerror or error}",
            remedy="free space there, or name another folder in the environment variable TMPDIR",
        ) from error


@contextmanager
def local_output(name: str, *, force: bool, inputs: Sequence[str]) -> Iterator[Path]:
    """The local file to write; where `name` is a URI it is stored there when the block ends.

    It is stored whole or not at all. force: an object that is there is replaced; one
    that is also among the inputs never is. Raises UsageError for one that may not be replaced, and
    OutputError where it cannot be stored.
    """
    if scheme_of(name) in (None, "file"):
        root = location(name)
        yield root if isinstance(root, Path) else Path(name)
        return
    refuse_http(name)
    if not names_a_file(name):
        raise UsageError(
            f"{name}: names a folder; all lines go into one object",
            remedy=f"-o {name.rstrip('/')}/verdicts.jsonl",
        )
    root, own = split_object(name)
    if name in inputs:
        raise UsageError(
            f"{name}: is one of the files to merge", remedy="name another object with -o"
        )
    try:
        is_there = exists_under(root, own)
    except OSError as error:
        raise OutputError(
            f"{name}: cannot be looked at: {error.strerror or error}", remedy="check the name"
        ) from error
    if is_there and not force:
        raise UsageError(
            f"{name}: exists already", remedy="name another object with -o, or add --force"
        )
    with tempfile.TemporaryDirectory(prefix="vscan-verdicts-") as folder:
        path = Path(folder, "verdicts.jsonl")
        yield path
        put_under(str(root), own, path)


def refuse_http(name: str) -> None:
    """Raises UsageError for an output behind http or https: it is there to be read only."""
    if scheme_of(name) in ("http", "https"):
        raise UsageError(
            f"{name}: nothing can be written over http",
            remedy="name a local path, or object storage: s3://, gs:// or az://",
        )
