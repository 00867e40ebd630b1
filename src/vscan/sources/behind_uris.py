"""Inputs behind URIs: one object, all media below a prefix, or those that match a pattern."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from vscan.errors import UsageError
from vscan.remote.failures import looked_error
from vscan.remote.fetching import Fetching
from vscan.remote.objects import RemoteObject, list_objects
from vscan.remote.redacted import redacted
from vscan.remote.systems import scheme_of
from vscan.sources.media_files import MEDIA_SUFFIXES, SNIFF_BYTES, looks_like_media

SNIFFED_AT_ONCE = 16
"""Objects whose first bytes are asked for at the same time."""
AHEAD = 256
"""Objects of a listing that are looked at together."""


def names_several(uri: str, *, outright: bool) -> bool:
    """Whether a URI means what lies below it, or matches it, rather than one object.

    outright: it stands in a list, where only a `/` at its end says so: a million names are not
    asked for one by one. HTTP knows no folders.
    """
    if scheme_of(uri) in ("http", "https"):
        return False
    if uri.endswith("/"):
        return True
    return not outright and glob.has_magic(uri.partition("://")[2])


def listed_media(uri: str, fetching: Fetching) -> Iterator[RemoteObject | None]:
    """The media below a prefix, or of a pattern, as the service lists them; None for each other.

    By their names, else by their first bytes; one whose first bytes cannot be had may be one, and
    counts as such. The listing is never held. Raises UsageError where it
    cannot be had, or breaks off: then nobody knows what is missing.
    """
    threads = ThreadPoolExecutor(SNIFFED_AT_ONCE, "vscan-sniff")
    try:
        objects = _listing(uri, fetching)
        while some := list(islice(objects, AHEAD)):
            are_media = threads.map(lambda each: _is_media(each, fetching), some)
            for each, is_media in zip(some, are_media, strict=True):
                yield each if is_media else None
    finally:
        # Not waited for: whoever ends the scan cancels what is under way.
        threads.shutdown(wait=False, cancel_futures=True)


def _listing(uri: str, fetching: Fetching) -> Iterator[RemoteObject]:
    try:
        yield from list_objects(uri, allow_private=fetching.allow_private)
    except OSError as error:
        raise UsageError(
            f"{redacted(uri)}: cannot be listed: {error}",
            remedy=f"{looked_error(error, uri).remedy}; the same command goes on from what is done",
        ) from error


def _is_media(found: RemoteObject, fetching: Fetching) -> bool:
    if suffix_of(found.uri).lower() in MEDIA_SUFFIXES:
        return True
    if not found.bytes:
        return False  # how some tools mark folders
    try:
        return looks_like_media(fetching.beginning(found, SNIFF_BYTES))
    except FileNotFoundError:
        return False  # it has gone since
    except OSError:
        return True  # nobody knows: fetching it says why, in its own line


def suffix_of(uri: str) -> str:
    """The extension of an object's name, with its dot; empty where there is none."""
    path = urlsplit(uri).path if scheme_of(uri) in ("http", "https") else uri
    return PurePosixPath(path.rpartition("/")[2]).suffix
