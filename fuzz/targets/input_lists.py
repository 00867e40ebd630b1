"""Damaged lists of inputs: refused with a line, or names that a record can bear, each once."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import orjson

from fuzz.mutators import Rng, mutated, mutated_json_bytes
from fuzz.target import Case, Files, WrongAnswerError, lay
from vscan.errors import UsageError
from vscan.names import record_uri, shown
from vscan.sources import Source, SourceFinder, read_list
from vscan.storage import local_path

NAME = "list"
LINES = (
    b"clips/a.mp4", b"clips/./b.mp4", b"./clips/c d.mp4", b"# a comment", b"", b"\xff\xfe.mp4",
    b'{"uri": "clips/a.mp4", "market": "DE", "views": 12, "nested": {"a": [1, null, 1.5]}}',
    b'{"uri": "gone.mp4", "tags": ["\\u202e", "\\u0000"]}', b"file:///nowhere/x.mp4", b"clips",
    b"clips/*.mp4",
)  # fmt: skip

TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


class InputLists(Files):
    """Lists as --from-file takes them: names, NUL-separated names, JSON lines; mutated."""

    name = "input-lists"
    about = "a damaged list is refused by line, or every name in it can be recorded and shown"

    def prepare(self, folder: Path) -> None:
        """Nothing to make."""

    def case(self, rng: Rng) -> Case:
        """Some lines in some order, one of them another, and damage anywhere."""
        count = int(rng.integers(1, 9))
        lines = [LINES[int(rng.integers(len(LINES)))] for _ in range(count)]
        at = int(rng.integers(count))
        if lines[at].startswith(b"{"):
            lines[at] = mutated_json_bytes(rng, lines[at])
        end = (b"\n", b"\r\n", b"\0")[int(rng.integers(3))]
        data = end.join(lines) + (end if rng.random() < 0.7 else b"")
        return {NAME: mutated(rng, data) if rng.random() < 0.7 else data}

    def check(self, case: Case, folder: Path) -> str:
        """Read; names that stay in the folder are looked for there as well."""
        lay(case, folder)
        (folder / "clips").mkdir()
        for name in ("a.mp4", "b.mp4", "c d.mp4"):
            (folder / "clips" / name).write_bytes(b"x")
        before = Path.cwd()
        os.chdir(folder)
        try:
            if all(map(_stays_here, _listed())):
                self._find()
        except UsageError:
            return "refused"
        finally:
            os.chdir(before)
        return "read"

    def _find(self) -> None:
        found = list(SourceFinder().find([], from_file=NAME))
        real = [
            os.path.realpath(each.path) if isinstance(each, Source) else each.uri for each in found
        ]
        if len(set(real)) != len(real):
            raise WrongAnswerError(f"a file twice: {real}")


def _listed() -> list[str]:
    """Every name, after a look whether it can be recorded and shown."""
    entries = []
    for name, meta in read_list(NAME):
        orjson.dumps({"uri": record_uri(name), "meta": meta})
        if any(map(_steers, shown(name))):
            raise WrongAnswerError(f"not to be shown: {shown(name)!r}")
        local_path(name)
        entries.append(name)
    return entries


def _stays_here(name: str) -> bool:
    # Not the whole machine is to be looked through for a case.
    return not local_path(name).is_absolute() and ".." not in name and "**" not in name


def _steers(character: str) -> bool:
    """Whether it moves a cursor, turns text round, ends a line, or is not to be seen at all."""
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in TURNING
        or 0xE0000 <= ord(character) < 0xE0080
    )
