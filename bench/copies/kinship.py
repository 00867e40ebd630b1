"""Which videos of a folder show the same content: the rules of a `--same` file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from vscan.errors import UsageError


@dataclass(frozen=True)
class Kinship:
    """Lines of patterns; see corpus-same.txt for the syntax."""

    groups: tuple[tuple[str, ...], ...] = ()
    related: tuple[tuple[str, ...], ...] = ()
    distractors: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roles:
    """What each video of a folder is used for, by name and in order."""

    references: tuple[str, ...]
    distractors: tuple[str, ...]
    unused: dict[str, str] = field(default_factory=dict)
    """The others, and why."""
    kin: frozenset[frozenset[str]] = frozenset()
    """Pairs of names that share content and are neither true nor false pairs."""


def read_kinship(path: Path) -> Kinship:
    """The rules in a file. Raises UsageError where it cannot be read."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read: {error}", remedy="give --same a text file of patterns"
        ) from error
    groups: list[tuple[str, ...]] = []
    related: list[tuple[str, ...]] = []
    distractors: list[str] = []
    left_out: list[str] = []
    for line in lines:
        text = line.partition("#")[0].strip()
        words = tuple(text.lstrip("!~+").split())
        if not words:
            continue
        if text[0] == "!":
            left_out.extend(words)
        elif text[0] == "~":
            distractors.extend(words)
        elif text[0] == "+":
            related.append(words)
        else:
            groups.append(words)
    return Kinship(tuple(groups), tuple(related), tuple(distractors), tuple(left_out))


def assign_roles(names: Sequence[str], kinship: Kinship, *, all_references: bool = False) -> Roles:
    """What to use each of `names` for: one reference of each group unless all are wanted."""
    unused = {name: "left out" for name in names if _any(name, kinship.left_out)}
    open_names = [name for name in names if name not in unused]
    distractors = [name for name in open_names if _any(name, kinship.distractors)]
    left = [name for name in open_names if name not in distractors]
    kin: set[frozenset[str]] = set()
    for patterns in kinship.groups:
        members = _in_order(left, patterns)
        kin.update(_pairs(_in_order(open_names, patterns)))
        if members and not all_references:
            unused.update(dict.fromkeys(members[1:], f"same content as {members[0]}"))
    for patterns in kinship.related:
        kin.update(_pairs(_in_order(open_names, patterns)))
    references = tuple(name for name in left if name not in unused)
    return Roles(references, tuple(distractors), unused, frozenset(kin))


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _in_order(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        found += [name for name in names if fnmatchcase(name, pattern) and name not in found]
    return found


def _pairs(names: Sequence[str]) -> Iterable[frozenset[str]]:
    return (frozenset((a, b)) for k, a in enumerate(names) for b in names[k + 1 :])
