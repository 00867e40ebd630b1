"""Names of the files of a frame store, and what they say."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from vscan.store.specs import SIGNALS

STORE_FILE = "store.json"
FRAMES = "frames"
SOURCES = "sources"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"[0-9a-f]{16}")
_TRACK_PATH = re.compile(
    r"frames/([0-9a-f]{2})/([0-9a-f]{64})-(" + "|".join(SIGNALS) + r")-([0-9a-f]{16})"
    r"(?:-([0-9]{4,}))?\.safetensors"
)
_SOURCE_PATH = re.compile(r"sources/([0-9a-f]{2})/([0-9a-f]{64})\.json")
_LEFTOVER = re.compile(
    r"(?:frames/[0-9a-f]{2}/|sources/[0-9a-f]{2}/|)"
    r"\.(?:store\.json|[0-9a-f]{64}[-.a-z0-9]*)\.[a-z0-9_]{8}"
)


@dataclass(frozen=True)
class TrackName:
    """What the name of a track's file says. Raises ValueError where a part of it is malformed."""

    sha256: str
    """Of the content, 64 hexadecimal digits."""
    signal: str
    key: str
    """`TrackSpec.key`."""
    part: int | None = None
    """Which of the earlier parts of a long track, from 0 on; None for the file that ends it."""

    def __post_init__(self) -> None:
        if not is_sha256(self.sha256) or not _KEY.fullmatch(self.key):
            raise ValueError(f"not a digest and a key: {self.sha256!r}, {self.key!r}")
        if self.signal not in SIGNALS:
            raise ValueError(f"no tracks of {self.signal!r} are stored")

    @property
    def path(self) -> str:
        """The file, below the store's folder."""
        part = "" if self.part is None else f"-{self.part:04}"
        name = f"{self.sha256}-{self.signal}-{self.key}{part}.safetensors"
        return f"{FRAMES}/{self.sha256[:2]}/{name}"


def parse_track_path(path: str) -> TrackName | None:
    """What the path of a file below a store's folder says; None where it is no track's."""
    match = _TRACK_PATH.fullmatch(path)
    if match is None or not match[2].startswith(match[1]):
        return None
    return TrackName(match[2], match[3], match[4], None if match[5] is None else int(match[5]))


def source_path(uri: str) -> str:
    """The file of the record of a URI, as `names.record_uri` writes it."""
    digest = hashlib.sha256(uri.encode()).hexdigest()
    return f"{SOURCES}/{digest[:2]}/{digest}.json"


def is_source_path(path: str) -> bool:
    """Whether the path of a file below a store's folder is that of a source record."""
    match = _SOURCE_PATH.fullmatch(path)
    return match is not None and match[2].startswith(match[1])


def is_leftover(path: str) -> bool:
    """Whether the path is that of a file that a writer had not finished."""
    return _LEFTOVER.fullmatch(path) is not None


def is_sha256(text: str) -> bool:
    """Whether a text is a SHA-256 in lower case."""
    return _SHA256.fullmatch(text) is not None


def is_key(text: str) -> bool:
    """Whether a text is the key of a spec."""
    return _KEY.fullmatch(text) is not None
