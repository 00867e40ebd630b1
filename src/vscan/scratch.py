"""Room on disk for what lies behind URIs: fetched ahead of its reading, bounded, gone afterwards.

with Scratch(most_bytes=8 << 30) as scratch:
    with scratch.at_hand(found) as source:      # a Source: fetched, or there already
        read(source.path)
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from fcntl import LOCK_EX, LOCK_NB, flock
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from vscan.errors import FetchCancelled, OutputError, SourceError
from vscan.remote.fetching import Fetching
from vscan.remote.objects import RemoteObject
from vscan.sources.behind_uris import suffix_of
from vscan.sources.source import Found, RemoteSource, Source

Result = TypeVar("Result")
FETCHED_AT_ONCE = 16
"""Objects that are fetched at the same time."""
MOST_BYTES = 16 << 30
SHARE_OF_FREE = 0.5
"""By default so much of the free disk at most."""
UNKNOWN_BYTES = 1 << 30
"""Kept for an object whose service does not say how large it is; more of it is refused."""
_PREFIX = "vscan-scratch-"
_LOCK = ".in-use"
_SUFFIX_CHARACTERS = 10


class Scratch:
    """Fetches objects into a folder of its own, so many bytes at the same time at most.

    Safe to be used by several threads. Who asks first gets room first, so that large objects have
    their turn.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        most_bytes: int | None = None,
        sharers: int = 1,
        fetching: Fetching | None = None,
    ) -> None:
        """most_bytes: None for MOST_BYTES, or SHARE_OF_FREE of the disk. sharers: processes that
        share them."""
        self.fetching = Fetching() if fetching is None else fetching
        self._above = Path(tempfile.gettempdir()) if folder is None else folder
        self._told_bytes, self._sharers = most_bytes, sharers
        self._most_bytes = 0
        self._folder: Path | None = None
        self._lock_file: FileIO | None = None
        self._slots = threading.BoundedSemaphore(FETCHED_AT_ONCE)
        self._room = threading.Condition()
        self._waiting: deque[object] = deque()
        self._cancelled = False
        self._number = 0
        self.used_bytes = 0
        """Taken by what is fetched or being fetched now."""
        self.peak_bytes = 0
        """The most of it so far."""

    @contextmanager
    def at_hand(self, found: Found) -> Iterator[Source]:
        """The input as a local file, for a block. Raises SourceError where it cannot be fetched,
        and OutputError where the scratch folder cannot be written."""
        if isinstance(found, Source):
            yield found
            return
        with self._fetched(found) as (copy, version):
            yield Source(found.uri, copy, found.meta, version=version)

    @contextmanager
    def _fetched(self, found: RemoteSource) -> Iterator[tuple[Path, str | None]]:
        """The object as a file, and its version."""
        known = found.found
        with ExitStack() as stack:
            path, most_bytes = stack.enter_context(self._reserved(known.bytes))
            copy = path.with_name(path.name + plain_suffix(known.uri))
            stack.callback(copy.unlink, missing_ok=True)
            try:
                got = self._fetch(known, copy, most_bytes)
            except SourceError as error:
                if error.code != "too_large":
                    raise
                # What grew since it was listed is no longer what the room was for.
                now = self.fetching.head(known.uri)
                if now.bytes == known.bytes:
                    raise
                stack.close()
                path, most_bytes = stack.enter_context(self._reserved(now.bytes))
                copy = path.with_name(path.name + plain_suffix(known.uri))
                stack.callback(copy.unlink, missing_ok=True)
                got = self._fetch(now, copy, most_bytes)
            yield copy, got.version

    def _fetch(self, known: RemoteObject, copy: Path, most_bytes: int) -> RemoteObject:
        with self._slots:
            pinned = known if known.bytes is not None else None
            return self.fetching.fetch(known.uri, copy, known=pinned, most_bytes=most_bytes)

    def look(self, found: Found) -> Found:
        """The input with its object's size and version, asked for where they are not known yet.

        Raises SourceError where it cannot be had, and FetchCancelled.
        """
        if isinstance(found, Source) or found.found.bytes is not None:
            return found
        return replace(found, found=self.fetching.head(found.found.uri))

    @contextmanager
    def _reserved(self, told_bytes: int | None) -> Iterator[tuple[Path, int]]:
        """Room for so many bytes: a name in the folder, and how many bytes it may take."""
        folder = self.made()
        wanted = min(UNKNOWN_BYTES, self._most_bytes) if told_bytes is None else told_bytes
        if wanted > self._most_bytes:
            raise SourceError(
                "too_large",
                f"{wanted} bytes: more than the {self._most_bytes} of the scratch space",
                remedy="give more: --scratch-bytes 64G, or --scratch DIR on a larger disk",
            )
        ticket = object()
        with self._room:
            self._waiting.append(ticket)
            try:
                self._room.wait_for(lambda: self._may_go(ticket, wanted))
            finally:
                self._waiting.remove(ticket)
                self._room.notify_all()
            if self._cancelled:
                raise FetchCancelled
            self.used_bytes += wanted
            self.peak_bytes = max(self.peak_bytes, self.used_bytes)
            self._number += 1
            path = folder / f"{self._number:08d}"
        try:
            yield path, wanted
        finally:
            with self._room:
                self.used_bytes -= wanted
                self._room.notify_all()

    def _may_go(self, ticket: object, wanted: int) -> bool:
        first = self._waiting[0] is ticket
        return self._cancelled or (first and self.used_bytes + wanted <= self._most_bytes)

    def made(self) -> Path:
        """The folder, made when it is first asked for; what is put below it goes with it. Raises
        OutputError."""
        with self._room:
            if self._folder is None:
                try:
                    self._above.mkdir(parents=True, exist_ok=True)
                    _remove_abandoned(self._above)
                    # Locked before it has the name by which others look for abandoned ones.
                    made = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=self._above))
                    self._lock_file = FileIO(made / _LOCK, "w")
                    flock(self._lock_file, LOCK_EX | LOCK_NB)
                    self._folder = made.rename(made.with_name(made.name.removeprefix(".")))
                    free = shutil.disk_usage(self._folder).free
                except OSError as error:
                    raise OutputError(
                        f"{self._above}: no scratch space can be made there ({error.strerror})",
                        remedy="name a folder with room: --scratch DIR",
                    ) from error
                allowed = self._told_bytes or min(MOST_BYTES, int(free * SHARE_OF_FREE))
                self._most_bytes = allowed // self._sharers
            return self._folder

    def cancel(self) -> None:
        """Ends every fetch under way and all waiting for room, at once."""
        self._cancelled = True
        self.fetching.cancel()
        with self._room:
            self._room.notify_all()

    def close(self) -> None:
        """Removes the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock_file is not None:
            self._lock_file.close()

    def emptied_after(
        self, results: Generator[Result, None, None]
    ) -> Generator[Result, None, None]:
        """The same results; when they end, or are closed, the folder is removed."""
        with self, closing(results):
            yield from results

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _remove_abandoned(above: Path) -> None:
    """Removes scratch folders of runs that were killed: nobody holds their lock."""
    for folder in above.glob(f"{_PREFIX}*"):
        try:
            with FileIO(folder / _LOCK, "r+") as held:
                flock(held, LOCK_EX | LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # in use, another user's, or just being made


def plain_suffix(uri: str) -> str:
    """The name's extension, where it is a plain one: it may tell a reader what to try first."""
    suffix = suffix_of(uri)
    plain = suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= _SUFFIX_CHARACTERS
    return suffix if plain else ""
