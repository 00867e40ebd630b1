"""Azure Blob Storage, over the client that adlfs made with the credentials it found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from vscan.remote.answers import BadBody
from vscan.remote.places import Place, Selection
from vscan.remote.remote_object import RemoteObject, etag_version, quoted_etag
from vscan.remote.service import (
    CONNECT_S,
    PAGE_KEYS,
    SILENCE_S,
    Page,
    Part,
    content_range,
    objects_of,
)
from vscan.remote.systems import file_system

_ONCE = {
    "retry_total": 0,
    "connection_timeout": CONNECT_S,
    "read_timeout": SILENCE_S,
}


class AzureService:
    """One storage account's containers."""

    def __init__(self, uri: str) -> None:
        self._client = file_system(uri, skip_instance_cache=True).service_client

    async def head(self, place: Place) -> RemoteObject:
        """As `Service.head`."""
        async with self._client.get_blob_client(place.bucket, place.key) as blob:
            told = await blob.get_blob_properties(**_ONCE)
        return RemoteObject(uri=place.uri, bytes=told.size, version=etag_version(told.etag))

    async def page(self, place: Place, selection: Selection, token: str | None) -> Page:
        """As `Service.page`."""
        wanted: dict[str, Any] = {
            "name_starts_with": selection.prefix, "results_per_page": PAGE_KEYS, **_ONCE,
        }  # fmt: skip
        async with self._client.get_container_client(place.bucket) as container:
            if selection.one_folder:
                listing = container.walk_blobs(delimiter="/", **wanted)
            else:
                # The metadata tells the folders of a hierarchical account, which are blobs too.
                listing = container.list_blobs(include=["metadata"], **wanted)
            pages = listing.by_page(continuation_token=token)
            found = [each async for each in await anext(pages)]
        told = (
            (each.name, each.size, etag_version(each.etag))
            for each in found
            if "size" in each and (each.metadata or {}).get("hdi_isfolder") != "true"
        )
        return Page(objects_of(place, told), pages.continuation_token or None)

    @asynccontextmanager
    async def read(
        self, pinned: RemoteObject, place: Place, start: int, end: int | None
    ) -> AsyncIterator[Part]:
        """As `Service.read`."""
        from azure.core import MatchConditions

        wanted: dict[str, Any] = {"offset": start}
        if end is not None:
            wanted["length"] = end - start
        if (tag := quoted_etag(pinned.version)) is not None:
            wanted |= {"etag": tag, "match_condition": MatchConditions.IfNotModified}
        async with self._client.get_blob_client(place.bucket, place.key) as blob:
            told = await blob.download_blob(
                max_concurrency=1, raw_request_hook=_only_one(), **wanted, **_ONCE
            )
            first, length, size = content_range(told.properties.content_range)
            now = RemoteObject(
                uri=place.uri, bytes=size, version=etag_version(told.properties.etag)
            )
            yield Part(now, first, length, told.chunks())


def _only_one() -> Any:
    """A hook that stops the downloader from reading a broken body again of its own accord."""
    sent = 0

    def sending(_request: object) -> None:
        nonlocal sent
        sent += 1
        if sent > 1:
            raise BadBody("the body broke off")

    return sending
