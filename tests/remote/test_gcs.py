"""Google Cloud Storage, as its emulator plays it."""

from __future__ import annotations

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.remote.contract import Provider, check_fetching, check_listing
from tests.remote.emulators import forget_everything, started
from tests.remote.fault_proxy import FaultProxy, Reply, Seen, Upstream, forwarding

pytestmark = pytest.mark.soak


@pytest.fixture(name="provider")
def make_provider(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Provider]:
    """The emulator, with a bucket; it listens where it is told to."""
    pytest.importorskip("gcsfs")
    port = free_port()
    program = str(Path(sys.executable).with_name("gcp-storage-emulator"))
    command = [program, "start", "--host", "127.0.0.1", "--port", str(port), "--in-memory",
               "--default-bucket", "bucket"]  # fmt: skip
    with started(command, "[Ss]tart", cwd=tmp_path_factory.mktemp("gcs")):
        emulator = f"http://127.0.0.1:{port}"
        answering(emulator)

        def put(key: str, data: bytes) -> None:
            # In two parts: the emulator falls over a body of no bytes.
            url = f"{emulator}/upload/storage/v1/b/bucket/o?uploadType=multipart"
            about = json.dumps({"name": key}).encode()
            body = b"\r\n".join(
                (b"--=parts=", b"Content-Type: application/json", b"", about,
                 b"--=parts=", b"Content-Type: video/mp4", b"", data, b"--=parts=--", b"")
            )  # fmt: skip
            headers = {"Content-Type": 'multipart/related; boundary="=parts="'}
            request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310
            with urllib.request.urlopen(request) as response:  # noqa: S310 -- this machine
                assert 200 == response.status

        with FaultProxy(with_conditions(forwarding(emulator))) as proxy:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
            monkeypatch.setenv("NO_GCE_CHECK", "true")
            monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
            monkeypatch.setattr("vscan.remote.gcs.PAGE_KEYS", 3)
            forget_everything()
            yield Provider("gs://bucket", put, proxy, lambda seen: "alt=media" in seen.path)
            forget_everything()


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""

    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def answering(url: str) -> None:
    """Waits until a server answers, whatever it says."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(url):  # noqa: S310 -- this machine
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer")


def with_conditions(upstream: Upstream) -> Upstream:
    """What the service does and the emulator does not: `ifGenerationMatch`, the generation in a
    header, and pages of a listing."""

    def answer(seen: Seen) -> Reply:
        path, query = urlsplit(seen.path).path, parse_qs(urlsplit(seen.path).query)
        if "maxResults" in query:
            return paged(upstream(seen), query)
        if query.get("alt") != ["media"]:
            return upstream(seen)
        told = upstream(Seen("GET", path, {}))
        generation = json.loads(told.body).get("generation") if told.status == 200 else None
        wanted = query.get("ifGenerationMatch")
        if generation is not None and wanted is not None and wanted != [generation]:
            return Reply(412)
        reply = upstream(seen)
        return Reply(
            reply.status, {**reply.headers, "x-goog-generation": str(generation)}, reply.body
        )

    return answer


def paged(reply: Reply, query: dict[str, list[str]]) -> Reply:
    """One page of what was listed."""
    listed = json.loads(reply.body)
    items = sorted(listed.get("items", []), key=lambda item: item["name"].encode())
    start, most = int(query.get("pageToken", ["0"])[0]), int(query["maxResults"][0])
    page: dict[str, Any] = {"items": items[start : start + most]}
    if start + most < len(items):
        page["nextPageToken"] = str(start + most)
    body = json.dumps(page).encode()
    return Reply(reply.status, {"Content-Type": "application/json"}, body)


def test_listing(provider: Provider) -> None:
    """As of every provider."""
    check_listing(provider)
    assert sum("maxResults" in seen.path for seen in provider.proxy.seen) > 8


def test_fetching(provider: Provider, tmp_path: Path) -> None:
    """As of every provider."""
    check_fetching(provider, tmp_path)
