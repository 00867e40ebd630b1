"""What is asked of every provider alike, against its emulator behind a proxy."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.remote.fault_proxy import Before, Cut, FaultProxy, Seen, Status
from vscan.errors import SourceError
from vscan.remote.fetching import Fetching
from vscan.remote.objects import list_objects, look_at

DATA = random.Random(1).randbytes(200_000)
OTHER = random.Random(2).randbytes(150_000)
KEYS = ("a.mp4", "a/1.mp4", "a/b/3.mp4", "a/ü 2#?.mp4", "b/4.mp4", "b/5.txt", "b/6.mp4")


@dataclass(frozen=True)
class Provider:
    """A provider as its emulator plays it."""

    root: str
    """URI of an empty bucket or container."""
    put: Callable[[str, bytes], object]
    """Writes an object, past the proxy."""
    proxy: FaultProxy
    a_read: Callable[[Seen], bool]
    """Whether a request asks for bytes of an object."""

    def later(self, seen: Seen) -> bool:
        """Whether a request asks for what is not the first block."""
        told = seen.headers.get("range", seen.headers.get("x-ms-range", ""))
        return self.a_read(seen) and not told.startswith("bytes=0-")


def check_listing(provider: Provider) -> None:
    """In depth, by pattern, over several pages (the caller makes them small), and one by one."""
    for key in KEYS:
        provider.put(key, key.encode())
    root = provider.root
    assert [f"{root}/{key}" for key in KEYS] == [each.uri for each in list_objects(root)]
    for pattern, expected in {
        "a": {"a/1.mp4", "a/b/3.mp4", "a/ü 2#?.mp4"},
        "b/*.mp4": {"b/4.mp4", "b/6.mp4"},
        "*.mp4": {"a.mp4"},
        "**/*.mp4": set(KEYS) - {"b/5.txt"},
        "none": set(),
    }.items():
        found = {each.uri for each in list_objects(f"{root}/{pattern}")}
        assert {f"{root}/{key}" for key in expected} == found, pattern
    for each in list_objects(root):
        assert each.version is not None
        assert each == look_at(each.uri)
    assert (None, None) == (look_at(f"{root}/a"), look_at(root))
    with pytest.raises(FileNotFoundError):
        look_at(f"{root}/none")


def check_fetching(provider: Provider, scratch: Path) -> None:
    """Whole, pinned, begun anew where it changes, five attempts, and what cannot be had."""
    root, proxy = provider.root, provider.proxy
    fetching = Fetching()
    uri = f"{root}/a/ü 2#?.mp4"
    provider.put("a/ü 2#?.mp4", DATA)
    known = look_at(uri)
    proxy.forget()
    assert known == fetching.fetch(uri, scratch / "a", known=known)
    assert (DATA, 4) == ((scratch / "a").read_bytes(), len(proxy.seen))

    proxy.fault(Cut(1000, reset=True), where=provider.later)
    proxy.fault(Status(503), where=provider.later)
    fetching.fetch(uri, scratch / "a", known=known)
    assert (DATA, 2) == ((scratch / "a").read_bytes(), fetching.retries)

    proxy.forget()
    proxy.fault(Status(503), times=99, where=provider.a_read)
    with pytest.raises(SourceError, match="5 attempts") as caught:
        fetching.fetch(uri, scratch / "b", known=known)
    assert ("fetch_failed", 5) == (caught.value.code, len(proxy.seen))

    proxy.forget()
    proxy.fault(Before(lambda: provider.put("a/ü 2#?.mp4", OTHER)), where=provider.later)
    told = fetching.fetch(uri, scratch / "a", known=known)
    assert (OTHER, look_at(uri)) == ((scratch / "a").read_bytes(), told)
    assert told == fetching.fetch(uri, scratch / "a", known=known)
    proxy.fault(Before(lambda: provider.put("a/ü 2#?.mp4", DATA)), where=provider.later)
    proxy.fault(Before(lambda: provider.put("a/ü 2#?.mp4", OTHER)), where=provider.later)
    with pytest.raises(SourceError, match="changed") as caught:
        fetching.fetch(uri, scratch / "b")
    assert "fetch_failed" == caught.value.code

    provider.put("empty", b"")
    proxy.fault(Status(403), where=lambda seen: "denied" in seen.path)
    for name, code in (
        ("none", "not_found"),
        ("empty", "empty_file"),
        ("denied", "permission_denied"),
    ):
        with pytest.raises(SourceError) as caught:
            fetching.fetch(f"{root}/{name}", scratch / "b")
        assert code == caught.value.code
        assert caught.value.remedy
    with pytest.raises(SourceError) as caught:
        fetching.fetch(uri, scratch / "b", most_bytes=10)
    assert ("too_large", ["a"]) == (caught.value.code, [each.name for each in scratch.iterdir()])
