"""Where a URI points: bucket and key, and what a folder or a pattern of it selects."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vscan.errors import UsageError
from vscan.remote.redacted import redacted

_MAGIC = re.compile(r"[*?\[]")
_ACCOUNT = re.compile(r".+\.(?:dfs|blob)\.core\.[a-z.]+")


@dataclass(frozen=True)
class Place:
    """A URI of an object store, taken apart."""

    uri: str
    """As it was given."""
    root: str
    """All of it before the key, without the slash, as `s3://bucket`."""
    bucket: str
    """Bucket or container; empty for `memory://`."""
    key: str
    """As it is, without any decoding; empty for the bucket itself."""

    def uri_of(self, key: str) -> str:
        """The URI of another key of the same bucket."""
        return f"{self.root}/{key}"


@dataclass(frozen=True)
class Selection:
    """Which keys of a bucket are wanted."""

    prefix: str
    """That the service is asked for."""
    one_folder: bool = False
    """Whether keys with a further slash after the prefix are left out by the service."""
    pattern: re.Pattern[str] | None = None
    """That a whole key must match; None: all of them."""

    def holds(self, key: str) -> bool:
        """Whether a key is wanted. Markers of folders, whose names end with a slash, are not."""
        if key.endswith("/") or not key:
            return False
        return self.pattern is None or self.pattern.match(key) is not None


def place_of(uri: str) -> Place:
    """A URI taken apart. Raises UsageError where it names no bucket or container.

    `az://container/key`, `abfs://container@account.dfs.core.windows.net/key` and
    `abfs://account.dfs.core.windows.net/container/key` are one form each.
    """
    scheme, _, rest = uri.partition("://")
    if scheme.lower() == "memory":
        return Place(uri, f"{scheme}:/", "", rest.lstrip("/"))
    authority, _, key = rest.partition("/")
    root = f"{scheme}://{authority}"
    bucket, at, _ = authority.partition("@")
    if not at and _ACCOUNT.fullmatch(authority):
        bucket, _, key = key.partition("/")
        root = f"{root}/{bucket}"
    if not bucket:
        raise UsageError(
            f"{redacted(uri)}: names no bucket or container",
            remedy=f"write {scheme}://BUCKET/KEY",
        )
    return Place(uri, root, bucket, key)


def selection_of(place: Place) -> Selection:
    """What a URI selects: everything below it, or what matches where its key is a pattern.

    Patterns as in the shell: `*`, `?` and `[…]` stay within a folder, `**/` crosses folders.
    Raises UsageError for a pattern that cannot be used.
    """
    magic = _MAGIC.search(place.key)
    if magic is None:
        folder = place.key.rstrip("/")
        return Selection(f"{folder}/" if folder else "")
    from fsspec.utils import glob_translate

    try:
        pattern = re.compile(glob_translate(place.key))
    except (ValueError, re.error) as error:
        raise UsageError(
            f"{redacted(place.uri)}: not a pattern that can be used: {error}",
            remedy="** stands for folders, as in s3://bucket/**/*.mp4",
        ) from error
    return Selection(
        place.key[: magic.start()],
        one_folder="/" not in place.key[magic.start() :] and "**" not in place.key,
        pattern=pattern,
    )
