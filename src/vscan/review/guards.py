"""Who may talk to the page's server: this machine's browser that was given the address, alone."""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vscan.review.media_ranges import CutShortError

MOST_BODY_BYTES = 1 << 18
"""Of a request: a note of 10 000 characters, each escaped as a pair of surrogates, and some."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " media-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none';"
        " base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
}
"""On every answer, refusals among them."""


class Guards:
    """Refuses what does not come from the one browser that opened the address with its token.

    Host: a page of another name that is made to resolve to this machine (DNS rebinding) sends its
    own name. Cookie: any local program can connect, only that browser has it. Origin, fetch
    metadata and the content type: another site's page in that browser may send requests, and
    cannot forge these. A request that passes has no influence on the file system: see `web.py`.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        """token: stands in the address and is good once; port: on which the server listens."""
        self._app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        if port == 80:  # browsers leave the default out
            self._hosts |= {"127.0.0.1", "localhost"}
        self._token: str | None = token
        self._exchange = threading.Lock()
        self._secret = secrets.token_urlsafe(32)
        # Cookies do not tell ports apart: two servers must not overwrite each other's.
        self._cookie = f"vscan_review_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        answer = self._refused(scope) or self._opened(scope)
        # The server closes a connection whose answer is not complete, and the browser sees that.
        with contextlib.suppress(CutShortError):
            await (self._app if answer is None else answer)(scope, receive, guarded)

    def _refused(self, scope: Scope) -> Response | None:
        """What is said to a request that comes from elsewhere, or has a form that none has."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return _no(403, "This server answers to 127.0.0.1 and localhost alone.")
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return _no(403, "Another site's page asked for this.")
        if scope["method"] == "POST":
            return _refused_post(headers, f"http://{hosts[0].lower()}")
        if scope["method"] not in ("GET", "HEAD"):
            return _no(405, "GET, HEAD and POST are known.")
        return None

    def _opened(self, scope: Scope) -> Response | None:
        """The exchange of the token for a cookie, or what is said to whoever has neither."""
        if self._has_cookie(Headers(scope=scope)):
            if scope["path"] == "/" and b"token=" in scope["query_string"]:
                return RedirectResponse("/", status_code=303)
            return None
        given = dict(parse_qsl(scope["query_string"].decode("ascii", "replace"))).get("token", "")
        if scope["path"] == "/" and scope["method"] == "GET" and self._spend(given):
            answer = RedirectResponse("/", status_code=303)
            answer.set_cookie(
                self._cookie, self._secret, path="/", httponly=True, samesite="strict"
            )
            return answer
        return _no(
            403,
            "Open the address that `vscan review serve` printed. It is good once, in one browser;"
            " start the command again for another: nothing that was decided is lost.",
        )

    def _has_cookie(self, headers: Headers) -> bool:
        # Starlette's parser: that of http.cookies drops all that follows an odd cookie, and other
        # servers of this machine set odd ones.
        held = (cookie_parser(header).get(self._cookie) for header in headers.getlist("cookie"))
        return any(value is not None and _same(value, self._secret) for value in held)

    def _spend(self, given: str) -> bool:
        with self._exchange:
            if self._token is None or not _same(given, self._token):
                return False
            self._token = None
            return True


def _refused_post(headers: Headers, origin: str) -> Response | None:
    if headers.get("origin", "").lower() != origin:
        return _no(403, "Another site's page asked for this.")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _no(415, "Requests are JSON.")
    length = headers.get("content-length", "")
    # In chunks it may be of any length, whatever its Content-Length says (RFC 9112, 6.3).
    if "transfer-encoding" in headers or not re.fullmatch(r"\d{1,18}", length, re.ASCII):
        return _no(411, "The length of the request is missing.")
    return _no(413, "The request is too long.") if int(length) > MOST_BODY_BYTES else None


def _same(one: str, other: str) -> bool:
    """Compares in a time that does not tell how much of it is right."""
    return secrets.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _no(status: int, words: str) -> Response:
    return PlainTextResponse(f"{words}\n", status_code=status)
