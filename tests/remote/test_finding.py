"""What a finder makes of names behind URIs: nothing is lost without a word."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.remote.emulators import Bucket
from tests.remote.fault_proxy import FaultProxy, Status
from vscan.remote.fetching import Fetching
from vscan.remote.objects import look_at
from vscan.sources import SourceFinder


def names(finder: SourceFinder, *inputs: str) -> list[str]:
    """What it finds, less the bucket."""
    return [each.uri.partition("://")[2].partition("/")[2] for each in finder.find(inputs)]


def test_urls_that_records_cannot_tell_apart(web: FaultProxy) -> None:
    """Are counted in whatever order they come; the same one twice is not."""
    signed, other, bare = (f"{web.url}/a{end}" for end in ("?sig=1", "?sig=2", ""))
    for inputs, indistinct in (
        ((signed, other), 1), ((bare, signed), 1), ((signed, bare), 1), ((signed, signed), 0),
        ((bare, bare), 0), ((signed, other, bare, signed), 2),
    ):  # fmt: skip
        finder = SourceFinder(Fetching(allow_private=True))
        assert ["a"] == names(finder, *inputs)
        assert indistinct == finder.indistinct, inputs


def test_an_object_wins_over_a_pattern(s3: Bucket) -> None:
    """As a file does; and one version of it can be named."""
    for key in ("a[1].mp4", "a1.mp4", "b/a2.mp4"):
        s3.put(key, b"12345678")
    s3.client.put_bucket_versioning(Bucket=s3.name, VersioningConfiguration={"Status": "Enabled"})
    s3.put("c.mp4", b"older")
    version = s3.client.head_object(Bucket=s3.name, Key="c.mp4")["VersionId"]
    s3.put("c.mp4", b"newest one")
    assert ["a[1].mp4"] == names(SourceFinder(), f"{s3.uri}/a[1].mp4")
    assert ["a1.mp4"] == names(SourceFinder(), f"{s3.uri}/a[12].mp4")
    assert ["a1.mp4", "a[1].mp4"] == names(SourceFinder(), f"{s3.uri}/a*.mp4")
    told = look_at(f"{s3.uri}/c.mp4?versionId={version}")
    assert told is not None
    assert 5 == told.bytes
    assert [f"c.mp4?versionId={version}"] == names(SourceFinder(), told.uri)


def test_first_bytes_that_cannot_be_had(s3: Bucket, proxy: FaultProxy) -> None:
    """An object that may be a video is not passed over: it gets a line that says why."""
    for key in ("denied", "failing", "gone", "text", "video"):
        s3.put(key, b"\0\0\0\x10ftypisom" if key == "video" else b"letters")
    for key, status in {"denied": 403, "failing": 503, "gone": 404}.items():
        fault = Status(status)
        proxy.fault(fault, times=9, where=lambda seen, key=key: seen.path.endswith(f"/{key}"))  # type: ignore[misc]
    finder = SourceFinder()
    assert ["denied", "failing", "video"] == names(finder, f"{s3.uri}/")
    assert 2 == finder.skipped_files


@pytest.fixture
def endless() -> Iterator[str]:
    """URL of a server that answers a range of one byte with bytes without end."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1 << 16)
                client.sendall(
                    b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/100\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n"
                )
                try:
                    for _ in range(10_000):
                        client.sendall(b"10000\r\n%b\r\n" % bytes(1 << 16))
                except OSError:
                    pass

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/a"


def test_a_server_that_sends_without_end(endless: str) -> None:
    """Looking at an object reads no more of it than it asked for."""
    told = look_at(endless, allow_private=True)
    assert told is not None
    assert 100 == told.bytes
