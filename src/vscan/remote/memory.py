"""fsspec's own memory as a service: for tests, and for what a program made itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vscan.remote.answers import Changed
from vscan.remote.places import Place, Selection
from vscan.remote.remote_object import RemoteObject
from vscan.remote.service import Page, Part, objects_of
from vscan.remote.systems import file_system


class MemoryService:
    """This process's `memory://`."""

    def __init__(self, uri: str) -> None:
        self._system = file_system(uri)

    async def head(self, place: Place) -> RemoteObject:
        """As `Service.head`."""
        path = f"/{place.key}"
        info = self._system.info(path)
        if info["type"] != "file":
            raise FileNotFoundError(path)
        return RemoteObject(uri=place.uri, bytes=info["size"], version=self._version(path))

    async def page(self, place: Place, selection: Selection, token: str | None) -> Page:
        """As `Service.page`: everything in one page."""
        folder = selection.prefix.rpartition("/")[0]
        found = self._system.find(f"/{folder}", detail=True)
        told = (
            (name.lstrip("/"), info["size"], self._version(name))
            for name, info in sorted(found.items())
            if name.lstrip("/").startswith(selection.prefix)
        )
        return Page(objects_of(place, told), None)

    @asynccontextmanager
    async def read(
        self, pinned: RemoteObject, place: Place, start: int, end: int | None
    ) -> AsyncIterator[Part]:
        """As `Service.read`."""
        now = await self.head(place)
        if pinned.differs_from(now):
            raise Changed("it was written to")
        data = self._system.cat_file(f"/{place.key}", start, end)

        async def chunks() -> AsyncIterator[bytes]:
            yield data

        yield Part(now, start, len(data), chunks())

    def _version(self, path: str) -> str:
        return f"version:{self._system.modified(path).isoformat()}"
