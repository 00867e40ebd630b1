"""A server on this machine that misbehaves as told: before an emulator, or with files of its own.

with FaultProxy(forwarding(emulator)) as proxy:
    proxy.fault(Status(503), times=2, where=lambda seen: seen.method == "GET")
    ...
    proxy.seen
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    """With its query."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """What is sent back; `Content-Length` is added unless it is chunked."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Status:
    """A fault: this status, nothing is asked of the upstream."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"no"


@dataclass(frozen=True)
class Cut:
    """A fault: the connection ends after so many bytes of the body, whatever was promised."""

    after: int
    reset: bool = False
    """Whether with a reset (RST) instead of an orderly end (FIN)."""


@dataclass(frozen=True)
class Wait:
    """A fault: nothing is said for so long."""

    seconds: float


@dataclass(frozen=True)
class Before:
    """A fault: something happens before the upstream is asked."""

    act: Callable[[], object]


@dataclass(frozen=True)
class Changed:
    """A fault: the upstream's reply, changed."""

    change: Callable[[Reply], Reply]


Fault = Status | Cut | Wait | Before | Changed
Upstream = Callable[[Seen], Reply]


@dataclass
class _Planned:
    fault: Fault
    times: int
    where: Callable[[Seen], bool]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that is cancelled resets its connection."""


class FaultProxy:
    """Listens on a free port of 127.0.0.1 while it is entered."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.seen: list[Seen] = []
        """Every request, in the order in which they came."""
        self.waiting = False
        """Whether a request has met a Wait."""
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def fault(
        self, fault: Fault, *, times: int = 1, where: Callable[[Seen], bool] = lambda seen: True
    ) -> None:
        """The next so many requests of that kind meet this fault. What was planned first goes
        first, however often it was to come."""
        self._planned.append(_Planned(fault, times, where))

    def forget(self) -> None:
        """Nothing was seen, and nothing is planned."""
        with self._lock:
            self.seen.clear()
            self._planned.clear()

    def next_fault(self, seen: Seen) -> Fault | None:
        """Notes a request; what it meets."""
        with self._lock:
            self.seen.append(seen)
            for planned in self._planned:
                if planned.times > 0 and planned.where(seen):
                    planned.times -= 1
                    return planned.fault
        return None

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing: the tests' output is theirs."""

        def _answer(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            seen = Seen(self.command, self.path, headers, body)
            fault = proxy.next_fault(seen)
            with contextlib.suppress(ConnectionError):
                self._meet(seen, fault)

        def _meet(self, seen: Seen, fault: Fault | None) -> None:
            if isinstance(fault, Status):
                self._send(seen, Reply(fault.status, fault.headers, fault.body))
                return
            if isinstance(fault, Wait):
                proxy.waiting = True
                time.sleep(fault.seconds)
            if isinstance(fault, Before):
                fault.act()
            reply = proxy.upstream(seen)
            if isinstance(fault, Changed):
                reply = fault.change(reply)
            self._send(seen, reply, fault if isinstance(fault, Cut) else None)

        def _send(self, seen: Seen, reply: Reply, cut: Cut | None = None) -> None:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            chunked = "transfer-encoding" in headers
            if not chunked:
                headers.setdefault("content-length", str(len(reply.body)))
            self.send_response(reply.status)
            for name, value in headers.items():
                if name not in ("connection", "date", "server"):
                    self.send_header(name, value)
            self.end_headers()
            body = b"" if seen.method == "HEAD" else reply.body
            if chunked:
                body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            self.wfile.write(body if cut is None else body[: cut.after])
            if cut is not None:
                self.wfile.flush()
                self.close_connection = True
                if cut.reset:
                    time.sleep(0.05)  # what was sent must be there before the reset is
                    self.connection.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                    self.connection.close()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

    return Handler


def forwarding(url: str) -> Upstream:
    """Asks another server."""
    host = urlsplit(url).netloc

    def ask(seen: Seen) -> Reply:
        connection = http.client.HTTPConnection(host, timeout=30)
        headers = {k: v for k, v in seen.headers.items() if k not in ("connection", "host")}
        connection.request(seen.method, seen.path, body=seen.body or None, headers=headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        told = {k.lower(): v for k, v in response.getheaders()}
        told.pop("transfer-encoding", None)
        return Reply(response.status, told, body)

    return ask


@dataclass
class Held:
    """A file of a small web server; tests write to it."""

    body: bytes
    etag: str | None = None
    """As it stands in the header."""
    modified: str | None = None
    ranges: bool = True
    chunked: bool = False
    headers: dict[str, str] = field(default_factory=dict)


def serving(files: dict[str, Held]) -> Upstream:
    """A web server with ranges and If-Range (RFC 9110, sections 13.1.5 and 14), by path."""

    def answer(seen: Seen) -> Reply:
        held = files.get(urlsplit(seen.path).path)
        if held is None:
            return Reply(404, {}, b"no such file")
        headers = dict(held.headers)
        if held.etag is not None:
            headers["ETag"] = held.etag
        if held.modified is not None:
            headers["Last-Modified"] = held.modified
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", seen.headers.get("range", ""))
        condition = seen.headers.get("if-range")
        size = len(held.body)
        if wanted and held.ranges and condition in (None, held.etag):
            first, last = int(wanted[1]), min(int(wanted[2] or size), size - 1)
            if first >= size:
                return Reply(416, {**headers, "Content-Range": f"bytes */{size}"})
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
            return Reply(206, headers, held.body[first : last + 1])
        if held.chunked:
            headers["Transfer-Encoding"] = "chunked"
        return Reply(200, headers, held.body)

    return answer
