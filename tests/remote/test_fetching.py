"""Objects of S3 are fetched whole and of one version, through every fault that may pass."""

from __future__ import annotations

import asyncio
import itertools
import random
import resource
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.remote.emulators import Bucket
from tests.remote.fault_proxy import (
    Before,
    Changed,
    Cut,
    Fault,
    FaultProxy,
    Reply,
    Seen,
    Status,
    Wait,
)
from vscan.errors import FetchCancelled, OutputError, SourceError
from vscan.remote.fetching import Fetching
from vscan.remote.objects import look_at
from vscan.remote.retrying import retried, waited_for
from vscan.remote.s3 import _CONFIG

DATA = random.Random(1).randbytes(200_000)
OTHER = random.Random(2).randbytes(150_000)
BLOCKS = 4
"""That DATA has, of 64 KiB."""


def a_block(seen: Seen) -> bool:
    """Whether a request asks for bytes of an object."""
    return seen.method == "GET" and "range" in seen.headers


def after_the_first(seen: Seen) -> bool:
    """Whether a request asks for a later block."""
    return a_block(seen) and not seen.headers["range"].startswith("bytes=0-")


def resized(reply: Reply, body: bytes) -> Reply:
    """Another body under the same Content-Range, and with its own length."""
    return Reply(reply.status, {**reply.headers, "content-length": str(len(body))}, body)


def test_an_object_comes_whole(s3: Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    """In blocks, each with a condition on the version; for this user alone; and counted."""
    uri = s3.put("a b/ü?#[1].mp4", DATA)
    fetching = Fetching()
    told = fetching.fetch(uri, tmp_path / "a")
    assert DATA == (tmp_path / "a").read_bytes()
    assert 0o600 == stat.S_IMODE((tmp_path / "a").stat().st_mode)
    assert (uri, len(DATA)) == (told.uri, told.bytes)
    assert told.version is not None
    assert told.version.startswith("etag:")
    tag = f'"{told.version.removeprefix("etag:")}"'
    blocks = [seen for seen in proxy.seen if a_block(seen)]
    assert [tag] * BLOCKS == [seen.headers["if-match"] for seen in blocks]
    assert (0, len(DATA), 1) == (fetching.retries, fetching.fetched_bytes, fetching.fetched)


def test_what_a_listing_told_saves_a_request(s3: Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    """No head is asked for where size and version are known."""
    known = look_at(s3.put("a", DATA))
    proxy.seen.clear()
    assert known == Fetching().fetch(f"{s3.uri}/a", tmp_path / "a", known=known)
    assert BLOCKS == len(proxy.seen)


def test_what_passes_is_tried_again(s3: Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    """One bad answer costs one block; the bytes are right."""
    faults: tuple[Fault, ...] = (
        Status(500), Status(503), Status(429), Status(408), Cut(1000), Cut(1000, reset=True),
        Status(400, {}, b"<Error><Code>RequestTimeout</Code><Message>slow</Message></Error>"),
        Changed(lambda reply: resized(reply, reply.body + b"more")),
        Changed(lambda reply: resized(reply, reply.body[:-1])),
    )  # fmt: skip
    uri = s3.put("a", DATA)
    fetching = Fetching()
    for number, fault in enumerate(faults, start=1):
        proxy.forget()
        proxy.fault(fault, where=after_the_first)
        fetching.fetch(uri, tmp_path / "a")
        assert DATA == (tmp_path / "a").read_bytes(), fault
        blocks = [seen.headers["range"] for seen in proxy.seen if a_block(seen)]
        assert (number, BLOCKS + 1, BLOCKS) == (fetching.retries, len(blocks), len(set(blocks)))


def test_five_attempts_and_no_more(s3: Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    """A request is sent five times, whatever the libraries would do; nothing of a file stays."""
    uri = s3.put("a", DATA)
    slow = b"<Error><Code>SlowDown</Code><Message>reduce your request rate</Message></Error>"
    proxy.fault(Status(503, {}, slow), times=99, where=after_the_first)
    fetching = Fetching()
    with pytest.raises(SourceError, match="5 attempts.*SlowDown") as caught:
        fetching.fetch(uri, tmp_path / "a")
    later = [seen for seen in proxy.seen if after_the_first(seen)]
    assert ("fetch_failed", 5, 4) == (caught.value.code, len(later), fetching.retries)
    assert not (tmp_path / "a").exists()
    proxy.seen.clear()
    proxy.fault(Status(500), times=99)
    with pytest.raises(OSError, match="500"):
        look_at(uri)
    assert 5 == len(proxy.seen)


def test_a_service_says_how_long_to_wait(
    s3: Bucket, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retry-After is heeded up to a bound."""
    waits: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float, *_: object) -> None:
        waits.append(seconds)
        await sleep(0)

    uri = s3.put("a", DATA[:100])
    fetching = Fetching()
    fetching.fetch(uri, tmp_path / "a")
    proxy.fault(Status(503, {"Retry-After": "7"}))
    proxy.fault(Status(429, {"Retry-After": "86400"}))
    monkeypatch.setattr(asyncio, "sleep", noted)
    fetching.fetch(uri, tmp_path / "a")
    assert [7, 30] == [each for each in waits if each > 1]


def test_an_object_that_changes_once(s3: Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    """Every byte is of the later version: the fetch began anew."""
    uri = s3.put("a", DATA)
    old = look_at(uri)
    proxy.fault(Before(lambda: s3.put("a", OTHER)), where=after_the_first)
    fetching = Fetching()
    told = fetching.fetch(uri, tmp_path / "a")
    assert OTHER == (tmp_path / "a").read_bytes()
    assert (look_at(uri), len(OTHER)) == (told, told.bytes)
    told = fetching.fetch(uri, tmp_path / "b", known=old)
    assert OTHER == (tmp_path / "b").read_bytes()


def test_an_object_that_changes_for_ever(s3: Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    """It is given up, and never put together of two versions."""
    uri = s3.put("a", DATA)
    versions = itertools.cycle((OTHER, DATA))
    proxy.fault(Before(lambda: s3.put("a", next(versions))), times=99, where=after_the_first)
    with pytest.raises(SourceError, match="changed") as caught:
        Fetching().fetch(uri, tmp_path / "a")
    assert "fetch_failed" == caught.value.code
    assert not (tmp_path / "a").exists()


def test_a_service_that_says_nothing(
    s3: Bucket, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's own timeout is the one that was meant."""
    monkeypatch.setitem(_CONFIG, "read_timeout", 0.3)
    uri = s3.put("a", DATA)
    proxy.fault(Wait(1), where=after_the_first)
    fetching = Fetching()
    fetching.fetch(uri, tmp_path / "a")
    assert (DATA, 1) == ((tmp_path / "a").read_bytes(), fetching.retries)


def test_what_cannot_be_had(s3: Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    """One request, a code that says what is wrong, a remedy, and no file."""
    uri, empty = s3.put("a", DATA), s3.put("empty", b"")
    proxy.fault(Status(403), where=lambda seen: "denied" in seen.path)
    expected = {
        f"{s3.uri}/absent": "not_found",
        "s3://no-such-bucket/a": "not_found",
        f"{s3.uri}/denied": "permission_denied",
        empty: "empty_file",
        "s3:///a": "fetch_failed",
        "s3://Not_A_Bucket!/a": "fetch_failed",
    }
    found = {}
    fetching = Fetching()
    for name in expected:
        with pytest.raises(SourceError) as caught:
            fetching.fetch(name, tmp_path / "x")
        found[name] = caught.value.code
        assert caught.value.remedy
    assert expected == found
    assert len(proxy.seen) <= len(expected)
    with pytest.raises(SourceError, match="200000 bytes; at most 199999") as caught:
        fetching.fetch(uri, tmp_path / "x", most_bytes=199_999)
    assert "too_large" == caught.value.code
    assert not [seen for seen in proxy.seen if a_block(seen)]
    assert [] == list(tmp_path.iterdir())


def test_no_room_for_the_file(s3: Bucket, tmp_path: Path) -> None:
    """A file that cannot be written is an error of the output: every other one would fail too."""
    uri = s3.put("a", DATA)
    fetching = Fetching()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for destination in (tmp_path / "no" / "folder", tmp_path / "link", tmp_path):
        with pytest.raises(OutputError, match="cannot be written"):
            fetching.fetch(uri, destination)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OutputError, match="(?s)cannot be written.*room"):
            fetching.fetch(uri, tmp_path / "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (0, []) == (fetching.retries, list(tmp_path.iterdir()))


def test_all_that_waits_can_be_cancelled(s3: Bucket, proxy: FaultProxy) -> None:
    """Looking and asking for first bytes wait for a server as well."""
    uri = s3.put("slow", DATA)
    fetching = Fetching()
    found = fetching.head(uri)
    assert DATA[:9] == fetching.beginning(found, 9)
    asks = (lambda: fetching.look(uri), lambda: fetching.head(uri))
    proxy.forget()
    proxy.fault(Status(503, {"Retry-After": "20"}), times=9)
    with ThreadPoolExecutor() as pool:
        under_way = [pool.submit(ask) for ask in (*asks, lambda: fetching.beginning(found, 9))]
        while len(proxy.seen) < 3:
            time.sleep(0.01)
        began = time.monotonic()
        fetching.cancel()
        for each in under_way:
            with pytest.raises(FetchCancelled):
                each.result()
    assert time.monotonic() - began < 2


def test_an_answer_that_trickles(s3: Bucket) -> None:
    """Whoever keeps a connection alive without an end of the answer is left."""

    async def never() -> None:
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        waited_for(retried(never, attempts=2, within_s=0.01))


def test_cancelling(s3: Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    """What waits for a server, and what waits to try again, ends at once; so does what comes."""
    slow, failing = s3.put("slow", DATA), s3.put("failing", DATA)
    fetching = Fetching()
    fetching.fetch(slow, tmp_path / "warm")
    proxy.fault(Wait(20), where=lambda seen: "slow" in seen.path and a_block(seen))
    again = Status(503, {"Retry-After": "20"})
    proxy.fault(again, times=9, where=lambda seen: "failing" in seen.path)
    with ThreadPoolExecutor() as pool:
        under_way = [
            pool.submit(fetching.fetch, uri, tmp_path / uri.rpartition("/")[2])
            for uri in (slow, failing)
        ]
        while fetching.retries == 0 or not proxy.waiting:
            time.sleep(0.01)
        began = time.monotonic()
        fetching.cancel()
        for each in under_way:
            with pytest.raises(FetchCancelled):
                each.result()
    assert time.monotonic() - began < 1
    with pytest.raises(FetchCancelled):
        fetching.fetch(slow, tmp_path / "later")
    assert ["warm"] == [path.name for path in tmp_path.iterdir()]
