"""Fingerprints: SHA-256 and MD5 of a file in one pass, SHA-256 of plain data for identifiers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from vscan.storage import FileStamp, changed_while_read, open_source, source_error, stamp_of

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Digests:
    """What identifies a file's content."""

    sha256: str
    """64 hexadecimal digits."""
    md5: str
    """32 hexadecimal digits; for exchange with lists that hold nothing better, never for trust."""
    bytes: int
    """Size of the file."""
    stamp: FileStamp | None = field(default=None, compare=False, repr=False)
    """The very file that was read, where it is at hand; in no record."""


def file_digests(path: Path) -> Digests:
    """Both digests of a file, read once in chunks.

    Raises SourceError: those of `storage.open_source`, and `changed_while_read` where size or
    modification time move while it is read.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = 0
    with open_source(path) as file:
        before = stamp_of(file)
        buffer = bytearray(CHUNK_BYTES)
        view = memoryview(buffer)
        try:
            while got := file.readinto(view):  # type: ignore[attr-defined]  # unbuffered: FileIO
                sha256.update(view[:got])
                md5.update(view[:got])
                size += got
        except OSError as error:
            raise source_error(error) from error
        after = stamp_of(file)
    if before != after or size != after.bytes:
        raise changed_while_read()
    return Digests(sha256.hexdigest(), md5.hexdigest(), size, after)


def digest_of(data: object) -> str:
    """`sha256:` and the digest of plain data (dicts, lists, strings, numbers) in canonical JSON.

    Keys are sorted, so that equal data has equal digests whatever its order. Raises TypeError for
    what JSON cannot hold, strings with surrogates among them: `names.record_uri` escapes those.
    """
    canonical = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return f"sha256:{hashlib.sha256(canonical).hexdigest()}"
