"""Web servers, over the session of fsspec's HTTP file system: ranges, redirects, conditions.

A head is asked for as a range of one byte: a URL that is signed for GET has no HEAD.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from vscan.errors import UsageError
from vscan.remote.addresses import public_socket
from vscan.remote.answers import BadBody, Refused, Unusable
from vscan.remote.places import Place, Selection
from vscan.remote.redacted import redacted
from vscan.remote.remote_object import RemoteObject, etag_version, quoted_etag
from vscan.remote.service import (
    CHUNK_BYTES,
    CONNECT_S,
    SILENCE_S,
    Page,
    Part,
    content_range,
)
from vscan.remote.systems import file_system

MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)


class HttpService:
    """Web servers, any of them.

    allow_private: whether addresses may be connected to that are not public. Proxies of the
    environment are used only then: the address that is connected to is the proxy's, and says
    nothing of where it leads.
    """

    def __init__(self, uri: str, *, allow_private: bool) -> None:
        async def client(**_options: Any) -> Any:
            import aiohttp

            connector = aiohttp.TCPConnector(
                socket_factory=None if allow_private else public_socket, limit=64
            )
            return aiohttp.ClientSession(
                connector=connector,
                trust_env=allow_private,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S
                ),
            )

        self._system = file_system(uri, get_client=client, skip_instance_cache=True)

    async def head(self, place: Place) -> RemoteObject:
        """As `Service.head`."""
        async with self._answer(place.uri, {"Range": "bytes=0-0"}) as response:
            part = _part(place, response)
            if response.content_length == 1:
                # Else the connection is not used again. Without that header it may have no end.
                await response.read()
            now = part.object
            if response.status == 416 and now.bytes != 0:
                raise Refused(416, "Range Not Satisfiable")
            return now

    async def page(self, place: Place, selection: Selection, token: str | None) -> Page:
        """No server lists what it has."""
        raise UsageError(
            f"{redacted(place.uri)}: a web server has no listing",
            remedy="give the URLs in a list: --from-file LIST",
        )

    @asynccontextmanager
    async def read(
        self, pinned: RemoteObject, place: Place, start: int, end: int | None
    ) -> AsyncIterator[Part]:
        """As `Service.read`."""
        wanted = {}
        if end is not None:
            wanted["Range"] = f"bytes={start}-{end - 1}"
            if (tag := quoted_etag(pinned.version)) is not None:
                wanted["If-Range"] = tag
        async with self._answer(place.uri, wanted) as response:
            yield _part(place, response)

    @asynccontextmanager
    async def _answer(self, uri: str, headers: dict[str, str]) -> AsyncIterator[Any]:
        """The response at the end of all redirects, 200, 206 or 416. Raises Refused, Unusable."""
        session = await self._system.set_session()
        url = _url(uri)
        for _ in range(MOST_REDIRECTS + 1):
            async with session.get(
                url, headers={**headers, "Accept-Encoding": "identity"}, allow_redirects=False
            ) as response:
                if response.status not in _REDIRECTS:
                    _check(response)
                    yield response
                    return
                url = _redirected(url, response.headers.get("Location", ""))
        raise Unusable(f"more than {MOST_REDIRECTS} redirects")


def _url(uri: str) -> Any:
    import yarl

    # What is quoted already is part of what was signed, and must stay as it is.
    plain = uri.isascii() and uri.isprintable() and " " not in uri
    try:
        url = yarl.URL(uri, encoded=plain)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("no host")
    except ValueError:
        raise Unusable("not a URL that can be used") from None
    return url


def _redirected(before: Any, location: str) -> Any:
    import yarl

    try:
        after = before.join(yarl.URL(location, encoded=True))
        usable = bool(location and after.host) and after.scheme in ("http", "https")
    except ValueError:
        usable = False
    if not usable:
        raise Unusable("a redirect to what is no URL of the web")
    if before.scheme == "https" and after.scheme != "https":
        raise Unusable("a redirect from https to http")
    return after


def _check(response: Any) -> None:
    if response.status not in (200, 206, 416):
        told = response.headers.get("Retry-After")
        raise Refused(response.status, response.reason or "", retry_after=told)
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise Unusable(f"the server sends it in the encoding {coding}, and was asked not to")


def _part(place: Place, response: Any) -> Part:
    """What a response brings: nothing where the range lies beyond the end. Raises BadBody,
    Unusable."""
    headers = response.headers
    start, length = 0, response.content_length
    size = length
    if response.status != 200:
        start, length, size = content_range(headers.get("Content-Range"))
    elif length is None and "chunked" not in headers.get("Transfer-Encoding", "").lower():
        raise Unusable("the server says neither how long it is nor where it ends")
    if "multipart/byteranges" in headers.get("Content-Type", ""):
        raise BadBody("several ranges where one was asked for")
    now = RemoteObject(
        uri=place.uri,
        bytes=size,
        version=etag_version(headers.get("ETag")),
        modified=headers.get("Last-Modified"),
    )
    return Part(now, start, length, response.content.iter_chunked(CHUNK_BYTES))
