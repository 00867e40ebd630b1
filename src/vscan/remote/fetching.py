"""Whole objects brought to this machine: block by block, all of one version.

fetching = Fetching()
told = fetching.fetch("s3://bucket/a.mp4", scratch / "a.mp4")
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from vscan.errors import FetchCancelled, SourceError, UsageError, VscanError
from vscan.remote.answers import BadBody, Changed, Unusable, answer_of, remote_error
from vscan.remote.failures import fetch_error
from vscan.remote.objects import looked
from vscan.remote.places import Place
from vscan.remote.remote_object import RemoteObject
from vscan.remote.retrying import ANSWER_S, ATTEMPTS, retried
from vscan.remote.scratch_file import ScratchFile, remove
from vscan.remote.service import Part, Service
from vscan.remote.services import Services

T = TypeVar("T")
BLOCK_BYTES = 1 << 23
"""Asked for at once, and held in memory by each fetch under way."""
BLOCK_S = 300.0
"""Seconds within which a block must be there, however steadily it trickles."""


class Fetching:
    """Fetches objects, any number at a time, with one set of sessions. Thread-safe.

    allow_private: whether http(s) URLs may lead to addresses that are not public (`addresses.py`).
    attempts: of each request, the first one included.
    """

    def __init__(self, *, allow_private: bool = False, attempts: int = ATTEMPTS) -> None:
        self.allow_private = allow_private
        self._services = Services(allow_private=allow_private)
        self.attempts = attempts
        """Of each request, the first one included."""
        self._lock = threading.Lock()
        self._under_way: set[concurrent.futures.Future[Any]] = set()
        self._cancelled = False
        self.retries = 0
        """Requests that were sent again so far."""
        self.fetched_bytes = 0
        """Bytes that came to the disk so far, those of broken fetches included."""
        self.fetched = 0
        """Objects that were fetched whole so far."""

    def fetch(
        self,
        uri: str,
        destination: Path,
        *,
        known: RemoteObject | None = None,
        most_bytes: int | None = None,
    ) -> RemoteObject:
        """Brings an object to a local file (mode 0600), every byte of one version of it.

        known: what a listing told of it: its version is the one that is fetched. Where the object
        changes meanwhile, the fetch starts over once. A file that is not whole is removed.

        Raises SourceError: `not_found`, `permission_denied`, `empty_file`, `too_large` (before any
        byte is read, where the service tells the size), `fetch_failed`; OutputError where the
        destination cannot be written; FetchCancelled after `cancel`.
        """
        try:
            service, place = self._services.at(uri)
        except UsageError as error:
            raise SourceError("fetch_failed", error.message, remedy=error.remedy) from None
        one = _Fetch(self, service, place, destination, most_bytes)
        try:
            told = self._waited_for(one.run(known))
        except BaseException:
            remove(destination)
            raise
        self.count(fetched=1)
        return told

    def look(self, uri: str) -> RemoteObject | None:
        """The object of that name, unread; None: there is a folder instead. Raises as `look_at`,
        and FetchCancelled after `cancel`."""
        service, place = self._services.at(uri)
        try:
            return self._waited_for(looked(service, place, self.attempts))
        except VscanError:
            raise
        except Exception as error:  # noqa: BLE001 -- its cause may hold credentials
            raise remote_error(error) from None

    def head(self, uri: str) -> RemoteObject:
        """The object of that name, unread. Raises as `fetch`, and SourceError `not_a_file` where
        there is a folder instead."""
        try:
            service, place = self._services.at(uri)
            found = self._waited_for(looked(service, place, self.attempts))
        except UsageError as error:
            raise SourceError("fetch_failed", error.message, remedy=error.remedy) from None
        except VscanError:
            raise
        except Exception as error:  # noqa: BLE001 -- its cause may hold credentials
            raise fetch_error(error, uri, self.attempts) from None
        if found is None:
            raise SourceError(
                "not_a_file",
                "it is a folder, not an object",
                remedy="end its name with / to scan what lies below it",
            )
        return found

    def beginning(self, found: RemoteObject, size: int) -> bytes:
        """At most so many of an object's first bytes. Raises as `look`."""
        service, place = self._services.at(found.uri)
        end = size if found.bytes is None else min(size, found.bytes)

        async def once() -> bytes:
            async with service.read(found, place, 0, end) as part:
                head = bytearray()
                async for chunk in part.chunks:
                    head += chunk
                    if len(head) >= end:
                        break
                return bytes(head[:end])

        try:
            return self._waited_for(retried(once, attempts=self.attempts))
        except VscanError:
            raise
        except Exception as error:  # noqa: BLE001 -- its cause may hold credentials
            raise remote_error(error) from None

    def _waited_for(self, request: Coroutine[Any, Any, T]) -> T:
        """What a request comes to. Raises FetchCancelled where `cancel` ends it."""
        from fsspec.asyn import get_loop

        with self._lock:
            if self._cancelled:
                request.close()
                raise FetchCancelled
            future = asyncio.run_coroutine_threadsafe(request, get_loop())
            self._under_way.add(future)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise FetchCancelled from None
        except BaseException:
            future.cancel()
            raise
        finally:
            with self._lock:
                self._under_way.discard(future)

    def cancel(self) -> None:
        """Ends every request under way at once, and every later one: they raise FetchCancelled."""
        with self._lock:
            self._cancelled = True
            under_way = list(self._under_way)
        for each in under_way:
            each.cancel()

    def count(self, *, retries: int = 0, fetched_bytes: int = 0, fetched: int = 0) -> None:
        """Adds to the counters."""
        with self._lock:
            self.retries += retries
            self.fetched_bytes += fetched_bytes
            self.fetched += fetched


class _Fetch:
    """One object on its way; everything here runs on fsspec's loop."""

    def __init__(
        self,
        fetching: Fetching,
        service: Service,
        place: Place,
        destination: Path,
        most_bytes: int | None,
    ) -> None:
        self._fetching = fetching
        self._service = service
        self._place = place
        self._destination = destination
        self._most_bytes = most_bytes

    async def run(self, known: RemoteObject | None) -> RemoteObject:
        """The object as it was fetched. Raises VscanErrors only: a task's other errors would be
        logged as they are where nobody waits for it any more."""
        try:
            return await self._pinned(known)
        except asyncio.CancelledError:
            # Whoever waited has removed it already, and it may have been opened since.
            remove(self._destination)
            raise
        except VscanError:
            raise
        except Exception as error:  # noqa: BLE001 -- its cause may hold credentials
            raise fetch_error(error, self._place.uri, self._fetching.attempts) from None

    async def _pinned(self, known: RemoteObject | None) -> RemoteObject:
        """All bytes of the version that is known, or once more of the one that came after it."""
        if known is None or known.bytes is None or known.version is None:
            known = await self._head()
        try:
            return await self._version(known)
        except Exception as error:
            if answer_of(error).kind != "changed":
                raise
        return await self._version(await self._head())

    async def _head(self) -> RemoteObject:
        return await self._retried(lambda: self._service.head(self._place))

    async def _version(self, pinned: RemoteObject) -> RemoteObject:
        """All bytes of one version. Raises Changed, or what stands for it."""
        self._check_size(pinned.bytes)
        position = 0
        with ScratchFile(self._destination) as file:
            while pinned.bytes is None or position < pinned.bytes:
                position = await self._block(pinned, file, position)
                if pinned.bytes is None:
                    break
            await file.finish()
        if pinned.version is None and pinned.differs_from(await self._head()):
            raise Changed("it changed while it was fetched")
        self._check_size(position)
        return RemoteObject(
            uri=self._place.uri, bytes=position, version=pinned.version, modified=pinned.modified
        )

    async def _block(self, pinned: RemoteObject, file: ScratchFile, position: int) -> int:
        """Where the next block begins, once this one is on the disk."""
        end = None if pinned.bytes is None else min(position + BLOCK_BYTES, pinned.bytes)

        async def once() -> int:
            async with (
                asyncio.timeout(BLOCK_S) as limit,
                self._service.read(pinned, self._place, position, end) as part,
            ):
                if pinned.differs_from(part.object):
                    raise Changed("it changed while it was fetched")
                if part.start != position:
                    raise Unusable("the service answers with another range than was asked for")
                return position + await self._take(part, file, limit)

        return await self._retried(once, within_s=None)

    async def _take(self, part: Part, file: ScratchFile, limit: asyncio.Timeout) -> int:
        """Writes what comes; how many bytes it was. Raises BadBody unless it is what was promised.

        A server without ranges sends everything at once: it comes to the disk in blocks too.
        """
        file.rewind(part.start)
        taken, block = 0, bytearray()
        async for chunk in part.chunks:
            block += chunk
            if part.length is not None and taken + len(block) > part.length:
                raise BadBody("more bytes came than were promised")
            if len(block) >= BLOCK_BYTES:
                self._check_size(part.start + taken + len(block))
                taken += await self._write(file, block)
                limit.reschedule(asyncio.get_running_loop().time() + BLOCK_S)
                block = bytearray()
        taken += await self._write(file, block)
        if part.length is not None and taken != part.length:
            raise BadBody(f"{taken} bytes came of {part.length}")
        return taken

    async def _write(self, file: ScratchFile, block: bytearray) -> int:
        await file.write(block)
        self._fetching.count(fetched_bytes=len(block))
        return len(block)

    def _check_size(self, size: int | None) -> None:
        if size == 0:
            raise SourceError("empty_file", "the object is empty", remedy="upload it again")
        if size is not None and self._most_bytes is not None and size > self._most_bytes:
            raise SourceError(
                "too_large",
                f"{size} bytes; at most {self._most_bytes} are fetched",
                remedy="raise the limit, if it is meant to be so large",
            )

    async def _retried(
        self, request: Callable[[], Awaitable[T]], within_s: float | None = ANSWER_S
    ) -> T:
        return await retried(
            request,
            within_s=within_s,
            attempts=self._fetching.attempts,
            on_retry=lambda: self._fetching.count(retries=1),
        )
