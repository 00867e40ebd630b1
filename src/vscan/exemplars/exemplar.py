"""An exemplar: one known item with where it came from, what it stands for, and what is stored."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Opinion = Literal["violating", "benign"]
OPINIONS: tuple[Opinion, ...] = ("violating", "benign")
Severity = Literal["low", "medium", "high", "critical"]

UTC_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_ID = re.compile(r"ex_[0-9a-z]{20}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_CROCKFORD = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz"
)


@dataclass(frozen=True, kw_only=True)
class StoredTrack:
    """What the index holds of one signal of an exemplar; the values themselves lie beside it."""

    rows: int
    """One for each sample, or for each sample and region."""
    width: int
    """Numbers, or bytes, in a row."""
    vectors: int
    """What is searched of it: its rows, or of keypoints the features that they have."""
    sha256: str
    """Of times, values, quality and regions as stored."""
    spec: Mapping[str, str] = field(default_factory=dict)
    """What made the track: reader, sampling, model, hash version."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if min(self.rows, self.width, self.vectors) < 0 or not _SHA256.fullmatch(self.sha256):
            raise ValueError("a stored track needs numbers of rows and bytes and a SHA-256")


@dataclass(frozen=True, kw_only=True)
class Exemplar:
    """One known item. Checks itself: raises ValueError where a field cannot be."""

    id: str
    """`ex_` and 20 characters that follow from the content; see exemplar_id."""
    source: str
    """Path or URI it was added from, as shown to people."""
    sha256: str | None = None
    """Of the file's bytes, hexadecimal; None where only hashes of its frames were received."""
    md5: str | None = None
    policy: str
    """Policy it is an example of, as `weapons.firearms`."""
    opinion: Opinion
    """`violating`, or `benign`: known to look like a violation and to be none."""
    severity: Severity | None = None
    note: str = ""
    added_at: str
    """UTC, ISO 8601, as `2026-11-02T09:30:00Z`."""
    added_by: str = ""
    duration_s: float | None = None
    """Presentation time at which its last frame ends, seconds."""
    width: int | None = None
    """Pixels as shown."""
    height: int | None = None
    enabled: bool = True
    """A disabled exemplar is kept and matches nothing."""
    expires_at: str | None = None
    """UTC, as `2026-11-02T09:30:00Z`: from then on it is kept and matches nothing."""
    quarantined: str | None = None
    """Why and when it was set aside; kept, and matches nothing."""
    confirmed: int = 0
    """How often a person said that a match with it was right."""
    deconfirmed: int = 0
    """How often a person said that a match with it was wrong."""
    tracks: Mapping[str, StoredTrack] = field(default_factory=dict)
    """By signal; filled in by the index."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"an exemplar's id is ex_ and 20 characters, got {self.id!r}")
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"not a SHA-256: {self.sha256!r}")
        if self.md5 is not None and not _MD5.fullmatch(self.md5):
            raise ValueError(f"not an MD5: {self.md5!r}")
        if self.opinion not in OPINIONS:
            raise ValueError(f"an opinion is one of {', '.join(OPINIONS)}, got {self.opinion!r}")
        if not self.policy:
            raise ValueError("an exemplar stands under a policy")
        if self.duration_s is not None and not (
            math.isfinite(self.duration_s) and self.duration_s >= 0
        ):
            raise ValueError(f"a duration is a number of seconds, got {self.duration_s}")
        if self.expires_at is not None and not is_utc(self.expires_at):
            raise ValueError(f"not a time as 2026-11-02T09:30:00Z: {self.expires_at!r}")
        if min(self.confirmed, self.deconfirmed) < 0:
            raise ValueError("an exemplar is confirmed so many times, or not at all")

    def active(self, now: str) -> bool:
        """Whether it may match at the time `now`, UTC as `2026-11-02T09:30:00Z`."""
        return self.enabled and self.quarantined is None and not self.expired(now)

    def expired(self, now: str) -> bool:
        """Whether its time is over at the time `now`."""
        return self.expires_at is not None and self.expires_at <= now


def updated(exemplar: Exemplar, changes: Mapping[str, Any]) -> Exemplar:
    """The exemplar with other values in those fields.

    Raises ValueError for a field that an exemplar has not or that follows from its content, and for
    a value that cannot be.
    """
    fixed = {"id", "tracks"}
    other = set(changes) - {each.name for each in fields(Exemplar)} | (set(changes) & fixed)
    if other:
        raise ValueError(f"not a field of an exemplar to change: {', '.join(sorted(other))}")
    return replace(exemplar, **changes)


def is_utc(text: str) -> bool:
    """Whether it is a time as the index writes it: such times sort as text does."""
    if not _UTC.fullmatch(text):
        return False
    try:
        datetime.strptime(text, UTC_FORMAT)
    except ValueError:
        return False
    return True


def exemplar_id(sha256: str) -> str:
    """The id of the exemplar made of a file with this SHA-256 (64 hexadecimal digits).

    `ex_` and the first 100 bits of the SHA-256 of that digest, in Crockford's base 32: the same
    content has the same id in every index, so that indexes can be merged and compared.
    """
    return _id(f"vscan.exemplar/1\n{sha256.lower()}".encode())


def hashes_id(times_s: NDArray[np.float64], values: NDArray[np.generic]) -> str:
    """The id of the exemplar made of PDQ hashes (T, 32) at times (T,), its file being unknown.

    The same hashes at the same times have the same id, whoever sent them in whatever format.
    """
    times = np.ascontiguousarray(times_s, "<f8").tobytes()
    return _id(b"vscan.exemplar.pdq/1\n" + times + np.ascontiguousarray(values).tobytes())


def _id(basis: bytes) -> str:
    digest = hashlib.sha256(basis).digest()
    return "ex_" + base64.b32encode(digest)[:20].translate(_CROCKFORD).decode()
