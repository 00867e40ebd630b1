"""S3 and what speaks as it does, through s3fs: its client, its session, its credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from vscan.remote.places import Place, Selection
from vscan.remote.remote_object import RemoteObject, etag_version, quoted_etag
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

_CONFIG = {
    "connect_timeout": CONNECT_S,
    "read_timeout": SILENCE_S,
    "max_pool_connections": 64,
    "retries": {"total_max_attempts": 1, "mode": "standard"},
    # Not every service that speaks S3 has the newer checksums.
    "response_checksum_validation": "when_required",
}


class S3Service:
    """One account's buckets."""

    def __init__(self, uri: str) -> None:
        self._system = file_system(uri, config_kwargs=_CONFIG, skip_instance_cache=True)
        self._system.retries = 1

    async def head(self, place: Place) -> RemoteObject:
        """As `Service.head`."""
        told = await self._system._call_s3("head_object", **_named(place))
        return RemoteObject(
            uri=place.uri, bytes=int(told["ContentLength"]), version=etag_version(told.get("ETag"))
        )

    async def page(self, place: Place, selection: Selection, token: str | None) -> Page:
        """As `Service.page`."""
        wanted: dict[str, Any] = {"Bucket": place.bucket, "Prefix": selection.prefix}
        if selection.one_folder:
            wanted["Delimiter"] = "/"
        if token is not None:
            wanted["ContinuationToken"] = token
        told = await self._system._call_s3("list_objects_v2", MaxKeys=PAGE_KEYS, **wanted)
        following = told.get("NextContinuationToken") if told.get("IsTruncated") else None
        found = (
            (each["Key"], int(each["Size"]), etag_version(each.get("ETag")))
            for each in told.get("Contents", ())
        )
        return Page(objects_of(place, found), following)

    @asynccontextmanager
    async def read(
        self, pinned: RemoteObject, place: Place, start: int, end: int | None
    ) -> AsyncIterator[Part]:
        """As `Service.read`."""
        wanted = {**_named(place), "Range": f"bytes={start}-{'' if end is None else end - 1}"}
        if (tag := quoted_etag(pinned.version)) is not None:
            wanted["IfMatch"] = tag
        told = await self._system._call_s3("get_object", **wanted)
        async with told["Body"] as body:
            length = int(told["ContentLength"])
            size: int | None = length
            start = 0
            if told.get("ContentRange"):
                start, length, size = content_range(told["ContentRange"])
            now = RemoteObject(uri=place.uri, bytes=size, version=etag_version(told.get("ETag")))
            yield Part(now, start, length, body.iter_chunks(CHUNK_BYTES))


def _named(place: Place) -> dict[str, str]:
    key, mark, version = place.key.partition("?versionId=")
    named = {"Bucket": place.bucket, "Key": key}
    return {**named, "VersionId": version} if mark else named
