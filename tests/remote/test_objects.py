"""What is there is listed page by page, and told apart from folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import fsspec
import pytest

from tests.remote.emulators import Bucket, forget_everything
from tests.remote.fault_proxy import FaultProxy, Reply, Seen, Status, Upstream
from vscan.errors import SourceError, UsageError
from vscan.remote.fetching import Fetching
from vscan.remote.objects import is_remote, list_objects, look_at

KEYS = ("a.mp4", "a/1.mp4", "a/2.MOV", "a/b/3.mp4", "a/b/c/4.mp4", "a[1].mp4", "ab/5.mp4", "z")


@pytest.fixture(name="memory")
def make_memory() -> Iterator[str]:
    """The same keys in fsspec's memory."""
    system = fsspec.filesystem("memory")
    for key in KEYS:
        system.pipe(f"/objects/{key}", key.encode())
    yield "memory://objects"
    system.rm("/objects", recursive=True)


WANTED = {
    "": set(KEYS),
    "/": set(KEYS),
    "/a": {key for key in KEYS if key.startswith("a/")},
    "/a/": {key for key in KEYS if key.startswith("a/")},
    "/a/b/": {"a/b/3.mp4", "a/b/c/4.mp4"},
    "/nothing": set(),
    "/*.mp4": {"a.mp4", "a[1].mp4"},
    "/a/*.mp4": {"a/1.mp4"},
    "/a/?.*": {"a/1.mp4", "a/2.MOV"},
    "/a*/*.mp4": {"a/1.mp4", "ab/5.mp4"},
    "/**/*.mp4": {"a.mp4", "a/1.mp4", "a/b/3.mp4", "a/b/c/4.mp4", "a[1].mp4", "ab/5.mp4"},
    "/a/**/*.mp4": {"a/1.mp4", "a/b/3.mp4", "a/b/c/4.mp4"},
    "/a/[0-1].mp4": {"a/1.mp4"},
    "/a/**": {key for key in KEYS if key.startswith("a/")},
}
"""By what is written behind the bucket."""


def test_listings_and_patterns(s3: Bucket, memory: str) -> None:
    """A prefix in depth, a pattern as in the shell; markers of folders are no objects."""
    for key in (*KEYS, "a/"):
        s3.put(key, key.encode() if key != "a/" else b"")
    for root in (s3.uri, memory):
        for written, expected in WANTED.items():
            found = [each.uri for each in list_objects(root + written)]
            assert [f"{root}/{key}" for key in sorted(expected)] == found, (root, written)
    told = next(list_objects(f"{s3.uri}/a/b"))
    assert (look_at(told.uri), 9) == (told, told.bytes)


def test_looking(s3: Bucket, memory: str, proxy: FaultProxy) -> None:
    """An object, literally; a folder; neither; one that may not be looked at."""
    for key in KEYS:
        s3.put(key, key.encode())
    for root in (s3.uri, memory):
        found = look_at(f"{root}/a[1].mp4")
        assert found is not None
        assert (f"{root}/a[1].mp4", 8) == (found.uri, found.bytes)
        for folder in ("", "/", "/a", "/a/b/"):
            assert look_at(root + folder) is None, folder
        for absent in ("/absent", "/b/", "/a.mp4/", "/a/*.mp4"):
            with pytest.raises(FileNotFoundError):
                look_at(root + absent)
    with pytest.raises(FileNotFoundError):
        look_at("s3://no-such-bucket/")
    proxy.fault(Status(403))
    with pytest.raises(PermissionError, match="access is denied"):
        look_at(f"{s3.uri}/z")


def test_a_long_listing_streams(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first object is there after one page; a page that fails is asked for again, alone."""
    with FaultProxy(listing_of([f"deep/{number:04}/v.mp4" for number in range(2500)])) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        forget_everything()
        objects = list_objects("s3://long/deep/**/*.mp4")
        first = next(objects)
        assert 1 == len(proxy.seen)
        proxy.fault(Status(503))
        rest = [each.uri for each in objects]
        assert 4 == len(proxy.seen)
        expected = [f"s3://long/deep/{number:04}/v.mp4" for number in range(2500)]
        assert expected == [first.uri, *rest]
        proxy.fault(Status(403))
        with pytest.raises(PermissionError):
            next(list_objects("s3://long"))


def listing_of(keys: list[str]) -> Upstream:
    """A service with one bucket, which lists it in pages as S3 does: writing that many objects
    into the emulator takes half a minute."""

    def answer(seen: Seen) -> Reply:
        asked = dict(parse_qsl(urlsplit(seen.path).query))
        start = int(asked.get("continuation-token", 0))
        page = keys[start : start + int(asked["max-keys"])]
        end = start + len(page)
        following = f"<NextContinuationToken>{end}</NextContinuationToken>"
        contents = "".join(
            f"<Contents><Key>{key}</Key><ETag>&quot;{key}&quot;</ETag><Size>1</Size></Contents>"
            for key in page
        )
        more = end < len(keys)
        text = (
            f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{following if more else ''}{contents}</ListBucketResult>"
        )
        return Reply(200, {"Content-Type": "application/xml"}, text.encode())

    return answer


def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read behind a URI, unless a file is there under that very name."""
    monkeypatch.chdir(tmp_path)
    remote = ("s3://b/a", "S3A://b", "gs://b", "gcs://b", "az://c/b", "abfs://c@a/b", "abfss://c",
              "http://h", "https://h/a", "memory://a")  # fmt: skip
    local = ("a.mp4", "/a", "file:///a", "ftp://h/a", "s3:/a", "C:/a")
    assert (True, False) == (all(map(is_remote, remote)), any(map(is_remote, local)))
    (tmp_path / "s3:" / "b").mkdir(parents=True)
    (tmp_path / "s3:" / "b" / "a").touch()
    assert not is_remote("s3://b/a")


def test_what_is_no_pattern_and_no_bucket() -> None:
    """Is told before anything is asked."""
    for name, says in (
        ("s3://b/a**/c", "pattern"),
        ("s3:///a", "bucket"),
        ("ftp://h/a", "unknown"),
    ):
        with pytest.raises(UsageError, match=says):
            list_objects(name)


def test_fetching_from_memory(memory: str, tmp_path: Path) -> None:
    """As from any other; a version that is gone leads to the one that is there."""
    known = look_at(f"{memory}/z")
    assert known is not None
    assert known == Fetching().fetch(known.uri, tmp_path / "z", known=known)
    fsspec.filesystem("memory").pipe("/objects/z", b"changed")
    Fetching().fetch(known.uri, tmp_path / "z", known=known)
    assert b"changed" == (tmp_path / "z").read_bytes()
    for name, code in (("absent", "not_found"), ("a", "not_found")):
        with pytest.raises(SourceError) as caught:
            Fetching().fetch(f"{memory}/{name}", tmp_path / "x")
        assert code == caught.value.code
