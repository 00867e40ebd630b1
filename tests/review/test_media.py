"""Which bytes of which file are had: ranges, the judged content alone, stills."""

from __future__ import annotations

import io
import threading
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.review.asked import both, served
from tests.review.served import TOKEN, finding, judged, page, write
from vscan.digests import Digests, file_digests
from vscan.errors import ReviewError
from vscan.review import checked_files, web
from vscan.review.checked_files import CheckedFile, CheckedFiles
from vscan.review.media_ranges import Span, UnsatisfiableError, span_of
from vscan.review.opening import Wanted


def test_ranges(client: TestClient, folder: Path) -> None:
    """GET and HEAD, single ranges from either end, If-Range; what cannot be satisfied is 416."""
    data = (folder / "a.mp4").read_bytes()
    size, video = len(data), "/cases/0/source/video"
    whole = client.get(video)
    tag = whole.headers["etag"]
    assert (200, data) == (whole.status_code, whole.content)
    assert ("bytes", "video/mp4") == (
        whole.headers["accept-ranges"], whole.headers["content-type"]
    )  # fmt: skip
    head = client.head(video, headers={"Range": "bytes=0-3"})
    assert (200, b"", str(size)) == (head.status_code, head.content, head.headers["content-length"])
    for asked, start, end in (
        ("bytes=0-3", 0, 4), ("bytes=5-", 5, size), ("bytes=-7", size - 7, size),
        (f"bytes=9-{size * 2}", 9, size), (f"bytes=-{size * 2}", 0, size), ("BYTES=1-1", 1, 2),
    ):  # fmt: skip
        part = client.get(video, headers={"Range": asked, "If-Range": tag})
        assert (206, data[start:end]) == (part.status_code, part.content), asked
        assert f"bytes {start}-{end - 1}/{size}" == part.headers["content-range"]
        assert str(end - start) == part.headers["content-length"]
    for beyond in (f"bytes={size}-", "bytes=-0", "bytes=" + "9" * 30 + "-"):
        answer = client.get(video, headers={"Range": beyond})
        assert (416, f"bytes */{size}") == (answer.status_code, answer.headers["content-range"])
    for odd in ("bytes=5-2", "bytes=-", "items=0-3", "bytes=0-1,3-4", "bytes=a-b"):
        assert 200 == client.get(video, headers={"Range": odd}).status_code, odd
    for other in ('"other"', f"W/{tag}", "Mon, 02 Nov 2026 09:30:00 GMT"):
        answer = client.get(video, headers={"Range": "bytes=0-3", "If-Range": other})
        assert (200, data) == (answer.status_code, answer.content)


def test_spans() -> None:
    """The end of a file of one byte, and of none that is asked for."""
    assert Span(0, 1) == span_of("bytes=0-", 1)
    assert span_of(None, 1) is None
    with pytest.raises(UnsatisfiableError):
        span_of("bytes=1-", 1)


def test_a_file_that_is_another_by_now(folder: Path, tmp_path: Path) -> None:
    """A file that was not the judged one, or is changed after it was checked, is refused in words;
    so is one that is gone, and one whose verdict has no SHA-256."""
    copy = tmp_path / "copy.mp4"
    copy.write_bytes((folder / "a.mp4").read_bytes())
    gone = replace(judged(copy, finding("weapons", score=0.95)), id="v_gone")
    gone = replace(gone, source=replace(gone.source, uri=str(tmp_path / "gone.mp4")))
    bare = replace(judged(copy, finding("weapons", score=0.99)), id="v_bare")
    bare = replace(bare, source=replace(bare.source, uri=str(folder / "a.mp4"), sha256=None))
    log = tmp_path / "d.db"
    with served(log, judged(copy, finding("weapons")), gone, bare) as client:
        client.get(f"/?token={TOKEN}")
        assert "ready" == client.get("/api/cases/0/source").json()["state"]
        copy.write_bytes(copy.read_bytes() + b"x")
        for path in ("/cases/0/source/video", "/api/cases/0/source/stills"):
            answer = client.get(path)
            assert 409 == answer.status_code
        assert "has changed" in client.get("/cases/0/source/video").json()["message"]
        assert "no file" in client.get("/api/cases/1/source").json()["message"]
        assert "no SHA-256" in client.get("/cases/2/source/video").json()["message"]
    other = judged(folder / "a.mp4", finding("weapons"), name=str(copy))
    with served(tmp_path / "e.db", other) as client:
        client.get(f"/?token={TOKEN}")
        answer = client.get("/cases/0/source/video")
        assert (409, True) == (answer.status_code, "no longer the one" in answer.json()["message"])


def test_a_file_that_is_cut_short_meanwhile(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An answer whose file ends early ends early itself, so that the browser sees it; the terminal
    has a line of it and no traceback."""
    monkeypatch.setattr(CheckedFile, "open", lambda _: io.BytesIO(b"short"))
    file = write(tmp_path / "v.jsonl", judged(folder / "a.mp4", finding("weapons")))
    with page(Wanted(log=tmp_path / "d.db", verdicts=file, reviewer="ana")) as address:
        host = address.removeprefix("http://").partition("/")[0]
        with closing(HTTPConnection(host)) as browser:
            browser.request("GET", f"/?token={TOKEN}")
            answer = browser.getresponse()
            answer.read()
            cookie = answer.headers["set-cookie"].partition(";")[0]
            browser.request("GET", "/cases/0/source/video", headers={"Cookie": cookie})
            with pytest.raises(IncompleteRead) as cut:
                browser.getresponse().read()
            assert b"short" == cut.value.partial
    told = capsys.readouterr().err
    assert "without completing response" in told
    assert "Traceback" not in told


def test_the_end_does_not_wait_for_a_check(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a large file is checked the page says so; whoever waits for it when the server ends is
    told, at once."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(path: Path) -> Digests:
        begun.set()
        go_on.wait(20)
        return file_digests(path)

    monkeypatch.setattr(checked_files, "file_digests", slowly)
    monkeypatch.setattr(web, "CHECK_WAIT_S", 0.01)
    files = CheckedFiles()
    (one, other) = both(folder)
    waiting = [files.check(each.source.uri, each.source.sha256) for each in (one, other)]
    assert begun.wait(10)
    with served(tmp_path / "d.db", one) as client:
        client.get(f"/?token={TOKEN}")
        assert "checking" == client.get("/api/cases/0/source").json()["state"]
        files.close()
        for each in waiting:
            with pytest.raises(ReviewError, match="has ended"):
                each.result(1)
        go_on.set()
        assert 200 == client.get("/cases/0/source/video").status_code


def test_stills(client: TestClient) -> None:
    """What a browser cannot play is had as frames within the spans, by the sandboxed reader."""
    state = client.get("/api/cases/1/source").json()
    assert {"state": "ready", "playable": False} == state
    assert 409 == client.get("/cases/1/source/video").status_code
    times = client.get("/api/cases/1/source/stills").json()["times_s"]
    assert times == sorted(times)
    assert all(1.5 <= each <= 3.7 for each in times)
    assert len(times) >= 3
    picture = client.get("/cases/1/source/stills/0")
    assert ("image/jpeg", b"\xff\xd8") == (picture.headers["content-type"], picture.content[:2])
