"""One input: what it is recorded as, and where its bytes are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vscan.remote.objects import RemoteObject


@dataclass(frozen=True)
class Source:
    """One input at hand: where its bytes are, what it is recorded as, and what came along."""

    uri: str
    """As the user or the list named it, less `./` and doubled slashes; `os.fsdecode`d. Record it
    through `record_uri`."""
    path: Path
    """Where it can be opened."""
    meta: Mapping[str, object] = field(default_factory=dict)
    """Further keys of its line in a JSONL list, handed on to the record."""
    version: str | None = None
    """What pins its content where it came from object storage, as `etag:…`."""


@dataclass(frozen=True)
class RemoteSource:
    """One input behind a URI, to be fetched before it is read."""

    uri: str
    """It is recorded under: without credentials and signatures."""
    found: RemoteObject
    """What the service said of it, with the URI that it is fetched by."""
    meta: Mapping[str, object] = field(default_factory=dict)
    """As of a Source."""


Found = Source | RemoteSource
"""What a finder yields."""
