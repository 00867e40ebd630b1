"""Files of web servers are fetched whole and of one version, and from public addresses only."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
import yarl

from tests.remote.contract import DATA
from tests.remote.fault_proxy import (
    Before,
    Cut,
    FaultProxy,
    Held,
    Seen,
    Status,
    Wait,
)
from vscan.errors import SourceError, UsageError
from vscan.remote.answers import Unusable
from vscan.remote.fetching import Fetching
from vscan.remote.http import _redirected
from vscan.remote.objects import RemoteObject, is_remote, list_objects, look_at

OTHER = random.Random(2).randbytes(200_000)
THIRD = random.Random(3).randbytes(190_000)
QUERY = "?X-Amz-Signature=cAnArYcAnArY&v=%2F1"
TIMES = ("Sun, 29 Nov 2026 10:00:00 GMT", "Sun, 29 Nov 2026 11:00:00 GMT")


def later(seen: Seen) -> bool:
    """Whether a request asks for what is not the first block."""
    return not seen.headers.get("range", "bytes=0-").startswith("bytes=0-")


def test_a_signed_url(web: FaultProxy, tmp_path: Path) -> None:
    """No HEAD, since it is signed for GET; the query as it was signed; conditions; no encoding."""
    uri = f"{web.url}/a{QUERY}"
    told = Fetching(allow_private=True).fetch(uri, tmp_path / "a")
    assert DATA == (tmp_path / "a").read_bytes()
    assert (uri, len(DATA), "etag:one") == (told.uri, told.bytes, told.version)
    assert {("GET", f"/a{QUERY}", "identity")} == {
        (seen.method, seen.path, seen.headers["accept-encoding"]) for seen in web.seen
    }
    assert [None, *['"one"'] * 4] == [seen.headers.get("if-range") for seen in web.seen]
    assert "cAnArY" not in repr(told)
    known = look_at(uri, allow_private=True)
    assert (told, True) == (known, is_remote(uri))


@pytest.mark.parametrize(
    "held",
    [
        Held(DATA, ranges=False), Held(DATA, '"one"', ranges=False), Held(DATA, 'W/"one"'),
        Held(DATA), Held(DATA, modified=TIMES[0]), Held(DATA, ranges=False, chunked=True),
    ],
    ids=["stream", "stream-etag", "weak", "nothing", "modified", "chunked"],
)  # fmt: skip
def test_servers_of_many_kinds(
    held: Held, files: dict[str, Held], web: FaultProxy, tmp_path: Path
) -> None:
    """Without ranges, without versions, without a length: whole, and whole again after a cut."""
    files["/b"] = held
    fetching = Fetching(allow_private=True)
    told = fetching.fetch(f"{web.url}/b", tmp_path / "b")
    assert (DATA, len(DATA)) == ((tmp_path / "b").read_bytes(), told.bytes)
    assert ("etag:one" if held.etag == '"one"' else None) == told.version
    web.forget()
    web.fault(Cut(50_000, reset=True), where=lambda seen: seen.headers.get("range") != "bytes=0-0")
    fetching.fetch(f"{web.url}/b", tmp_path / "b")
    assert (DATA, 1) == ((tmp_path / "b").read_bytes(), fetching.retries)
    with pytest.raises(SourceError, match="199999") as caught:
        fetching.fetch(f"{web.url}/b", tmp_path / "b", most_bytes=199_999)
    assert ("too_large", False) == (caught.value.code, (tmp_path / "b").exists())


@pytest.mark.parametrize("etags", [('"one"', '"two"'), (None, None), ('W/"1"', 'W/"1"')])
def test_a_file_that_changes(
    etags: tuple[str | None, str | None], files: dict[str, Held], web: FaultProxy, tmp_path: Path
) -> None:
    """A new ETag, or where there is none another time, is seen between blocks: once it begins
    anew, twice it is given up."""
    first, then = (Held(each, tag, time) for each, tag, time in zip(
        (DATA, OTHER), etags, TIMES, strict=True))  # fmt: skip
    files["/b"] = first
    web.fault(Before(lambda: files.update({"/b": then})), where=later)
    fetching = Fetching(allow_private=True)
    fetching.fetch(f"{web.url}/b", tmp_path / "b")
    assert OTHER == (tmp_path / "b").read_bytes()
    web.fault(Before(lambda: files.update({"/b": first})), where=later)
    web.fault(Before(lambda: files.update({"/b": then})), where=later)
    with pytest.raises(SourceError, match="changed") as caught:
        fetching.fetch(f"{web.url}/b", tmp_path / "c")
    assert ("fetch_failed", False) == (caught.value.code, (tmp_path / "c").exists())


def test_a_change_that_only_the_end_shows(
    files: dict[str, Held], web: FaultProxy, tmp_path: Path
) -> None:
    """Without a version the file is looked at once more when it has come."""
    files["/b"] = Held(DATA, ranges=False)
    looks = itertools.count(1)

    def last_look(seen: Seen) -> bool:
        return seen.headers.get("range") == "bytes=0-0" and next(looks) == 2

    web.fault(Before(lambda: files.update({"/b": Held(THIRD, ranges=False)})), where=last_look)
    Fetching(allow_private=True).fetch(f"{web.url}/b", tmp_path / "b")
    assert THIRD == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        (Status(404), "not_found", "no object"),
        (Status(401), "permission_denied", "(?s)401.*signed anew"),
        (Status(403), "permission_denied", "(?s)403.*signed anew"),
        (Status(302, {"Location": "ftp://h/a"}), "fetch_failed", "redirect"),
        (Status(302, {"Location": "file:///etc/passwd"}), "fetch_failed", "redirect"),
        (Status(301), "fetch_failed", "redirect"),
        (Status(307, {"Location": "/a"}), "fetch_failed", "more than 5 redirects"),
        (Status(200, {"Content-Encoding": "gzip"}), "fetch_failed", "gzip"),
        (Status(418), "fetch_failed", "418"),
        (Status(206, {"Content-Range": "bytes 5-9/20"}, b"12345"), "fetch_failed", "another range"),
        (Status(200, {}, b""), "empty_file", "empty"),
        (Status(416, {"Content-Range": "bytes */0"}, b""), "empty_file", "empty"),
    ],
)
def test_what_cannot_be_had(
    fault: Status, code: str, says: str, web: FaultProxy, tmp_path: Path
) -> None:
    """A code, a cause, a remedy, no credential; and no second attempt."""
    web.fault(fault, times=99)
    with pytest.raises(SourceError, match=says) as caught:
        Fetching(allow_private=True).fetch(f"{web.url}/a{QUERY}", tmp_path / "a")
    assert code == caught.value.code
    assert caught.value.remedy
    assert "cAnArY" not in f"{caught.value} {caught.value!r}"
    assert len(web.seen) <= 6
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("bound", ["http.SILENCE_S", "fetching.BLOCK_S"])
def test_a_server_that_says_nothing(
    bound: str, web: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for so long and no longer, for a byte and for a block; then asked again."""
    monkeypatch.setattr(f"vscan.remote.{bound}", 0.3)
    web.fault(Wait(1), where=later)
    fetching = Fetching(allow_private=True)
    fetching.fetch(f"{web.url}/a", tmp_path / "a")
    assert (DATA, 1) == ((tmp_path / "a").read_bytes(), fetching.retries)


def test_redirects(files: dict[str, Held], web: FaultProxy, tmp_path: Path) -> None:
    """Up to five are followed for each request, cookies and credentials are left behind."""
    for number in range(5):
        web.fault(Status(302, {"Location": f"/hop{number}", "Set-Cookie": "a=1"}))
        files[f"/hop{number}"] = files["/a"]
    address = web.url.replace("//", "//me:cAnArY@")
    Fetching(allow_private=True).fetch(f"{address}/a", tmp_path / "a")
    assert DATA == (tmp_path / "a").read_bytes()
    assert not [seen for seen in web.seen if "cookie" in seen.headers]
    assert web.seen[0].headers["authorization"].startswith("Basic ")


def test_https_never_becomes_http() -> None:
    """Nor another scheme, nor nothing."""
    before = yarl.URL("https://h/a")
    assert "https://other/b" == str(_redirected(before, "//other/b"))
    for location in ("http://h/a", "ftp://h", "", "javascript:1", "https://[x/"):
        with pytest.raises(Unusable):
            _redirected(before, location)


@pytest.mark.parametrize(
    "uri", ["https://", "http:///a", "https://[::1/a", "http://h:x/a", "http://h/a\r\nb: c"]
)
def test_no_url(uri: str, tmp_path: Path) -> None:
    """What cannot be used as a URL is said to be none."""
    with pytest.raises(SourceError) as caught:
        Fetching(attempts=1).fetch(uri, tmp_path / "a")
    assert caught.value.code in ("fetch_failed", "not_found", "permission_denied")


def test_no_listing() -> None:
    """A web server lists nothing, and what to do is said."""
    with pytest.raises(UsageError, match="(?s)no listing.*--from-file"):
        list(list_objects("https://h/a/*.mp4"))


def test_what_a_listing_could_not_know(web: FaultProxy, tmp_path: Path) -> None:
    """A known object of an older version leads to the newer one."""
    uri = f"{web.url}/a"
    known = RemoteObject(uri=uri, bytes=len(DATA), version="etag:zero")
    told = Fetching(allow_private=True).fetch(uri, tmp_path / "a", known=known)
    assert ("etag:one", DATA) == (told.version, (tmp_path / "a").read_bytes())
