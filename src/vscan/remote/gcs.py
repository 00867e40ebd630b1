"""Google Cloud Storage, by its JSON API, over gcsfs' session and with its credentials.

https://cloud.google.com/storage/docs/json_api/v1/objects. Requests are made here and not by gcsfs'
own `_call`, which sends each up to six times and reads bodies whole.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from vscan.remote.answers import Refused, Unusable
from vscan.remote.places import Place, Selection
from vscan.remote.remote_object import RemoteObject
from vscan.remote.service import (
    CHUNK_BYTES,
    CONNECT_S,
    PAGE_KEYS,
    SILENCE_S,
    Page,
    Part,
    content_range,
    objects_of,
)
from vscan.remote.systems import file_system

_MOST_JSON = 1 << 25


class GcsService:
    """One account's buckets."""

    def __init__(self, uri: str) -> None:
        self._system = file_system(
            uri,
            access="read_only",
            session_kwargs={"auto_decompress": False},
            skip_instance_cache=True,
        )

    async def head(self, place: Place) -> RemoteObject:
        """As `Service.head`."""
        told = await self._json(_object(place), {"fields": "name,size,generation"})
        return RemoteObject(uri=place.uri, bytes=int(told["size"]), version=_version(told))

    async def page(self, place: Place, selection: Selection, token: str | None) -> Page:
        """As `Service.page`."""
        wanted = {
            "prefix": selection.prefix,
            "maxResults": str(PAGE_KEYS),
            "fields": "nextPageToken,items(name,size,generation)",
        }
        if selection.one_folder:
            wanted["delimiter"] = "/"
        if token is not None:
            wanted["pageToken"] = token
        told = await self._json(f"b/{quote(place.bucket, safe='')}/o", wanted)
        found = (
            (each["name"], int(each["size"]), _version(each)) for each in told.get("items", ())
        )
        return Page(objects_of(place, found), told.get("nextPageToken"))

    @asynccontextmanager
    async def read(
        self, pinned: RemoteObject, place: Place, start: int, end: int | None
    ) -> AsyncIterator[Part]:
        """As `Service.read`."""
        wanted = {"alt": "media"}
        if pinned.version is not None:
            wanted["ifGenerationMatch"] = pinned.version.removeprefix("generation:")
        headers = {
            "Range": f"bytes={start}-{'' if end is None else end - 1}",
            # What was stored compressed is unpacked on the way otherwise, and has no ranges then.
            "Accept-Encoding": "gzip",
        }
        async with self._answer(_object(place), wanted, headers) as response:
            length = response.content_length
            start, size = 0, length
            if response.status == 206:
                start, length, size = content_range(response.headers.get("Content-Range"))
            generation = response.headers.get("x-goog-generation")
            now = RemoteObject(
                uri=place.uri, bytes=size, version=generation and f"generation:{generation}"
            )
            yield Part(now, start, length, response.content.iter_chunked(CHUNK_BYTES))

    async def _json(self, path: str, parameters: dict[str, str]) -> Any:
        headers = {"Accept-Encoding": "identity"}
        async with self._answer(path, parameters, headers) as response:
            text = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                text += chunk
                if len(text) > _MOST_JSON:
                    raise Unusable("an answer without end")
            return json.loads(text)

    @asynccontextmanager
    async def _answer(
        self, path: str, parameters: dict[str, str], headers: dict[str, str]
    ) -> AsyncIterator[Any]:
        """A response whose status is a success. Raises Refused, and what aiohttp raises."""
        import aiohttp
        import yarl

        session = await self._system._set_session()
        # May ask for a new token, and waits for it: not in the loop of all fetches.
        await asyncio.to_thread(self._system.credentials.apply, headers)
        url = yarl.URL(f"{self._system.base}{path}", encoded=True).update_query(parameters)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        async with session.get(
            url, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            if response.status not in (200, 206):
                raise Refused(
                    response.status,
                    response.reason or "",
                    retry_after=response.headers.get("Retry-After"),
                )
            yield response


def _object(place: Place) -> str:
    return f"b/{quote(place.bucket, safe='')}/o/{quote(place.key, safe='')}"


def _version(told: Mapping[str, Any]) -> str | None:
    generation = told.get("generation")
    return None if generation is None else f"generation:{generation}"
