"""What a fuzz target is: how a case is made of a seed, and what must hold for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from fuzz.mutators import Rng

Case = Mapping[str, bytes]
"""The hostile files, by their names below a folder; those that a target has besides are its own."""


class WrongAnswerError(AssertionError):
    """Damage that gave another value and no error, or a promise that was not kept."""


class Target(Protocol):
    """One way in for hostile bytes."""

    name: str
    about: str
    """One line: what is fed, and what must hold."""

    def prepare(self, folder: Path) -> None:
        """Makes the intact files once, in a folder that stays for the whole run."""
        ...

    def case(self, rng: Rng) -> Case:
        """The case of that generator: the same generator gives the same case."""
        ...

    def check(self, case: Case, folder: Path) -> str:
        """Feeds the case to vscan, in an empty folder; how it ended, in a word.

        Raises nothing but what counts as a failure: WrongAnswerError, or whatever escaped.
        """
        ...

    def close(self) -> None:
        """Ends what `prepare` started."""
        ...


class Files:
    """A target's intact files, in memory; for targets that start nothing."""

    def close(self) -> None:
        """Nothing was started."""


def lay(case: Case, folder: Path) -> None:
    """Writes the files of a case."""
    for name, data in case.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name there."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
