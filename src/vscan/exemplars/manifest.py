"""The manifest of an exemplar index: what it is, its parts with their SHA-256, and its own check.

The bytes of `manifest.json` are the one encoding of what they say, with a checksum over the rest
as the last field: any byte changed by anything but vscan is noticed before another file is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import orjson

from vscan.errors import ExemplarIndexError

MANIFEST_NAME = "manifest.json"
SCHEMA: Literal["vscan.index/1"] = "vscan.index/1"
MAX_MANIFEST_BYTES = 64 << 20

_PART_PATH = re.compile(
    r"(exemplars|tracks|records|faiss)/[0-9a-z]+-[0-9a-f]{16}\.(jsonl|safetensors|faiss)"
)
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
    """safetensors, tensors named `<exemplar>/<signal>/<times_s|values|quality>`."""
    count: int
    """Exemplars."""
    rows: int
    """Samples of all signals."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class RecordsPart:
    """Some of the records that partners' lists said; see carried.py."""

    file: Part
    """JSONL, one record a line."""
    count: int
    """Records."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class FaissPart:
    """A FAISS index over every row of one signal, rebuildable from the tracks."""

    file: Part
    type: str
    """FAISS class, as `IndexFlatIP`."""
    rows: int
    built_from: str
    """Manifest.rows_digest of the tracks it was built from; another one means it is stale."""

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
    hashes: Mapping[str, str]
    """Version of every hash held, as {"pdq": "pdq/1"}."""
    sampling: str
    """Plan by which exemplars are sampled, as `fps:4`."""
    batches: tuple[Batch, ...] = ()
    faiss: Mapping[str, FaissPart] = field(default_factory=dict)
    """By signal."""
    records: tuple[RecordsPart, ...] = ()
    """Left out of the file where there are none."""
    digest: str
    """`sha256:…` over what decides matching: see ExemplarIndex.digest."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"not a name for an index: {self.name!r}")

    @property
    def signals(self) -> tuple[str, ...]:
        """Signals that exemplars of this index are measured by."""
        return ("embedding", "pdq") if self.model is not None else ("pdq",)

    @property
    def rows_digest(self) -> str:
        """SHA-256 over the tracks of all batches in order: what FAISS files are built from."""
        listed = "\n".join(batch.tracks.sha256 for batch in self.batches)
        return hashlib.sha256(listed.encode()).hexdigest()

    @property
    def parts(self) -> list[Part]:
        """Every file the manifest names."""
        files = [part for batch in self.batches for part in (batch.exemplars, batch.tracks)]
        files += [each.file for each in self.records]
        return files + [each.file for _, each in sorted(self.faiss.items())]


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
    record = asdict(manifest)
    if not manifest.records:
        del record["records"]
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
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Manifest).validate_json(orjson.dumps(record), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ExemplarIndexError(
            f"{where}: the manifest does not hold: {place}: {first['msg']}", remedy=_DAMAGED
        ) from error


def _dumps(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def refuse_other_model(path: Path, name: str, model: IndexModel, fingerprint: str) -> None:
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
