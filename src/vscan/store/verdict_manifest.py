"""A worker's manifest (`vscan.parts/1`): which parts it has stored, run by run."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import orjson

from vscan.errors import OutputError
from vscan.verdicts import Provenance

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, kw_only=True)
class PartEntry:
    """One stored part."""

    name: str
    """Of the file in the worker's folder."""
    bytes: int
    lines: int
    sha256: str
    """Of its bytes, 64 hex digits."""


@dataclass(frozen=True, kw_only=True)
class PartsRun:
    """One run of a worker that has stored parts."""

    run: str
    """Its name, with which those of its parts begin."""
    provenance: tuple[Provenance, ...]
    """How its verdicts were made, each way once; empty where a run was killed before it could say
    so, and another one found its parts."""
    parts: tuple[PartEntry, ...]
    """In the order in which they were stored."""


@dataclass(frozen=True, kw_only=True)
class PartsManifest:
    """What a worker has stored. Only that worker writes it; parts count without it, too."""

    schema: Literal["vscan.parts/1"] = "vscan.parts/1"
    worker: str
    """As its folder is called."""
    shard: str | None
    """`2/5` for the second of five shares; null for a whole run."""
    finished: bool
    """Whether the last run that wrote this came to its end."""
    runs: tuple[PartsRun, ...]
    """The older ones first."""

    def to_json(self) -> bytes:
        """The document, indented, with a line end."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def entry_of(name: str, data: bytes, *, lines: int) -> PartEntry:
    """The entry of a part that holds these bytes."""
    digest = hashlib.sha256(data).hexdigest()
    return PartEntry(name=name, bytes=len(data), lines=lines, sha256=digest)


def parse_manifest(data: bytes, *, name: str, worker: str) -> PartsManifest:
    """The manifest that a document holds. Raises OutputError, which names it, where it is none, or
    one of another worker."""
    try:
        manifest = _adapter().validate_json(data)
    except ValueError as error:
        raise OutputError(
            f"{name}: is no manifest of verdict parts of this version",
            remedy="remove it: parts count without it, and the next run writes it anew",
        ) from error
    if manifest.worker != worker:
        raise OutputError(
            f"{name}: is the manifest of {manifest.worker}, under another name",
            remedy="remove it: parts count without it, and the next run writes it anew",
        )
    return manifest


@cache
def _adapter() -> TypeAdapter[PartsManifest]:
    from pydantic import TypeAdapter

    return TypeAdapter(PartsManifest)
