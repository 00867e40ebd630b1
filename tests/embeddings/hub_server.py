"""A small server that speaks the Hugging Face hub's resolve protocol, for tests of downloads.

HEAD gives X-Repo-Commit, X-Linked-Etag (SHA-256 of a large file), X-Linked-Size; GET honours Range.
https://huggingface.co/docs/huggingface_hub describes the cache that clients build from it.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class HubServer:
    """Serves `files` ("owner/name/file" -> bytes) on a free port of this machine."""

    files: dict[str, bytes]
    announced: dict[str, str] = field(default_factory=dict)
    """SHA-256 to announce for a file instead of the true one."""
    cuts: int = 0
    """Connections still to be cut in the middle of what is left to send."""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """(method, path, Range header) of every request so far."""

    def __enter__(self) -> Self:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                owner._answer(self, with_body=False)

            def do_GET(self) -> None:
                owner._answer(self, with_body=True)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """What HF_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def ranges(self) -> list[str]:
        """Range headers of the GET requests so far, empty where there was none."""
        return [wanted for method, _, wanted in self.requests if method == "GET"]

    def _answer(self, handler: BaseHTTPRequestHandler, *, with_body: bool) -> None:
        path = urlsplit(handler.path).path
        wanted = handler.headers.get("Range") or ""
        self.requests.append((handler.command, path, wanted))
        name = path.lstrip("/").replace("/resolve/main/", "/").replace(f"/resolve/{COMMIT}/", "/")
        if name not in self.files:
            handler.send_response(404)
            handler.send_header("X-Error-Code", "EntryNotFound")
            handler.send_header("X-Repo-Commit", COMMIT)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        content = self.files[name]
        start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        digest = self.announced.get(name, hashlib.sha256(content).hexdigest())
        handler.send_response(206 if wanted else 200)
        handler.send_header("X-Repo-Commit", COMMIT)
        handler.send_header("ETag", f'"{digest}"')
        handler.send_header("X-Linked-Etag", f'"{digest}"')
        handler.send_header("X-Linked-Size", str(len(content)))
        handler.send_header("Accept-Ranges", "bytes")
        if wanted:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        if not with_body:
            return
        rest = content[start:]
        if self.cuts > 0:
            self.cuts -= 1
            rest = rest[: len(rest) // 2]
        handler.wfile.write(rest)
        handler.close_connection = True
