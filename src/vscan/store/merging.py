"""Verdict files of shards or of several runs put together: one line for each source, sorted."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vscan.errors import OutputError, UsageError
from vscan.store.line_places import Places
from vscan.store.locked import open_locked
from vscan.store.replaced import replacing
from vscan.store.verdict_files import VerdictFiles

MOST_NAMED = 5
"""Sources that a message names."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What came of a merge."""

    lines: int
    """Sources, each with its line."""
    repeated: int
    """Lines that stood the same in another file."""
    conflicts: int
    """Sources of which two files say different things."""
    conflicting: tuple[str, ...]
    """The first of these, by URI."""
    configurations: int
    """Different provenances among the lines."""
    torn: tuple[Path, ...]
    """Files whose torn last line was left out."""


def merge(
    paths: Sequence[Path], output: Path, *, strict: bool = False, force: bool = False
) -> Merged:
    """One line for each source of all the files, sorted by URI, written whole or not at all.

    Where two files say the same, once; where they differ, the later file's line, unless that only
    says that the source could not be had and the other one is an answer. Lines of one source under
    different configurations, or two different final ones under the same, are a conflict. Memory
    grows by offsets, not by records. The output may then be resumed like any other.

    strict: a conflict raises UsageError. force: an existing output is replaced; one that is also an
    input never is. Raises OutputError where a file cannot be read, or the output not be written.
    """
    _refuse(paths, output, force)
    is_new = not os.path.lexists(output)
    with VerdictFiles(paths) as files:
        chosen = _Chosen()
        for number in range(len(files.paths)):
            chosen.take_in(files.latest(number))
        if strict and chosen.conflicts:
            raise UsageError(
                f"files differ about {_named(sorted(chosen.conflicts))}",
                remedy="leave the outdated file out, or --strict: without it the later file counts",
            )
        # The lock keeps a scan from appending to what is about to be replaced.
        with closing(open_locked(output)):
            try:
                _write(chosen.sorted_lines(files), output)
            except BaseException:
                if is_new:
                    output.unlink(missing_ok=True)
                raise
        return chosen.merged(tuple(files.torn))


class _Chosen:
    """The record that stays of each URI."""

    def __init__(self) -> None:
        self.places = Places()
        self.conflicts: set[str] = set()
        self.repeated = 0

    def take_in(self, places: Places) -> None:
        for uri, place in places.items():
            older = self.places.get(uri)
            if older is None:
                self.places[uri] = place
            elif older.digest == place.digest:
                self.repeated += 1
            else:
                if older.made_by != place.made_by or (older.final and place.final):
                    self.conflicts.add(uri)
                if older.gives_way_to(place):
                    self.places[uri] = place

    def sorted_lines(self, files: VerdictFiles) -> Iterator[bytes]:
        return (files.line(self.places[uri]) for uri in sorted(self.places))

    def merged(self, torn: tuple[Path, ...]) -> Merged:
        return Merged(
            lines=len(self.places),
            repeated=self.repeated,
            conflicts=len(self.conflicts),
            conflicting=tuple(sorted(self.conflicts)[:MOST_NAMED]),
            configurations=len({place.made_by for place in self.places.values()}),
            torn=torn,
        )


def _write(lines: Iterator[bytes], output: Path) -> None:
    try:
        with replacing(output) as out:
            out.writelines(lines)
        out.close()
    except OSError as error:
        raise OutputError(
            f"{output}: cannot be written ({error.strerror})",
            remedy="free space, or choose another -o",
        ) from error


def _refuse(paths: Sequence[Path], output: Path, force: bool) -> None:
    if not os.path.lexists(output):
        return
    if any(path.exists() and output.exists() and path.samefile(output) for path in paths):
        raise UsageError(
            f"{output}: is one of the files to merge", remedy="name another file with -o"
        )
    if not force:
        raise UsageError(
            f"{output}: exists already", remedy="name another file with -o, or add --force"
        )


def _named(uris: Sequence[str]) -> str:
    more = len(uris) - MOST_NAMED
    return ", ".join(uris[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
