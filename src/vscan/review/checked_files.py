"""Files that the page may have: the very bytes that were judged, held against their SHA-256."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vscan.digests import file_digests
from vscan.errors import ReviewError, SourceError
from vscan.remote.objects import is_remote
from vscan.review.fetched_copies import FetchedCopies
from vscan.storage import FileStamp, local_path, open_source, scheme_of, stamp_of

PLAYED = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/webm",
    ".ogv": "video/ogg",
}
"""By suffix, as what a browser is asked to try; files with other suffixes are shown as stills.
QuickTime files are MP4's elder, and Matroska is WebM's: under those names browsers try them."""


@dataclass(frozen=True)
class CheckedFile:
    """A file whose SHA-256 was found to be the one that is wanted."""

    path: Path
    sha256: str
    stamp: FileStamp
    """Of the moment at which it was read: it stands for those bytes while this stays so."""

    @property
    def content_type(self) -> str | None:
        """What a browser is told that it is; None where it is not given one."""
        return PLAYED.get(self.path.suffix.lower())

    @property
    def etag(self) -> str:
        """A strong validator: the same content, the same tag."""
        return f'"{self.sha256[:32]}"'

    def open(self) -> BinaryIO:
        """The file, open for reading. Raises ReviewError where it is another by now."""
        try:
            file = open_source(self.path)
        except SourceError as error:
            raise ReviewError(error.message, remedy=error.remedy) from error
        if stamp_of(file) != self.stamp:
            file.close()
            raise _other_bytes("has changed since it was opened here")
        return file


class CheckedFiles:
    """Every file is read once to be checked, one at a time, behind the page. Safe among threads.

    Of an object behind a URI there is a copy on this machine, until the page ends or others need
    the room.
    """

    def __init__(self) -> None:
        self._copies = FetchedCopies()
        self._lock = threading.Lock()
        self._one = threading.Lock()
        self._found: dict[tuple[str, str | None], Future[CheckedFile]] = {}
        self._closed = False

    def check(self, uri: str, sha256: str | None) -> Future[CheckedFile]:
        """The file that a record names, once it is read. Its result raises ReviewError where there
        is none, or its content is no longer `sha256`."""
        with self._lock:
            held = self._found.get((uri, sha256))
            if held is None or (held.done() and held.exception() is not None):
                held = self._found[uri, sha256] = Future()
                # A daemon: the end of the program does not wait until a large file is read.
                threading.Thread(
                    target=self._run, args=(held, uri, sha256), name="vscan-review", daemon=True
                ).start()
            return held

    def _run(self, held: Future[CheckedFile], uri: str, sha256: str | None) -> None:
        with self._one, suppress(InvalidStateError):  # closed meanwhile
            if self._closed:
                return
            try:
                held.set_result(self._checked(uri, sha256))
            except Exception as error:  # noqa: BLE001 -- whoever waits for it is told
                held.set_exception(error)

    def close(self) -> None:
        """Tell whoever waits for a check that it will not end."""
        with self._lock:
            self._closed = True
            for held in self._found.values():
                with suppress(InvalidStateError):
                    held.set_exception(ReviewError("the page has ended"))
        self._copies.close()

    def _checked(self, uri: str, sha256: str | None) -> CheckedFile:
        if sha256 is None:
            raise ReviewError(
                "the verdict has no SHA-256: nobody can say that a file is the one that was judged",
                remedy="scan it again, or look at it with other means",
            )
        try:
            path = self._copies.of(uri) if _is_fetched(uri) else local_path(uri)
            found = file_digests(path)
        except SourceError as error:
            raise ReviewError(error.message, remedy=error.remedy) from error
        if found.sha256 != sha256 or found.stamp is None:
            raise _other_bytes("is no longer the one that was judged: its SHA-256 is another")
        self._forget(self._copies.dropped())
        return CheckedFile(path, sha256, found.stamp)

    def _forget(self, uris: frozenset[str]) -> None:
        """Files whose copies had to go are fetched and checked anew when they are wanted again."""
        with self._lock:
            for key in [each for each in self._found if each[0] in uris]:
                del self._found[key]


def _is_fetched(uri: str) -> bool:
    """Whether there is a copy to be made of it. Raises ReviewError for what no page may ask for: a
    partner's list may name any web server."""
    if not is_remote(uri):
        return False
    if scheme_of(uri) in ("http", "https"):
        raise ReviewError(
            "it lies behind a web address, and the page asks no web server",
            remedy="look at it with other means",
        )
    return True


def _other_bytes(what: str) -> ReviewError:
    return ReviewError(f"the file {what}", remedy="scan it again, and review the new verdict")
