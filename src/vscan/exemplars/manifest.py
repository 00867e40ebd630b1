"""The manifest of an exemplar index: what it is, its parts with their SHA-256, and its own check.

The bytes of `manifest.json` are the one encoding of what they say, with a checksum over the rest
as the last field: any byte changed by anything but vscan is noticed before another file is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import orjson

from vscan.errors import ExemplarIndexError
from vscan.exemplars.structures import INVERTED, TYPES

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MANIFEST_NAME = "manifest.json"
SIGNALS: tuple[str, ...] = ("embedding", "pdq", "keypoints")
"""What an index can hold, in the order in which a manifest names them."""
SCHEMA: Literal["vscan.index/1"] = "vscan.index/1"
MAX_MANIFEST_BYTES = 64 << 20

_PART_PATH = re.compile(
    r"(exemplars|tracks|records|cells|background)/[0-9a-z]+-[0-9a-f]{16}\.(jsonl|safetensors)"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
_DAMAGED = "restore the folder from a copy, or create the index again from its sources"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One immutable file of the index; its name holds the start of its SHA-256."""

    path: str
    """Below the index's folder, with forward slashes."""
    sha256: str
    bytes: int

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        # The path comes from a file that may be hostile: it must not lead out of the folder.
        if not _PART_PATH.fullmatch(self.path) or self.bytes < 0:
            raise ValueError(f"not a part of an index: {self.path!r}")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some exemplars and their tracks: what is rewritten together when one of them changes."""

    exemplars: Part
    """JSONL, one exemplar a line."""
    tracks: Part
    """safetensors: see packing.py."""
    count: int
    """Exemplars."""
    rows: int
    """Of all signals."""
    vectors: Mapping[str, int]
    """By signal, how many are searched."""
    content: str
    """What decides matching of these exemplars: see content.py."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if min(self.count, self.rows) < 0 or not _SHA256.fullmatch(self.content):
            raise ValueError("a batch needs numbers of exemplars and rows and a digest")


@dataclass(frozen=True, kw_only=True)
class RecordsPart:
    """Some of the records that partners' lists said; see carried.py."""

    file: Part
    """JSONL, one record a line."""
    count: int
    """Records."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class SearchedBy:
    """What searches one signal: chosen by how many vectors there are; see structures.py."""

    type: str
    """Class, as `IndexFlatIP`."""
    vectors: int
    """How many it was chosen for."""
    width: int = 0
    """Numbers, or bytes, in a row; 0 while there are none."""
    cells: Part | None = None
    """Of inverted lists: see cells.py. Rebuildable; a reader without it compares every embedding,
    and every descriptor with the centroids of its own lists."""
    missing: int = 0
    """Vectors that were added since the cells were saved."""
    gone: int = 0
    """Vectors that were removed since."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class IndexModel:
    """The model that made the index's embeddings."""

    name: str
    fingerprint: str
    """`name#sha256:…`; vectors may be compared only where the part after `#` is the same."""
    dim: int
    match_similarity: float
    """The embedding's operating point: cosine from which two frames count as the same."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 1 <= self.dim <= 65536:
            raise ValueError(f"dimension out of range: {self.dim}")
        if not 0.0 < self.match_similarity < 1.0:
            raise ValueError(f"match similarity must be within 0..1, got {self.match_similarity}")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Everything that `manifest.json` says, but for its checksum."""

    schema: Literal["vscan.index/1"] = SCHEMA
    name: str
    created_at: str
    generation: int = 0
    """Grows by one with every change that was written."""
    model: IndexModel | None
    """None: the index holds no embeddings."""
    signals: tuple[str, ...]
    """What every exemplar is measured by, in the order of SIGNALS."""
    hashes: Mapping[str, str]
    """Version of every hash held, as {"pdq": "pdq/1"}."""
    sampling: str
    """Plan by which exemplars are sampled, as `fps:4`."""
    batches: tuple[Batch, ...] = ()
    search: Mapping[str, SearchedBy] = field(default_factory=dict)
    """By signal, what searches it; none while the index is empty."""
    records: tuple[RecordsPart, ...] = ()
    """Left out of the file where there are none."""
    background: Part | None = None
    """Frames that match nothing, see background.py; left out of the file where there is none."""
    digest: str
    """`sha256:…` over what decides matching: see ExemplarIndex.digest."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"not a name for an index: {self.name!r}")
        if not self.signals or self.signals != tuple(s for s in SIGNALS if s in self.signals):
            raise ValueError(f"signals are some of {', '.join(SIGNALS)}, got {self.signals}")
        if (self.model is not None) != ("embedding" in self.signals):
            raise ValueError("a model belongs to an index of embeddings, and to no other")
        if self.background is not None and self.model is None:
            raise ValueError("a background belongs to an index of embeddings, and to no other")
        if set(self.hashes) != set(self.signals) - {"embedding"}:
            raise ValueError(f"versions of {sorted(self.hashes)} for the signals {self.signals}")
        for signal, searched in self.search.items():
            if signal not in self.signals or searched.type not in TYPES[signal]:
                raise ValueError(f"{signal} is not searched by {searched.type!r}")
            if searched.cells is not None and searched.type not in INVERTED:
                raise ValueError(f"{searched.type} has no cells")

    @property
    def parts(self) -> list[Part]:
        """Every file the manifest names."""
        files = [part for batch in self.batches for part in (batch.exemplars, batch.tracks)]
        files += [each.file for each in self.records]
        files += [] if self.background is None else [self.background]
        searched = (each for _, each in sorted(self.search.items()))
        return files + [each.cells for each in searched if each.cells is not None]


def check_name(name: str) -> str:
    """`name` if an index may have it. Raises ExemplarIndexError otherwise."""
    if not _NAME.fullmatch(name):
        raise ExemplarIndexError(
            f"{name!r} is not a name for an index",
            remedy="use up to 100 letters, digits, dots, dashes and underscores, as known-2026",
        )
    return name


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of `manifest.json`: the same manifest always gives the same."""
    record = orjson.loads(orjson.dumps(manifest))
    if not manifest.records:
        del record["records"]
    if manifest.background is None:
        del record["background"]
    check = hashlib.sha256(_dumps(record)).hexdigest()
    return _dumps(record | {"checksum": check})


def decode_manifest(data: bytes, *, where: str) -> Manifest:
    """The manifest in `data`, which was read from `where`.

    Raises ExemplarIndexError where it is no manifest, of another version, or any byte of it is
    not as vscan wrote it.
    """
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError:
        record = None
    if not isinstance(record, dict):
        raise ExemplarIndexError(f"{where}: the manifest is damaged", remedy=_DAMAGED)
    schema = record.get("schema")
    check = record.pop("checksum", None)
    if check != hashlib.sha256(_dumps(record)).hexdigest() or data != _dumps(
        record | {"checksum": check}
    ):
        raise ExemplarIndexError(
            f"{where}: the manifest is damaged: it does not agree with its checksum",
            remedy=_DAMAGED,
        )
    if schema != SCHEMA:
        raise ExemplarIndexError(
            f"{where}: the index has the format {schema!r}, this vscan reads {SCHEMA!r}",
            remedy="use the version of vscan that made it, or create the index again",
        )
    return _validated(record, where)


def _validated(record: dict[str, Any], where: str) -> Manifest:
    from pydantic import ValidationError

    try:
        return _adapter().validate_json(orjson.dumps(record), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ExemplarIndexError(
            f"{where}: the manifest does not hold: {place}: {first['msg']}", remedy=_DAMAGED
        ) from error


@cache
def _adapter() -> TypeAdapter[Manifest]:
    from pydantic import TypeAdapter

    return TypeAdapter(Manifest)


def _dumps(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def refuse_other_model(path: Path | str, name: str, model: IndexModel, fingerprint: str) -> None:
    """Raises ExemplarIndexError where `fingerprint` is not of the model that made the index."""
    if model.fingerprint.partition("#")[2] == fingerprint.partition("#")[2]:
        return
    raise ExemplarIndexError(
        f"{path}: the index {name!r} was made with the model {_short(model.fingerprint)}, this run"
        f" uses {_short(fingerprint)}: their vectors cannot be compared",
        remedy=_remedy_for_another_model(model.name, fingerprint),
    )


def _short(fingerprint: str) -> str:
    """Name and first digits: as much as a person compares."""
    name, mark, digest = fingerprint.partition("sha256:")
    return f"{name}{mark}{digest[:12]}"


def _remedy_for_another_model(made_with: str, fingerprint: str) -> str:
    again = "create the index again with this model and add its videos anew"
    if fingerprint.partition("#")[0] == made_with:
        return f"the weights have changed under the same name: {again}"
    return f"run with --model {made_with} and the same weights, or {again}"
