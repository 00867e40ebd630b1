"""A pack for reviewer training read back: every file held against the manifest's digests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import orjson

from vscan.errors import UsageError
from vscan.metrics.training.records import (
    ANSWERS,
    CASES,
    MANIFEST,
    TrainingAnswer,
    TrainingCase,
)
from vscan.storage import read_bytes

MOST_BYTES = 256 << 20
_SCHEMA = "vscan.training_pack/1"
_REMEDY = "take the pack as `vscan train build` wrote it, or build it again"
_Line = TypeVar("_Line", TrainingCase, TrainingAnswer)


@dataclass(frozen=True)
class HeldPack:
    """A pack as it lies in its folder."""

    digest: str
    """SHA-256 of the manifest, which names those of the other files."""
    seed: int
    cases: tuple[TrainingCase, ...]
    """In the order of their numbers."""
    answers: tuple[TrainingAnswer, ...]
    """Those of `cases`, in the same order."""


def load_pack_folder(folder: Path) -> HeldPack:
    """The pack in a folder.

    Raises UsageError where a file is missing, is not what the manifest says, or is no such file.
    """
    path = folder / MANIFEST
    held = read_bytes(path, limit=MOST_BYTES)
    manifest = _object(path, held)
    files, seed = manifest.get("files"), manifest.get("seed")
    if manifest.get("schema") != _SCHEMA or not isinstance(files, dict) or type(seed) is not int:
        raise UsageError(f"{path}: not a manifest of schema {_SCHEMA}", remedy=_REMEDY)
    cases = _lines(folder / CASES, files, _case)
    answers = _lines(folder / ANSWERS, files, _answer)
    asked = [(each.number, each.verdict, each.policy) for each in cases]
    known = [(each.number, each.verdict, each.policy) for each in answers]
    if asked != known or not asked or len({each[1:] for each in asked}) < len(asked):
        raise UsageError(f"{folder}: {ANSWERS} does not answer what {CASES} asks", remedy=_REMEDY)
    return HeldPack(hashlib.sha256(held).hexdigest(), seed, tuple(cases), tuple(answers))


def _lines(
    path: Path, files: dict[str, Any], made: Callable[[dict[str, Any]], _Line]
) -> list[_Line]:
    """The lines of a file whose digest is the manifest's."""
    held = read_bytes(path, limit=MOST_BYTES)
    if hashlib.sha256(held).hexdigest() != files.get(path.name):
        raise UsageError(
            f"{path}: was changed: its SHA-256 is not that of the manifest", remedy=_REMEDY
        )
    found = []
    for number, line in enumerate(held.splitlines(), start=1):
        try:
            found.append(made(_object(path, line)))
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{path}:{number}: no line of such a file", remedy=_REMEDY) from error
    return found


def _object(path: Path, text: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path}: no JSON: {error}", remedy=_REMEDY) from error
    if not isinstance(value, dict):
        raise UsageError(f"{path}: not a JSON object", remedy=_REMEDY)
    return cast("dict[str, Any]", value)


def _case(row: dict[str, Any]) -> TrainingCase:
    return TrainingCase(
        **row | {"segments": tuple((float(a), float(b)) for a, b in row["segments"])}
    )


def _answer(row: dict[str, Any]) -> TrainingAnswer:
    if row["ruling"] not in ("uphold", "overturn"):
        raise ValueError("an answer settles its case")
    return TrainingAnswer(
        **row | {"looks": tuple(row["looks"]), "reviewers": tuple(row["reviewers"])}
    )
